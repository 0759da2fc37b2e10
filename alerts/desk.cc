// SPDX-License-Identifier: Apache-2.0
#include "alerts/desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "alerts/elapsed.h"
#include "core/file.h"
#include "core/log.h"
#include "core/owner.h"

namespace vouch::alerts {
namespace {

constexpr std::size_t kFilesMax = 100'000;
constexpr std::int64_t kPruneSeconds = 3600;
constexpr mode_t kSharedFile = 0640;  // The courier reads it.
constexpr mode_t kSharedDirectory = 0750;

std::string file_name(std::int64_t n, std::string_view suffix) {
  return fmt::format("{:010}{}", n, suffix);
}

}  // namespace

Result<Desk> Desk::open(sqlite::Database& database, Transaction transaction, const Clock& clock,
                        Rules rules, Sender sender, DeskPlaces places) {
  auto ledger = Ledger::open(database);
  if (!ledger) return std::move(ledger).error();
  for (const char* name : {"/alerts", "/tmp"}) {
    if (auto made = make_directories(places.outbox + name, kSharedDirectory); !made) {
      return std::move(made).error();
    }
  }
  return Desk(std::move(transaction), clock, *std::move(ledger), std::move(rules),
              std::move(sender), std::move(places));
}

Result<bool> Desk::refresh() {
  auto stored = ledger_.generation();
  if (!stored) return std::move(stored).error();
  if (*stored == generation_) return false;
  memory_ = State();
  if (auto loaded = ledger_.load(memory_); !loaded) {
    if (loaded.error().code != Errc::corrupt) return std::move(loaded).error();
    // What fires is told again: better than silence.
    log::error(loaded.error().message + "; alerts begin anew");
    memory_ = State();
  }
  generation_ = *stored;
  return true;
}

Result<Desk::Said> Desk::advance(const std::vector<Report>& reports) {
  if (auto fresh = refresh(); !fresh) return std::move(fresh).error();
  auto waiting = ledger_.count_waiting();
  if (!waiting) return std::move(waiting).error();
  const WallMs now = clock_->wall_ms();
  const std::int64_t room = std::max<std::int64_t>(kAlertsWaitingMax - *waiting, 0);
  Said said;
  said.alerts =
      alerts::advance(rules_, sender_, memory_, reports, {now, static_cast<std::size_t>(room)});
  said.changes = memory_.take_changes();
  wake_ = alerts::next_wake(rules_, memory_, now);
  return said;
}

Status Desk::store(const Said& said) {
  if (said.changes.empty() && said.alerts.empty()) return Ok{};
  Status done = ledger_.save(said.changes, ++generation_);
  for (const Alert& alert : said.alerts) {
    if (done) done = ledger_.add(alert);
  }
  return done;
}

Status Desk::report(const std::vector<Report>& reports) {
  auto said = advance(reports);
  Status done = said ? store(*said) : Status(said.error());
  if (!done) generation_ = -1;
  return done;
}

Status Desk::step(const std::vector<Report>& reports) {
  auto said = advance(reports);
  if (!said) return std::move(said).error();
  // Mostly there is nothing: then nothing is written.
  if (said->changes.empty() && said->alerts.empty()) return Ok{};
  auto done = transaction_([&] { return store(*said); });
  if (!done) generation_ = -1;
  return done;
}

Status Desk::sweep() {
  // The next tend() writes every file that is missing.
  written_ = 0;
  auto waiting = ledger_.waiting();
  if (!waiting) return std::move(waiting).error();
  std::set<std::string> wanted;
  for (const AlertOnRecord& each : *waiting) wanted.insert(file_name(each.n, ".json"));
  const std::string directory = places_.outbox + "/alerts";
  auto files = list_directory(directory, kFilesMax);
  if (!files) return std::move(files).error();
  for (const std::string& name : *files) {
    if (wanted.contains(name)) continue;
    auto removed = remove_file(directory + "/" + name);
    if (!removed) return removed;
  }
  return Ok{};
}

std::string Desk::path_of(std::int64_t n) const {
  return places_.outbox + "/alerts/" + file_name(n, ".json");
}

Status Desk::tend() {
  auto waiting = ledger_.waiting();
  if (!waiting) return std::move(waiting).error();
  for (const AlertOnRecord& each : *waiting) {
    if (auto written = write_file(each); !written) return written;
    auto sent = take_answer(each);
    if (!sent) return std::move(sent).error();
    if (*sent) continue;
    if (auto dropped = drop_if_old(each); !dropped) return dropped;
  }
  const WallMs now = clock_->wall_ms();
  if (!elapsed(now, pruned_, kPruneSeconds)) return Ok{};
  pruned_ = now;
  return transaction_([&] { return ledger_.prune(now); });
}

Status Desk::write_file(const AlertOnRecord& waiting) {
  if (waiting.n <= written_) return Ok{};
  if (!file_exists(path_of(waiting.n))) {
    auto text = ledger_.text(waiting.n);
    if (!text) return std::move(text).error();
    auto written =
        write_file_durable_via(places_.outbox + "/tmp", path_of(waiting.n), *text, kSharedFile);
    if (!written) return written;
  }
  written_ = waiting.n;
  return Ok{};
}

Result<bool> Desk::take_answer(const AlertOnRecord& waiting) {
  const auto text = read_untrusted(places_.answers + "/" + file_name(waiting.n, ".alert.json"),
                                   places_.courier, kAnswerBytesMax);
  if (!text) return false;
  const auto answer = parse_answer(*text);
  if (!answer || answer->n != waiting.n) return false;
  if (!answer->sent && waiting.failed == *answer->failed && waiting.message == answer->message) {
    return false;
  }
  auto done = transaction_([&]() -> Status {
    if (answer->sent) return ledger_.set_sent(waiting.n, *answer->sent);
    return ledger_.set_failed(waiting.n, *answer->failed, answer->message);
  });
  if (!done) return std::move(done).error();
  if (!answer->sent) return false;
  if (auto removed = remove_file(path_of(waiting.n)); !removed) return std::move(removed).error();
  return true;
}

Status Desk::drop_if_old(const AlertOnRecord& waiting) {
  const WallMs now = clock_->wall_ms();
  if (now - waiting.made < rules_.give_up_s * 1000) return Ok{};
  log::error("alert " + std::to_string(waiting.n) + " to " + waiting.channel +
             " could not be delivered and is given up: " + waiting.message);
  auto done = transaction_([&] { return ledger_.set_dropped(waiting.n); });
  if (!done) return done;
  return remove_file(path_of(waiting.n));
}

Result<std::int64_t> Desk::send_test(std::string_view channel) {
  if (rules_.find_channel(channel) == nullptr) {
    return Error{Errc::not_found, "no channel " + std::string(channel) + " in the rules of alerts"};
  }
  const WallMs now = clock_->wall_ms();
  std::int64_t n = 0;
  auto done = transaction_([&]() -> Status {
    auto added = ledger_.add(make_test(std::string(channel), sender_, now));
    if (!added) return added;
    auto latest = ledger_.latest(1);
    if (!latest) return std::move(latest).error();
    n = latest->front().n;
    return Ok{};
  });
  if (!done) return std::move(done).error();
  if (auto tended = tend(); !tended) return std::move(tended).error();
  return n;
}

}  // namespace vouch::alerts
