// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/pam_settings.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/redact.h"

namespace vouch::access {
namespace {

constexpr std::string_view kSpace = " \t\r\f\v";

constexpr std::array<std::string_view, 13> kModules{
    "pam_unix.so",     "pam_pwquality.so", "pam_pwhistory.so", "pam_faillock.so",
    "pam_wheel.so",    "pam_cracklib.so",  "pam_passwdqc.so",  "pam_tally2.so",
    "pam_u2f.so",      "pam_access.so",    "pam_oath.so",      "pam_google_authenticator.so",
    "pam_faildelay.so"};

// Names of which libpam's own modules have harmless ones too: use_authtok, try_first_pass.
constexpr std::array<std::string_view, 8> kSecretNames{"pass", "pwd",  "secret", "token",
                                                       "pin",  "cred", "key",    "bindpw"};
// Their values are names of files, of types or numbers.
constexpr std::array<std::string_view, 3> kHarmless{"authtok_type", "keyfile", "min_pass_len"};

std::string_view trim(std::string_view text) {
  const std::size_t start = text.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kSpace) - start + 1);
}

std::optional<std::string> value_of(const PamEntry& entry, std::string_view name) {
  std::optional<std::string> value;
  for (const std::string& argument : entry.arguments) {
    const std::string_view view = argument;
    if (view.size() > name.size() && view.starts_with(name) && view[name.size()] == '=') {
      value = std::string(view.substr(name.size() + 1));
    }
  }
  return value;
}

// A word without what may be a secret: the value of a name that speaks of one, unless the module
// is known to name a file there.
std::string shown_word(std::string_view module_name, std::string_view argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return redact(Redaction::url, argument);
  const std::string_view name = argument.substr(0, equals);
  const bool is_file = module_name == "pam_google_authenticator.so" || module_name == "pam_oath.so";
  const auto is_in_name = [&](std::string_view word) {
    return name.find(word) != std::string_view::npos;
  };
  const bool is_harmless =
      is_file || std::find(kHarmless.begin(), kHarmless.end(), name) != kHarmless.end();
  if (!is_harmless && std::any_of(kSecretNames.begin(), kSecretNames.end(), is_in_name)) {
    return std::string(argument.substr(0, equals + 1)) + std::string(kRedacted);
  }
  return redact(Redaction::url, argument);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parse_pam_settings(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> settings;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line = trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const std::size_t end = std::min(line.find_first_of(" \t="), line.size());
    std::string_view value = trim(line.substr(end));
    if (value.starts_with('=')) value = trim(value.substr(1));
    settings.emplace_back(line.substr(0, end), value);
  }
  return settings;
}

bool has_pam_settings(std::string_view module_name) {
  return std::find(kModules.begin(), kModules.end(), module_name) != kModules.end();
}

std::vector<std::string> pam_setting_files(const PamEntry& entry) {
  const std::string_view name = pam_module_name(entry.module);
  if (name == "pam_pwquality.so") {
    return {"/etc/security/pwquality.conf.d/*.conf", "/etc/security/pwquality.conf"};
  }
  if (name == "pam_faillock.so") {
    return {value_of(entry, "conf").value_or("/etc/security/faillock.conf")};
  }
  if (name == "pam_pwhistory.so") {
    return {value_of(entry, "conf").value_or("/etc/security/pwhistory.conf")};
  }
  return {};
}

void apply_pam_arguments(const PamEntry& entry, PamSettings& settings) {
  for (const std::string& argument : entry.arguments) {
    const std::size_t equals = argument.find('=');
    std::string& value = settings[argument.substr(0, equals)].value;
    value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    settings[argument.substr(0, equals)].source = entry.source;
  }
}

std::string shown_pam_arguments(std::string_view module_name,
                                const std::vector<std::string>& arguments) {
  std::string shown;
  std::string command;
  for (const std::string& argument : arguments) {
    const bool has_space = argument.find_first_of(" \t") != std::string::npos;
    const std::string word = has_space ? "[" + argument + "]" : argument;
    // pam_exec and its like: from here on it is a command line.
    if (!command.empty() || argument.starts_with('/') || argument.starts_with('-')) {
      command += (command.empty() ? "" : " ") + word;
    } else {
      shown += (shown.empty() ? "" : " ") + shown_word(module_name, word);
    }
  }
  if (command.empty()) return shown;
  return shown + (shown.empty() ? "" : " ") + redact(Redaction::command, command);
}

std::string shown_pam_value(std::string_view module_name, const std::string& name,
                            const std::string& value) {
  const std::string shown = shown_word(module_name, name + "=" + value);
  return shown.starts_with(name + "=") ? shown.substr(name.size() + 1) : std::string(kRedacted);
}

}  // namespace vouch::access
