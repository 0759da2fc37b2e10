// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/command_line.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vouch::backup_jobs {
namespace {

constexpr int kNestingMax = 3;

using Words = std::vector<std::string>;

// What tells a tool's command line apart from the others'.
struct Syntax {
  std::string_view tool;
  std::string_view options_with_value;  // Each with a blank on both sides.
  // The tool's words for what we call backup, check and restore.
  std::string_view backup, check, restore;
};

constexpr Syntax kRestic = {
    "restic",
    " -r --repo --repository-file -p --password-file --password-command --key-hint --cacert "
    "--cache-dir --tls-client-cert -o --option --limit-upload --limit-download --compression "
    "--pack-size --retry-lock -e --exclude --exclude-file --exclude-if-present "
    "--exclude-larger-than --iexclude --iexclude-file --files-from --files-from-raw "
    "--files-from-verbatim -H --host --tag --time --parent --stdin-filename --read-concurrency "
    "--group-by -t --target -i --include --path --read-data-subset --keep-last --keep-within "
    "--keep-daily ",
    "backup", "check", "restore"};
constexpr Syntax kBorg = {
    "borg",
    " -e --exclude --exclude-from --exclude-if-present --pattern --patterns-from -C --compression "
    "--comment --timestamp -P --prefix -a --glob-archives --chunker-params --files-cache --umask "
    "--remote-path --rsh --lock-wait -c --checkpoint-interval --stdin-name --first --last "
    "--upload-ratelimit --upload-buffer --keep-within --keep-last -d --keep-daily -w "
    "--keep-weekly -m --keep-monthly -y --keep-yearly -H --keep-hourly --strip-components ",
    "create", "check", "extract"};
constexpr Syntax kPgbackrest = {"pgbackrest", " ", "backup", "verify", "restore"};
constexpr Syntax kRsnapshot = {"rsnapshot", " -c ", "", "", ""};
constexpr std::array<const Syntax*, 4> kTools = {&kRestic, &kBorg, &kPgbackrest, &kRsnapshot};

bool takes_value(const Syntax& syntax, std::string_view name) {
  return syntax.options_with_value.find(' ' + std::string(name) + ' ') != std::string_view::npos;
}

bool is_separator(std::string_view word) {
  return word == ";" || word == "&&" || word == "||" || word == "|" || word == "&";
}

bool is_shell(std::string_view word) {
  return word == "sh" || word == "bash" || word == "dash" || word.ends_with("/sh") ||
         word.ends_with("/bash") || word.ends_with("/dash");
}

const Syntax* tool_of(std::string_view word) {
  while (!word.empty() && std::string_view("@-:+!").find(word.front()) != word.npos) {
    word.remove_prefix(1);  // systemd's prefixes of ExecStart=.
  }
  word.remove_prefix(word.rfind('/') == word.npos ? 0 : word.rfind('/') + 1);
  for (const Syntax* syntax : kTools) {
    if (word == syntax->tool) return syntax;
  }
  return nullptr;
}

// One option with its value, wherever that stands.
struct OptionWord {
  std::string_view name;
  std::string value;
};

OptionWord read_option(const Syntax& syntax, const Words& words, std::size_t& i, std::size_t end) {
  OptionWord option{words[i], {}};
  if (const auto equals = option.name.find('='); equals != option.name.npos) {
    option.value = option.name.substr(equals + 1);
    option.name = option.name.substr(0, equals);
  } else if (takes_value(syntax, option.name) && i + 1 < end) {
    option.value = words[++i];
  } else if (option.name.size() > 2 && option.name[1] != '-' &&
             takes_value(syntax, option.name.substr(0, 2))) {
    option.value = option.name.substr(2);
    option.name = option.name.substr(0, 2);
  }
  return option;
}

void take_option(const OptionWord& option, ToolUse& use) {
  const auto& name = option.name;
  if (use.tool == "restic" && (name == "-r" || name == "--repo")) use.repository = option.value;
  if (use.tool == "restic" && (name == "-p" || name == "--password-file"))
    use.password_file = option.value;
  if (use.tool == "pgbackrest" && name == "--stanza") use.repository = option.value;
  if (use.tool == "pgbackrest" && name == "--config") use.config = option.value;
  if (use.tool == "rsnapshot" && name == "-c") use.config = option.value;
  if (name == "-e" || name == "--exclude" || name == "--iexclude")
    use.excludes.push_back(option.value);
}

// A word that is no option: the action, then an archive, then paths.
void take_word(const Syntax& syntax, const std::string& word, bool& has_archive, ToolUse& use) {
  if (use.action.empty()) {
    use.action = word == syntax.backup    ? "backup"
                 : word == syntax.check   ? "check"
                 : word == syntax.restore ? "restore"
                                          : word;
  } else if (&syntax == &kBorg && !has_archive) {
    has_archive = true;
    const auto repository = word.substr(0, word.find("::"));
    if (!repository.empty()) use.repository = repository;
  } else if (use.action == "backup") {
    use.paths.push_back(word);
  }
}

// rsnapshot has levels in place of actions; these are not levels.
bool is_level(std::string_view action) {
  return action != "sync" && action != "configtest" && action != "du" && action != "diff" &&
         action != "help" && action != "version_only";
}

// The words after the tool's name, up to the end of the command.
ToolUse read_use(const Syntax& syntax, const Words& words, std::size_t begin, std::size_t end,
                 const ToolEnvironment& environment) {
  ToolUse use;
  use.tool = syntax.tool;
  if (&syntax == &kRestic) {
    use.repository = environment.restic_repository;
    use.password_file = environment.restic_password_file;
  } else if (&syntax == &kBorg) {
    use.repository = environment.borg_repository;
    use.password_file = environment.borg_password_file;
  }
  bool has_archive = false;
  for (std::size_t i = begin; i < end; ++i) {
    if (!words[i].starts_with('-') || words[i] == "-") {
      take_word(syntax, words[i], has_archive, use);
    } else {
      take_option(read_option(syntax, words, i, end), use);
    }
  }
  if (&syntax == &kRsnapshot && is_level(use.action) && !use.action.empty()) use.action = "backup";
  return use;
}

void find_in_words(const Words& words, ToolEnvironment environment, std::vector<ToolUse>& uses,
                   int depth) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (const Syntax* syntax = tool_of(words[i])) {
      std::size_t end = i + 1;
      while (end < words.size() && !is_separator(words[end])) ++end;
      auto use = read_use(*syntax, words, i + 1, end, environment);
      if (!use.action.empty()) uses.push_back(std::move(use));
      i = end - 1;
    } else if (is_shell(words[i]) && i + 2 < words.size() && words[i + 1].starts_with('-') &&
               words[i + 1].ends_with('c') && depth < kNestingMax) {
      find_in_words(split_words(words[i + 2]), environment, uses, depth + 1);
      i += 2;
    } else {
      read_assignment(words[i], environment);
    }
  }
}

}  // namespace

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool is_open = false;
  const auto finish = [&] {
    if (is_open) words.push_back(std::exchange(word, {}));
    is_open = false;
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      finish();
    } else if (c == ';' || c == '|' || c == '&') {
      finish();
      const bool is_double = c != ';' && i + 1 < line.size() && line[i + 1] == c;
      words.emplace_back(is_double ? 2 : 1, c);
      if (is_double) ++i;
    } else if (c == '"' || c == '\'') {
      is_open = true;
      for (++i; i < line.size() && line[i] != c; ++i) {
        if (c == '"' && line[i] == '\\' && i + 1 < line.size()) ++i;
        word += line[i];
      }
    } else {
      is_open = true;
      if (c == '\\' && i + 1 < line.size()) ++i;
      word += line[i];
    }
  }
  finish();
  return words;
}

