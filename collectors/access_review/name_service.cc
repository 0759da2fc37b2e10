// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/name_service.h"

#include <algorithm>
#include <array>

#include "core/process.h"

namespace vouch::access {
namespace {

constexpr std::size_t kAnswerBytesMax = 64 << 20;
constexpr int kSomeUnknown = 2;  // getent: one of the names is unknown.
constexpr std::size_t kNamesPerQuestion = 500;

bool is_number(const std::string& name) {
  return name.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

Getent::Getent(std::chrono::milliseconds time_left)
    : end_(std::chrono::steady_clock::now() + time_left) {}

Result<std::string> Getent::ask(std::vector<std::string> arguments) {
  Command command;
  command.argv = {"/usr/bin/getent", "--"};  // No name is an option.
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = default_environment();
  command.deadline =
      std::max(std::chrono::milliseconds(1), std::chrono::duration_cast<std::chrono::milliseconds>(
                                                 end_ - std::chrono::steady_clock::now()));
  command.output_bytes_max = kAnswerBytesMax;
  auto exit = run_process(command);
  if (!exit) return std::move(exit).error();
  if (exit->how == Exit::How::deadline) {
    return Error{Errc::timeout, "the name service did not answer in time"};
  }
  const bool has_answered =
      exit->how == Exit::How::exited &&
      (exit->code == 0 || (exit->code == kSomeUnknown && arguments.size() > 1));
  if (!has_answered) return Error{Errc::tool_failed, "getent did not list the accounts"};
  return std::move(exit->standard_output);
}

Result<std::string> Getent::list(const std::string& database) {
  return ask({database});
}

Result<std::string> Getent::find(const std::string& database,
                                 const std::vector<std::string>& names) {
  std::string found;
  std::vector<std::string> question = {database};
  const auto flush = [&]() -> Status {
    if (question.size() == 1) return Ok{};
    auto answer = ask(std::move(question));
    question = {database};
    if (!answer) return std::move(answer).error();
    found += *answer;
    return Ok{};
  };
  for (const std::string& name : names) {
    // A number would be looked up as an id.
    if (name.empty() || is_number(name)) continue;
    question.push_back(name);
    if (question.size() <= kNamesPerQuestion) continue;
    if (auto status = flush(); !status) return std::move(status).error();
  }
  if (auto status = flush(); !status) return std::move(status).error();
  return found;
}

std::vector<std::string> remote_sources(std::string_view nsswitch, std::string_view database) {
  static constexpr std::array<std::string_view, 6> kLocal{"files",      "compat", "systemd",
                                                          "myhostname", "db",     "altfiles"};
  std::vector<std::string> sources;
  while (!nsswitch.empty()) {
    std::string_view line = nsswitch.substr(0, nsswitch.find('\n'));
    nsswitch.remove_prefix(std::min(nsswitch.size(), line.size() + 1));
    line = line.substr(0, line.find('#'));
    const std::size_t start = line.find_first_not_of(" \t");
    const std::size_t colon = line.find(':');
    if (start == std::string_view::npos || colon == std::string_view::npos) continue;
    if (line.substr(start, colon - start) != database) continue;
    line.remove_prefix(colon + 1);
    bool in_action = false;  // "[NOTFOUND=return]"
    while (!line.empty()) {
      const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
      const std::string_view word = line.substr(0, end);
      line.remove_prefix(std::min(line.size(), end + 1));
      if (word.starts_with('[')) in_action = true;
      const bool is_source = !word.empty() && !in_action;
      if (word.ends_with(']')) in_action = false;
      if (is_source && std::find(kLocal.begin(), kLocal.end(), word) == kLocal.end()) {
        sources.emplace_back(word);
      }
    }
  }
  return sources;
}

}  // namespace vouch::access
