// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/kernel_modules.h"

#include <algorithm>
#include <array>

namespace vouch::drift {
namespace {

constexpr std::size_t kConfigBytesMax = 1 << 20;

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

using Parse = std::set<std::string> (*)(std::string_view);

void read_file(const Root& root, sdk::Rows& rows, const std::string& path, Parse parse,
               std::set<std::string>& out) {
  const auto text = root.read(path, kConfigBytesMax);
  if (text) return out.merge(parse(*text));
  if (text.error().code != Errc::not_found) rows.gap(path, text.error());
}

void read_directory(const Root& root, sdk::Rows& rows, const std::string& path, Parse parse,
                    std::set<std::string>& out) {
  const auto names = root.list(path);
  if (!names) {
    if (names.error().code != Errc::not_found) rows.gap(path, names.error());
    return;
  }
  for (const std::string& name : *names) {
    // A link to /dev/null takes back the file of that name in a later directory: it names nothing.
    const auto link = root.read_link(path + "/" + name);
    if (link && *link == "/dev/null") continue;
    if (name.ends_with(".conf")) read_file(root, rows, path + "/" + name, parse, out);
  }
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

std::set<std::string> parse_modprobe(std::string_view text) {
  std::set<std::string> names;
  each_line(text, [&](std::string_view line) {
    const std::string_view keyword = take_word(line);
    const std::string_view name = take_word(line);
    if ((keyword == "blacklist" || keyword == "install") && !name.empty()) {
      names.insert(kernel_name(name));
    }
  });
  return names;
}

std::set<std::string> configured_modules(const Root& root, sdk::Rows& rows) {
  std::set<std::string> names;
  read_file(root, rows, "/etc/modules", parse_modules_load, names);
  for (const std::string prefix : {"/etc/", "/run/", "/usr/local/lib/", "/usr/lib/", "/lib/"}) {
    if (prefix == "/lib/" && root.read_link("/lib").has_value()) continue;  // It is /usr/lib.
    read_directory(root, rows, prefix + "modules-load.d", parse_modules_load, names);
    read_directory(root, rows, prefix + "modprobe.d", parse_modprobe, names);
  }
  return names;
}

}  // namespace vouch::drift
