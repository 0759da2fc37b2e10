// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/kernel_modules.h"

#include <algorithm>
#include <vector>

namespace vouch::drift {
namespace {

constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr std::size_t kIndexBytesMax = 16 << 20;

std::string kernel_name(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

std::string_view take_word(std::string_view& line) {
  const std::size_t start = line.find_first_not_of(" \t\r");
  if (start == std::string_view::npos) return line = {};
  line.remove_prefix(start);
  const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
  line.remove_prefix(word.size());
  return word;
}

// Calls `take` with each line that is no comment.
template <typename Take>
void each_line(std::string_view text, Take take) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos || line[start] == '#' || line[start] == ';') continue;
    take(line);
  }
}

std::optional<std::string> read_file(const Root& root, sdk::Rows& rows, const std::string& path,
                                     std::size_t bytes_max = kConfigBytesMax) {
  auto text = root.read(path, bytes_max);
  if (text) return *std::move(text);
  if (text.error().code != Errc::not_found) rows.gap(path, text.error());
  return std::nullopt;
}

// The texts of DIRECTORY/*.conf.
std::vector<std::string> read_directory(const Root& root, sdk::Rows& rows,
                                        const std::string& path) {
  std::vector<std::string> texts;
  const auto names = root.list(path);
  if (!names && names.error().code != Errc::not_found) rows.gap(path, names.error());
  for (const std::string& name : names.value_or({})) {
    // A link to /dev/null takes back the file of that name in a later directory: it names nothing.
    const auto link = root.read_link(path + "/" + name);
    if ((link && *link == "/dev/null") || !name.ends_with(".conf")) continue;
    if (auto text = read_file(root, rows, path + "/" + name)) texts.push_back(*std::move(text));
  }
  return texts;
}

// A command that loads nothing.
bool is_no_command(std::string_view command) {
  command = command.substr(command.rfind('/') + 1);
  return command == "true" || command == "false" || command == "nologin";
}

}  // namespace

std::set<std::string> parse_proc_modules(std::string_view text) {
  std::set<std::string> names;
  each_line(text, [&](std::string_view line) { names.insert(kernel_name(take_word(line))); });
  return names;
}

std::set<std::string> parse_modules_load(std::string_view text) {
  std::set<std::string> names;
  each_line(text, [&](std::string_view line) { names.insert(kernel_name(take_word(line))); });
  return names;
}

std::map<std::string, ModulePolicy> parse_modprobe(std::string_view text) {
  std::map<std::string, ModulePolicy> policies;
  each_line(text, [&](std::string_view line) {
    const std::string_view keyword = take_word(line);
    const std::string_view name = take_word(line);
    if ((keyword != "blacklist" && keyword != "install") || name.empty()) return;
    ModulePolicy& policy = policies[kernel_name(name)];
    if (keyword == "blacklist") policy.blacklisted = true;
    if (keyword == "install") policy.disabled = is_no_command(take_word(line));
  });
  return policies;
}

std::set<std::string> parse_modules_dep(std::string_view text) {
  std::set<std::string> names;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line = line.substr(0, line.find(':'));
    line = line.substr(line.rfind('/') + 1);
    const std::size_t end = line.find(".ko");
    if (end != std::string_view::npos) names.insert(kernel_name(line.substr(0, end)));
  }
  return names;
}

std::map<std::string, ModulePolicy> configured_modules(const Root& root, sdk::Rows& rows) {
  std::map<std::string, ModulePolicy> modules;
  const auto add_names = [&](std::string_view text) {
    for (const std::string& name : parse_modules_load(text)) modules.try_emplace(name);
  };
  if (const auto text = read_file(root, rows, "/etc/modules")) add_names(*text);
  for (const std::string prefix : {"/etc/", "/run/", "/usr/local/lib/", "/usr/lib/", "/lib/"}) {
    if (prefix == "/lib/" && root.read_link("/lib").has_value()) continue;  // It is /usr/lib.
    for (const auto& text : read_directory(root, rows, prefix + "modules-load.d")) add_names(text);
    for (const std::string& text : read_directory(root, rows, prefix + "modprobe.d")) {
      for (const auto& [name, policy] : parse_modprobe(text)) {
        ModulePolicy& all = modules[name];
        all.blacklisted = all.blacklisted || policy.blacklisted;
        all.disabled = all.disabled || policy.disabled;
      }
    }
  }
  return modules;
}

std::optional<std::set<std::string>> available_modules(const Root& root, sdk::Rows& rows) {
  std::set<std::string> names;
  bool has_kernel = false;
  for (const std::string& release : root.list("/lib/modules").value_or({})) {
    for (const std::string_view file : {"/modules.dep", "/modules.builtin"}) {
      const auto text =
          read_file(root, rows, "/lib/modules/" + release + std::string(file), kIndexBytesMax);
      if (!text) continue;
      has_kernel = true;
      names.merge(parse_modules_dep(*text));
    }
  }
  return has_kernel ? std::optional(std::move(names)) : std::nullopt;
}

}  // namespace vouch::drift
