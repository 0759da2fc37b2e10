// SPDX-License-Identifier: Apache-2.0
// What is posted to the channels of the web: pure functions from an alert to a body.
#pragma once

#include <string>
#include <string_view>

#include "alerts/alert.h"
#include "alerts/rules.h"

namespace vouch::alerts {

// The alert itself, with `sent`.
std::string webhook_body(const Alert& alert, WallMs sent);
// "sha256=<hex>", over the body's bytes.
std::string webhook_signature(std::string_view secret, std::string_view body);

// An incoming webhook of Slack (and Mattermost). Nothing in a text is read as markup.
std::string slack_body(const Alert& alert, const ChannelSpec& spec);
// An Adaptive Card for a Teams workflow.
std::string teams_body(const Alert& alert, const ChannelSpec& spec);

// The array of Alertmanager's POST /api/v2/alerts. A digest or a test is an alert of its own that
// ends after an hour.
std::string alertmanager_body(const Alert& alert, const ChannelSpec& spec);

}  // namespace vouch::alerts
