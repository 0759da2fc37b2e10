// SPDX-License-Identifier: Apache-2.0
#include "agent/ship/alert_courier.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "agent/ship/courier.h"
#include "core/file.h"
#include "core/log.h"
#include "core/random.h"

namespace vouch::ship {
namespace {

constexpr std::size_t kFilesMax = 100'000;
constexpr std::size_t kDigits = 10;
constexpr std::int64_t kWaitMsMin = 500;  // No second try in the same moment.
constexpr std::int64_t kWaitMsMax = 300'000;
constexpr std::string_view kAlertSuffix = ".json";
constexpr std::string_view kAnswerSuffix = ".alert.json";

std::string number_name(std::int64_t n) {
  return fmt::format("{:010}", n);
}

// The number of "<n, 10 digits><suffix>"; nothing for another name.
std::optional<std::int64_t> number_of(std::string_view name, std::string_view suffix) {
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  std::int64_t n = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + kDigits, n);
  if (parsed.ec != std::errc{} || parsed.ptr != name.data() + kDigits) return std::nullopt;
  return n;
}

Result<std::vector<std::int64_t>> list_numbers(const std::string& directory,
                                               std::string_view suffix) {
  auto names = list_directory(directory, kFilesMax);
  if (!names && names.error().code == Errc::not_found) return std::vector<std::int64_t>();
  if (!names) return std::move(names).error();
  std::vector<std::int64_t> numbers;
  for (const std::string& name : *names) {
    if (const auto n = number_of(name, suffix)) numbers.push_back(*n);
  }
  return numbers;  // Sorted, since the names are.
}

// Changes whenever the file is replaced or written.
std::string stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "";
  return fmt::format("{} {} {} {}.{}", status.st_dev, status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

std::uint64_t random_number() {
  const std::string bytes = random_bytes(sizeof(std::uint64_t));
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

}  // namespace

Result<AlertCourier> AlertCourier::open(AlertPaths paths, const Clock& clock, MakeChannel make) {
  AlertCourier courier(std::move(paths), clock, std::move(make));
  if (auto read = courier.read_rules(); !read) return std::move(read).error();
  if (auto made = make_directories(courier.paths_.receipts + "/tmp", 0750); !made) {
    return std::move(made).error();
  }
  return courier;
}

Status AlertCourier::read_rules() {
  rules_stamp_ = stamp_of(paths_.rules);
  if (auto trusted = require_trusted_path(paths_.rules, geteuid()); !trusted) return trusted;
  auto text = read_file(paths_.rules, alerts::kRulesBytesMax);
  if (!text) return std::move(text).error();
  auto rules = alerts::parse_rules(*text, paths_.rules);
  if (!rules) return std::move(rules).error();
  rules_ = *std::move(rules);
  lanes_.clear();
  return Ok{};
}

void AlertCourier::reread_rules() {
  if (stamp_of(paths_.rules) == rules_stamp_) return;
  if (auto read = read_rules(); !read) log::error(read.error().message + "; the old rules stay");
}

std::string AlertCourier::answer_path(std::int64_t n) const {
  return paths_.receipts + "/" + number_name(n) + std::string(kAnswerSuffix);
}

Status AlertCourier::answer(const alerts::Answer& answer) {
  return write_file_durable_via(paths_.receipts + "/tmp", answer_path(answer.n),
                                alerts::write_answer(answer), 0640);
}

// `numbers` are those of alerts that are there.
Status AlertCourier::tidy(const std::vector<std::int64_t>& numbers) {
  auto answers = list_numbers(paths_.receipts, kAnswerSuffix);
  if (!answers) return std::move(answers).error();
  for (const std::int64_t n : *answers) {
    if (std::binary_search(numbers.begin(), numbers.end(), n)) continue;
    if (auto removed = remove_file(answer_path(n)); !removed) return removed;
  }
  const auto gone = [&](std::int64_t n) {
    return !std::binary_search(numbers.begin(), numbers.end(), n);
  };
  std::erase_if(sent_, gone);
  std::erase_if(channel_of_, [&](const auto& each) { return gone(each.first); });
  return Ok{};
}

// Also by an earlier process, whose answer vouchd has not taken yet.
bool AlertCourier::is_sent(std::int64_t n) {
  if (sent_.contains(n)) return true;
  if (channel_of_.contains(n)) return false;
  const auto text = read_file(answer_path(n), alerts::kAnswerBytesMax);
  if (!text) return false;
  const auto answer = alerts::parse_answer(*text);
  const bool sent = answer && answer->n == n && answer->sent.has_value();
  if (sent) sent_.insert(n);
  return sent;
}

AlertCourier::Lane& AlertCourier::lane_of(const std::string& channel) {
  const auto found = lanes_.find(channel);
  if (found != lanes_.end()) return found->second;
  Lane& lane = lanes_[channel];
  if (const auto* spec = rules_.find_channel(channel)) lane.channel = make_(*spec);
  return lane;
}

alerts::Delivery AlertCourier::try_channel(Lane& lane, const alerts::Alert& alert) {
  alerts::Delivery delivery = lane.channel
                                  ? lane.channel->deliver(alert, clock_->wall_ms())
                                  : alerts::Delivery::failed("no such channel in " + paths_.rules);
  if (delivery.delivered) {
    lane.failures = 0;
    return delivery;
  }
  const auto wait = backoff_ms(lane.failures++, delivery.retry_after_s, random_number());
  const auto asked = delivery.retry_after_s.value_or(0) * 1000;
  lane.next_try_us =
      clock_->monotonic_us() + std::max(std::clamp(wait, kWaitMsMin, kWaitMsMax), asked) * 1000;
  return delivery;
}

Status AlertCourier::deliver(std::int64_t n, AlertPass& pass) {
  const auto known = channel_of_.find(n);
  const std::int64_t now_us = clock_->monotonic_us();
  ++pass.waiting;
  // Its channel rests: the file need not be read.
  if (known != channel_of_.end() && lane_of(known->second).next_try_us > now_us) return Ok{};

  const std::string path = paths_.outbox + "/" + number_name(n) + std::string(kAlertSuffix);
  auto text = read_file(path, alerts::kAlertBytesMax);
  if (!text && text.error().code == Errc::not_found) return Ok{};  // Just now taken back.
  auto alert = text ? alerts::parse_alert(*text) : Result<alerts::Alert>(text.error());
  const std::string channel = alert ? alert->channel : "";
  channel_of_[n] = channel;
  Lane& lane = lane_of(channel);
  if (lane.next_try_us > now_us) return Ok{};
  if (!alert) lane.next_try_us = now_us + kWaitMsMax * 1000;
  const auto delivery =
      alert ? try_channel(lane, *alert) : alerts::Delivery::failed(alert.error().message);
  const WallMs now = clock_->wall_ms();
  if (delivery.delivered) {
    --pass.waiting;
    sent_.insert(n);
    return answer({n, now, std::nullopt, ""});
  }
  log::warn(fmt::format("alert {} to {}: {}", n, channel, delivery.message),
            {{"event", "alert-not-delivered"}, {"channel", channel}});
  return answer({n, std::nullopt, now, delivery.message});
}

Result<AlertPass> AlertCourier::pass() {
  reread_rules();
  auto numbers = list_numbers(paths_.outbox, kAlertSuffix);
  if (!numbers) return std::move(numbers).error();
  if (auto tidied = tidy(*numbers); !tidied) return std::move(tidied).error();
  AlertPass pass;
  for (const std::int64_t n : *numbers) {
    if (is_sent(n)) continue;
    if (auto done = deliver(n, pass); !done) return std::move(done).error();
  }
  const std::int64_t now_us = clock_->monotonic_us();
  for (const auto& [n, channel] : channel_of_) {
    if (sent_.contains(n)) continue;
    const auto ms = std::max<std::int64_t>((lane_of(channel).next_try_us - now_us + 999) / 1000, 0);
    pass.wait_ms = std::min(pass.wait_ms.value_or(ms), ms);
  }
  return pass;
}

}  // namespace vouch::ship
