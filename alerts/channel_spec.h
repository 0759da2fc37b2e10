// SPDX-License-Identifier: Apache-2.0
// The part of the rule file that says where a channel leads. What is wrong there is found when the
// file is read, not when something has happened: addresses, mail names, templates.
#pragma once

#include <string>
#include <string_view>

#include "alerts/rules.h"
#include "core/result.h"
#include "core/yaml.h"

namespace vouch::alerts {

Result<ChannelSpec> read_channel(const std::string& name, const yaml::Node& node,
                                 std::string_view file_name);

// An address that may be used: `scheme` (with TLS), or `plain` where its host is the loopback.
// Nothing of userinfo, space or control bytes. Also asked of an address that comes from a file.
bool is_usable_url(std::string_view url, std::string_view scheme, std::string_view plain);
bool is_loopback_url(std::string_view url);

}  // namespace vouch::alerts
