// SPDX-License-Identifier: Apache-2.0
// An alert as people read it: a subject, and one text for each condition (docs/alerts.md,
// Templates). What each kind of channel makes of it is in bodies.h, mail.h and log_entries.h.
#pragma once

#include <string>
#include <vector>

#include "alerts/alert.h"
#include "alerts/rules.h"

namespace vouch::alerts {

struct Wording {
  std::string subject;             // One line, at most 250 bytes.
  std::vector<std::string> texts;  // One for each condition; one for a digest or a test.
};

// By the channel's own templates, else the standard ones.
Wording word(const Alert& alert, const ChannelSpec& spec);

// The worst severity of the alert; low for a test.
Severity worst_of(const Alert& alert);
// True if every condition of the alert is over.
bool all_resolved(const Alert& alert);

}  // namespace vouch::alerts
