// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/command_line.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vouch::backup_jobs {
namespace {

constexpr int kNestingMax = 3;

// Options of restic that take the next word as their value.
constexpr std::array<std::string_view, 44> kOptionsWithValue = {"-r",
                                                                "--repo",
                                                                "--repository-file",
                                                                "-p",
                                                                "--password-file",
                                                                "--password-command",
                                                                "--key-hint",
                                                                "--cacert",
                                                                "--cache-dir",
                                                                "--tls-client-cert",
                                                                "-o",
                                                                "--option",
                                                                "--limit-upload",
                                                                "--limit-download",
                                                                "--compression",
                                                                "--pack-size",
                                                                "--retry-lock",
                                                                "-e",
                                                                "--exclude",
                                                                "--exclude-file",
                                                                "--exclude-if-present",
                                                                "--exclude-larger-than",
                                                                "--iexclude",
                                                                "--iexclude-file",
                                                                "--files-from",
                                                                "--files-from-raw",
                                                                "--files-from-verbatim",
                                                                "-H",
                                                                "--host",
                                                                "--tag",
                                                                "--time",
                                                                "--parent",
                                                                "--stdin-filename",
                                                                "--read-concurrency",
                                                                "--group-by",
                                                                "-t",
                                                                "--target",
                                                                "-i",
                                                                "--include",
                                                                "--path",
                                                                "--read-data-subset",
                                                                "--keep-last",
                                                                "--keep-within",
                                                                "--keep-daily"};

bool is_separator(std::string_view word) {
  return word == ";" || word == "&&" || word == "||" || word == "|" || word == "&";
}

bool is_shell(std::string_view word) {
  return word == "sh" || word == "bash" || word == "dash" || word.ends_with("/sh") ||
         word.ends_with("/bash") || word.ends_with("/dash");
}

bool is_restic(std::string_view word) {
  while (!word.empty() && std::string_view("@-:+!").find(word.front()) != word.npos) {
    word.remove_prefix(1);  // systemd's prefixes of ExecStart=.
  }
  return word == "restic" || word.ends_with("/restic");
}

// The words after `restic`, up to the end of the command.
ResticUse read_use(const std::vector<std::string>& words, std::size_t begin, std::size_t end,
                   const ResticEnvironment& environment) {
  ResticUse use{{}, environment.repository, environment.password_file, {}};
  for (std::size_t i = begin; i < end; ++i) {
    const std::string& word = words[i];
    if (!word.starts_with('-') || word == "-") {
      if (use.action.empty()) {
        use.action = word;
      } else if (use.action == "backup") {
        use.paths.push_back(word);
      }
      continue;
    }
    auto name = std::string_view(word);
    std::string value;
    if (const auto equals = name.find('='); equals != name.npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (std::find(kOptionsWithValue.begin(), kOptionsWithValue.end(), name) !=
                   kOptionsWithValue.end() &&
               i + 1 < end) {
      value = words[++i];
    } else if (name.size() > 2 && (name.starts_with("-r") || name.starts_with("-p"))) {
      value = name.substr(2);
      name = name.substr(0, 2);
    }
    if (name == "-r" || name == "--repo") use.repository = value;
    if (name == "-p" || name == "--password-file") use.password_file = value;
  }
  return use;
}

void find_in_words(const std::vector<std::string>& words, ResticEnvironment environment,
                   std::vector<ResticUse>& uses, int depth) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (is_restic(words[i])) {
      std::size_t end = i + 1;
      while (end < words.size() && !is_separator(words[end])) ++end;
      auto use = read_use(words, i + 1, end, environment);
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

std::vector<ResticUse> find_restic(std::string_view line, const ResticEnvironment& environment) {
  std::vector<ResticUse> uses;
  find_in_words(split_words(line), environment, uses, 0);
  return uses;
}

void read_assignment(std::string_view assignment, ResticEnvironment& environment) {
  const auto equals = assignment.find('=');
  if (equals == assignment.npos) return;
  const auto name = assignment.substr(0, equals);
  const auto value = assignment.substr(equals + 1);
  if (name == "RESTIC_REPOSITORY") environment.repository = value;
  if (name == "RESTIC_PASSWORD_FILE") environment.password_file = value;
}

bool is_remote(std::string_view repository) {
  if (repository.starts_with("local:")) return false;
  const auto scheme = repository.substr(0, repository.find(':'));
  constexpr std::array<std::string_view, 8> kRemote = {"sftp",  "rest", "s3",    "b2",
                                                       "azure", "gs",   "swift", "rclone"};
  if (scheme.size() == repository.size() ||
      std::find(kRemote.begin(), kRemote.end(), scheme) == kRemote.end()) {
    return false;
  }
  auto host = repository.substr(scheme.size() + 1);
  if (const auto slashes = host.find("://"); slashes != host.npos) host.remove_prefix(slashes + 3);
  host = host.substr(0, host.find('/'));
  if (const auto at = host.rfind('@'); at != host.npos) host.remove_prefix(at + 1);
  return !host.starts_with("localhost") && !host.starts_with("127.") && !host.starts_with("[::1]");
}

}  // namespace vouch::backup_jobs
