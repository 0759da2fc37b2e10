// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/kernel_command_line.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "collectors/config_drift/unified_kernel.h"
#include "collectors/facts/lines.h"
#include "collectors/facts/sshd_config.h"
#include "core/redact.h"

namespace vouch::drift {
namespace {

constexpr std::size_t kConfigBytesMax = 4 << 20;
constexpr std::size_t kValueBytesMax = 64 << 10;  // Of a variable: one that names itself grows.

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The text between the first quotes of either kind, or the first word.
std::string first_title(std::string_view text) {
  text = facts::trim(text);
  const char quote = text.empty() ? '\0' : text[0];
  if (quote != '\'' && quote != '"') return std::string(text.substr(0, text.find_first_of(" \t")));
  text.remove_prefix(1);
  return std::string(text.substr(0, text.find(quote)));
}

std::string unquoted(std::string_view value) {
  value = facts::trim(value);
  const char quote = value.empty() ? '\0' : value[0];
  if (quote == '"' || quote == '\'') {
    value.remove_prefix(1);
    return std::string(value.substr(0, value.find(quote)));
  }
  return std::string(value.substr(0, value.find_first_of(" \t#")));
}

// As an option of some command: then the rules for options and URLs hold for it.
std::string without_secret(const std::string& word) {
  static constexpr std::string_view kCommand = "x --";
  const std::string shown = redact(Redaction::command, std::string(kCommand) + word);
  return shown.starts_with(kCommand) ? shown.substr(kCommand.size()) : shown;
}

class Reader {
 public:
  explicit Reader(const Root& root) : root_(root) {}

