// SPDX-License-Identifier: Apache-2.0
// systemd units as they lie on disk: which file defines a unit, which drop-ins change it, whether
// it starts by itself (systemd.unit(5), `systemctl list-unit-files`).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::drift {

struct UnitFile {
  std::string load_state;       // "loaded", "masked", "not-found" (only linked to).
  std::string unit_file_state;  // "enabled", "disabled", "static", "masked", "alias", "generated" …
  std::optional<std::string> fragment_path;
  std::vector<std::string> drop_ins;  // Paths, sorted.
  bool is_wanted = false;             // Some target, of a package or of /etc, pulls it in.
};

struct UnitFiles {
  std::map<std::string, UnitFile> units;  // By id; templates as "name@.service".
  std::vector<std::pair<std::string, Error>> gaps;
};

// Errc::not_found if no unit directory exists: this host has no systemd.
Result<UnitFiles> scan_units(const Root& root);
// The same for Context::once.
struct ScanUnits {
  const Root& root;
  Result<UnitFiles> operator()() const { return scan_units(root); }
};

// "getty@tty1.service" → "getty@.service"; empty for what is no instance.
std::string template_of(std::string_view name);

// What the [Install] section says: "enable" (WantedBy and the like), "also" (Also alone), ""
// (none).
std::string_view install_kind(std::string_view unit_text);

struct UnitState {
  std::string active;
  std::string sub;
};
// The output of `systemctl list-units --all --plain --no-legend --full`.
std::map<std::string, UnitState> parse_list_units(std::string_view text);

}  // namespace vouch::drift
