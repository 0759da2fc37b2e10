// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/login_journal.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "collectors/facts/lines.h"
#include "core/json.h"
#include "core/process.h"

namespace vouch::access {
namespace {

constexpr const char* kProgram = "/usr/bin/journalctl";
// systemd's catalogue: "a new session has been created".
constexpr const char* kSessionStart = "MESSAGE_ID=8d45620c1a4348dbb17410da57c60c66";
constexpr const char* kLogind = "_SYSTEMD_UNIT=systemd-logind.service";
constexpr std::size_t kSessionsMax = 20'000;
constexpr std::size_t kMachineIdBytesMax = 4096;
constexpr std::size_t kLineBytesMax = 64 << 10;
constexpr std::chrono::seconds kDeadline{20};
constexpr std::int64_t kMicroseconds = 1'000'000;

// Takes the answer as it comes: no more than a line of it is kept.
class Lines {
 public:
  bool take(std::string_view piece) {
    rest_.append(piece);
    std::size_t start = 0;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos;
         end = rest_.find('\n', start)) {
      if (!take_line(std::string_view(rest_).substr(start, end - start))) return false;
      start = end + 1;
    }
    rest_.erase(0, start);
    if (rest_.size() <= kLineBytesMax) return true;
    failure_ = Error{Errc::too_large, "journalctl's answer has a line over 64 KiB"};
    return false;
  }

  Result<JournalLogins> finish() && {
    if (failure_) return *failure_;
    logins_.is_cut = count_ >= kSessionsMax;
    return std::move(logins_);
  }

 private:
  bool take_line(std::string_view line) {
    ++count_;
    auto login = parse_session_line(line);
    if (!login) {
      failure_ = std::move(login).error();
      return false;
    }
    if (!*login) return true;
    std::int64_t& newest = logins_.newest[(*login)->user];
    newest = std::max(newest, (*login)->at);
    return true;
  }

  std::string rest_;
  std::size_t count_ = 0;
  JournalLogins logins_;
  std::optional<Error> failure_;
};

// journalctl says nothing and succeeds where it may not read the journal, or where there is only
// that of another machine.
Status find_journal(const Root& root) {
  Error reason{Errc::not_found,
               "this host keeps no wtmp, lastlog, wtmpdb, lastlog2 or journal of the system"};
  const auto id = root.read("/etc/machine-id", kMachineIdBytesMax);
  if (!id) return id.error().code == Errc::not_found ? reason : id.error();
  const std::string name(facts::trim(id->substr(0, id->find('\n'))));
  for (const char* directory : {"/var/log/journal/", "/run/log/journal/"}) {
    const auto file = root.open_file(directory + name + "/system.journal");
    if (file) return Ok{};
    if (file.error().code != Errc::not_found) reason = file.error();
  }
  return reason;
}

}  // namespace

Result<std::optional<JournalLogin>> parse_session_line(std::string_view line) {
  const auto value = json::parse_foreign(line);
  if (!value) return Error(value.error()).in("journalctl's answer");
  const auto user = json::get_string(*value, "USER_ID");
  const auto time = json::get_string(*value, "__REALTIME_TIMESTAMP");
  if (!user || !time) return Error{Errc::invalid, "journalctl's answer: no session"};
  std::int64_t microseconds = 0;
  const char* end = time->data() + time->size();
  const auto parsed = std::from_chars(time->data(), end, microseconds);
  if (parsed.ec != std::errc() || parsed.ptr != end || microseconds < 0) {
    return Error{Errc::invalid, "journalctl's answer: no time"};
  }
  // From version 256 on: "New session '3' of user 'ann' with class 'manager' and type …".
  const std::string message = json::get_string(*value, "MESSAGE").value_or("");
  for (const char* kind : {"class 'manager", "class 'background"}) {
    if (message.find(kind) != std::string::npos) return std::optional<JournalLogin>{};
  }
  return std::optional(JournalLogin{*user, microseconds / kMicroseconds});
}

Result<JournalLogins> read_journal_logins(const sdk::Context& context) {
  if (!context.is_host()) {
    return Error{Errc::unsupported, "no tool is run for an image: its journal is not read"};
  }
  if (!context.root().exists(kProgram)) {
    return Error{Errc::not_found, std::string(kProgram) + " is not there"};
  }
  if (const Status found = find_journal(context.root()); !found) return found.error();
  Command command;
  command.argv = {kProgram,
                  "--output=json",
                  "--output-fields=USER_ID,MESSAGE",
                  "--quiet",
                  "--no-pager",
                  "--reverse",
                  "--since=-400d",
                  "--lines=" + std::to_string(kSessionsMax),
                  kSessionStart,
                  kLogind};
  command.environment = default_environment();
  command.deadline = std::min<std::chrono::milliseconds>(context.remaining(), kDeadline);
  Lines lines;
  const auto exit = run_process(std::move(command),
                                [&lines](std::string_view piece) { return lines.take(piece); });
  if (!exit) return exit.error();
  auto logins = std::move(lines).finish();
  if (!logins) return logins;
  if (exit->how == Exit::How::deadline) {
    return Error{Errc::timeout, "journalctl did not answer in time"};
  }
  // Without an entry journalctl says nothing, but its status is 1.
  const bool is_empty = exit->how == Exit::How::exited && exit->code == 1 &&
                        exit->standard_error.empty() && logins->newest.empty();
  if (!is_empty && (exit->how != Exit::How::exited || exit->code != 0)) {
    return Error{Errc::tool_failed, "journalctl did not answer"};
  }
  return logins;
}

}  // namespace vouch::access