std::vector<ToolUse> find_tools(std::string_view line, const ToolEnvironment& environment) {
  std::vector<ToolUse> uses;
  find_in_words(split_words(line), environment, uses, 0);
  return uses;
}

bool mentions_tool(std::string_view text) {
  return std::any_of(kTools.begin(), kTools.end(),
                     [&](const Syntax* syntax) { return text.find(syntax->tool) != text.npos; });
}

void read_assignment(std::string_view assignment, ToolEnvironment& environment) {
  const auto equals = assignment.find('=');
  if (equals == assignment.npos) return;
  const auto name = assignment.substr(0, equals);
  const auto value = assignment.substr(equals + 1);
  if (name == "RESTIC_REPOSITORY") environment.restic_repository = value;
  if (name == "RESTIC_PASSWORD_FILE") environment.restic_password_file = value;
  if (name == "BORG_REPO") environment.borg_repository = value;
  if (name == "BORG_PASSCOMMAND") {
    const auto words = split_words(value);
    const bool is_file = words.size() == 2 && (words[0] == "cat" || words[0] == "/bin/cat") &&
                         words[1].starts_with('/');
    if (is_file) environment.borg_password_file = words[1];
  }
}

bool is_remote(std::string_view tool, std::string_view repository) {
  if (repository.starts_with("local:") || repository.starts_with('/')) return false;
  const auto scheme = repository.substr(0, repository.find(':'));
  if (scheme.size() == repository.size()) return false;
  constexpr std::array<std::string_view, 8> kRemote = {"sftp",  "rest", "s3",    "b2",
                                                       "azure", "gs",   "swift", "rclone"};
  const bool has_remote_scheme =
      tool == "borg" ? !repository.starts_with("file:")
                     : std::find(kRemote.begin(), kRemote.end(), scheme) != kRemote.end();
  if (!has_remote_scheme) return false;
  auto host = repository.substr(scheme.size() + 1);
  if (const auto slashes = host.find("://"); slashes != host.npos) host.remove_prefix(slashes + 3);
  if (tool == "borg") {
    host = repository;
    if (const auto slashes = host.find("://"); slashes != host.npos) {
      host.remove_prefix(slashes + 3);
    } else {
      host = host.substr(0, host.find(':'));
    }
  }
  host = host.substr(0, host.find('/'));
  if (const auto at = host.rfind('@'); at != host.npos) host.remove_prefix(at + 1);
  return !host.starts_with("localhost") && !host.starts_with("127.") && !host.starts_with("[::1]");
}

}  // namespace vouch::backup_jobs
