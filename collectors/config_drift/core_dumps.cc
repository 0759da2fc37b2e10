// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/core_dumps.h"

#include "collectors/facts/lines.h"
#include "collectors/facts/sshd_config.h"
#include "collectors/facts/systemd_config.h"

namespace vouch::drift {
namespace {

constexpr std::size_t kConfigBytesMax = 4 << 20;

void add_configured(const Root& root, const std::string& file, const std::string& section,
                    const std::vector<std::pair<std::string, std::string>>& keys_and_defaults,
                    const std::string& service, CoreDumpSettings& out) {
  const auto config = facts::read_systemd_config(root, file);
  out.gaps.insert(out.gaps.end(), config.gaps.begin(), config.gaps.end());
  for (const auto& [key, fallback] : keys_and_defaults) {
    const auto found = config.settings.find({section, key});
    const bool is_set = found != config.settings.end() && !found->second.value.empty();
    if (!is_set && fallback.empty()) continue;
    CoreDumpSetting setting{service, facts::lower_case(key), fallback, {}};
    if (is_set) {
      setting.value = found->second.value;
      setting.source = found->second.source;
    }
    out.settings.push_back(std::move(setting));
  }
}

}  // namespace

std::vector<CoreDumpSetting> parse_core_limits(std::string_view text, const std::string& source) {
  std::vector<CoreDumpSetting> settings;
  facts::each_line(text, [&](std::string_view line, int) {
    line = line.substr(0, line.find('#'));
    const auto words = facts::words_of(line);
    if (words.size() < 4 || facts::lower_case(words[2]) != "core") return;
    settings.push_back({"limits", std::string(words[0]) + " " + facts::lower_case(words[1]),
                        facts::lower_case(words[3]), source});
  });
  return settings;
}

CoreDumpSettings read_core_dump_settings(const Root& root) {
  CoreDumpSettings out;
  const bool is_installed = root.exists("/usr/lib/systemd/systemd-coredump") ||
                            root.exists("/lib/systemd/systemd-coredump");
  if (is_installed) {
    add_configured(root, "coredump.conf", "Coredump",
                   {{"Storage", "external"}, {"ProcessSizeMax", "32G"}}, "systemd-coredump", out);
  }
  add_configured(root, "system.conf", "Manager", {{"DefaultLimitCORE", ""}}, "systemd", out);
  auto files = facts::glob_paths(root, "/etc/security/limits.d/*.conf");
  files.insert(files.begin(), "/etc/security/limits.conf");
  for (const std::string& path : files) {
    const auto text = root.read(path, kConfigBytesMax);
    if (!text) {
      if (text.error().code != Errc::not_found) out.gaps.emplace_back(path, text.error());
      continue;
    }
    for (CoreDumpSetting& setting : parse_core_limits(*text, path)) {
      out.settings.push_back(std::move(setting));
    }
  }
  return out;
}

}  // namespace vouch::drift