  CommandLines read() {
    for (const char* path : {"/boot/grub/grubenv", "/boot/grub2/grubenv"}) {
      if (const auto text = read_file(path)) read_assignments(*text, grubenv_);
    }
    for (const char* pattern :
         {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/efi/EFI/*/grub.cfg"}) {
      for (const std::string& path : facts::glob_paths(root_, pattern)) {
        const auto text = read_file(path);
        if (!text) continue;
        for (BootEntry& entry : parse_grub_entries(*text, grubenv_)) add(path, std::move(entry));
      }
    }
    for (const char* directory : {"/boot", "/boot/efi", "/efi"}) read_specification(directory);
    read_templates();
    return std::move(found_);
  }

 private:
  // Nothing where there is no such file; a gap where it cannot be read.
  std::optional<std::string> read_file(const std::string& path) {
    auto text = root_.read(path, kConfigBytesMax);
    if (text) return *std::move(text);
    if (text.error().code != Errc::not_found) found_.gaps.emplace_back(path, text.error());
    return {};
  }

  void add(const std::string& path, BootEntry entry) {
    found_.lines.push_back({"boot", path, std::move(entry.title), std::move(entry.command_line)});
  }

  void read_specification(const std::string& directory) {
    for (const std::string& path : facts::glob_paths(root_, directory + "/loader/entries/*.conf")) {
      if (const auto text = read_file(path)) add(path, parse_loader_entry(*text, grubenv_));
    }
    for (const std::string& path : facts::glob_paths(root_, directory + "/EFI/Linux/*.efi")) {
      auto text = read_image(path);
      if (!text) {
        found_.gaps.emplace_back(path, std::move(text).error());
      } else if (*text) {
        add(path, {"", **std::move(text)});
      }
    }
  }

  Result<std::optional<std::string>> read_image(const std::string& path) {
    const auto file = root_.open_file(path);
    if (!file) return file.error();
    return unified_kernel_command_line([&](std::uint64_t offset,
                                           std::size_t size) -> Result<std::string> {
      std::string bytes(size, '\0');
      const ssize_t count = ::pread(file->get(), bytes.data(), size, static_cast<off_t>(offset));
      if (count < 0) return errno_error("read " + path, errno);
      bytes.resize(static_cast<std::size_t>(count));
      return bytes;
    });
  }

  void read_templates() {
    Variables variables;
    auto files = facts::glob_paths(root_, "/etc/default/grub.d/*.cfg");
    files.insert(files.begin(), "/etc/default/grub");
    for (const std::string& path : files) {
      if (const auto text = read_file(path)) read_assignments(*text, variables);
    }
    for (const std::string name :
         {"GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT", "GRUB_CMDLINE_LINUX_RECOVERY"}) {
      const auto value = variables.find(name);
      if (value == variables.end()) continue;
      found_.lines.push_back({"template", "/etc/default/grub", name, value->second});
    }
    for (const char* path : {"/etc/kernel/cmdline", "/usr/lib/kernel/cmdline"}) {
      if (const auto text = read_file(path)) found_.lines.push_back({"template", path, "", *text});
    }
  }

  const Root& root_;
  Variables grubenv_;
  CommandLines found_;
};

}  // namespace

std::vector<KernelParameter> parse_command_line(std::string_view text) {
  std::vector<KernelParameter> parameters;
  std::size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && is_blank(text[at])) ++at;
    std::string word;
    bool is_quoted = false;
    for (; at < text.size() && (is_quoted || !is_blank(text[at])); ++at) {
      if (text[at] == '"') {
        is_quoted = !is_quoted;
      } else {
        word += text[at];
      }
    }
    if (word == "--") break;
    if (word.empty()) continue;
    const std::string shown = without_secret(word);
    const std::size_t equals = shown.find('=');
    KernelParameter parameter{shown.substr(0, equals), {}};
    if (equals != std::string::npos) parameter.value = shown.substr(equals + 1);
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

std::string with_variables(std::string_view text, const Variables& variables) {
  std::string out;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    out += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    const bool is_braced = text.size() > 1 && text[1] == '{';
    const std::size_t start = is_braced ? 2 : 1;
    std::size_t end = start;
    while (end < text.size() && is_name(text[end])) ++end;
    const auto known = variables.find(text.substr(start, end - start));
    const bool is_closed = !is_braced || (end < text.size() && text[end] == '}');
    const std::size_t size = std::max<std::size_t>(1, end + (is_braced && is_closed ? 1 : 0));
    out += known != variables.end() && is_closed ? std::string_view(known->second)
                                                 : text.substr(0, size);
    text.remove_prefix(std::min(size, text.size()));
  }
  return out;
}

void read_assignments(std::string_view text, Variables& variables) {
  facts::each_line(text, [&](std::string_view line, int) {
    if (line.starts_with("export ")) line = facts::trim(line.substr(7));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return;
    std::string_view name = line.substr(0, equals);
    const bool is_added = name.ends_with('+');
    if (is_added) name.remove_suffix(1);
    if (!std::all_of(name.begin(), name.end(), is_name)) return;
    std::string value = with_variables(unquoted(line.substr(equals + 1)), variables);
    if (is_added) value = variables[std::string(name)] + value;
    if (value.size() <= kValueBytesMax) variables[std::string(name)] = std::move(value);
  });
}

std::vector<BootEntry> parse_grub_entries(std::string_view text, Variables variables) {
  std::vector<BootEntry> entries;
  std::string title;
  facts::each_line(text, [&](std::string_view line, int) {
    const std::string_view command = facts::take_word(line);
    if (command == "menuentry") {
      title = first_title(line);
    } else if (command == "set") {
      read_assignments(line, variables);
    } else if (command == "linux" || command == "linux16" || command == "linuxefi") {
      facts::take_word(line);  // The kernel's image.
      entries.push_back({title, with_variables(facts::trim(line), variables)});
    }
  });
  return entries;
}

BootEntry parse_loader_entry(std::string_view text, const Variables& variables) {
  BootEntry entry;
  facts::each_line(text, [&](std::string_view line, int) {
    const std::string_view key = facts::take_word(line);
    if (key == "title") entry.title = facts::trim(line);
    if (key != "options") return;
    entry.command_line +=
        (entry.command_line.empty() ? "" : " ") + with_variables(facts::trim(line), variables);
  });
  return entry;
}

CommandLines read_boot_command_lines(const Root& root) {
  return Reader(root).read();
}

}  // namespace vouch::drift
