// SPDX-License-Identifier: Apache-2.0
// vouch-ship: carries parcels to the store and receipts back, and alerts to their channels. It has
// the network and can read nothing else; it believes nothing and decides nothing. See
// vouch-ship(8).
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/ship/alert_lane.h"
#include "agent/ship/courier.h"
#include "agent/ship/curl_transport.h"
#include "agent/ship/store_file.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/random.h"

namespace vouch::ship {
namespace {

constexpr int kExitUsage = 64;     // sysexits(3)
constexpr int kExitTryAgain = 75;  // EX_TEMPFAIL
constexpr int kExitConfig = 78;
constexpr int kStayMs = 30'000;  // With --stay: how often receipts are looked after.
// Without it: how often it asks whether alerts are all delivered, longer each time.
constexpr std::int64_t kBusyMs = 20;
constexpr std::int64_t kBusyMsMax = 1000;

constexpr const char* kHelp =
    R"(usage: vouch-ship [--state DIR] [--runtime DIR] [--destination file:///DIR] [--alerts FILE]
                  [--once | --stay]

  --state DIR        the agent's state (default /var/lib/vouch): outbox/, store.json
  --runtime DIR      where receipts/ is (default /run/vouch)
  --destination URL  copy parcels to a directory instead of sending them to the store
  --alerts FILE      the rules of alerts (default /etc/vouch/alerts.yaml, if it is there)
  --once             one pass; exit 0, or 75 if something is left to be sent
  --stay             never exit; a service manager starts it when needed instead

Without --once or --stay it tries until everything is delivered, and exits. Without a store it
delivers alerts alone.
)";

struct Arguments {
  std::string state = "/var/lib/vouch";
  std::string runtime = "/run/vouch";
  std::string destination;
  std::string alerts;  // Empty: the default, if it is there.
  bool once = false;
  bool stay = false;
};

// Until something is put into the outbox, or the time is over.
void wait_for_parcel(int inotify, std::int64_t ms) {
  struct pollfd polled {
    inotify, POLLIN, 0
  };
  if (::poll(&polled, 1, static_cast<int>(ms)) <= 0) return;
  std::array<char, 4096> events;
  while (::read(inotify, events.data(), events.size()) > 0) {
  }
}

std::uint64_t random_number() {
  const std::string bytes = random_bytes(sizeof(std::uint64_t));
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

// Nothing if there is no rule file at the default place.
Result<std::optional<AlertCourier>> open_alerts(const Arguments& arguments, const Clock& clock) {
  const bool named = !arguments.alerts.empty();
  const std::string rules = named ? arguments.alerts : std::string(kDefaultAlertRules);
  if (!named && !file_exists(rules)) return std::optional<AlertCourier>();
  auto courier = AlertCourier::open(
      {arguments.state + "/outbox/alerts", arguments.runtime + "/receipts", rules}, clock);
  if (!courier) return std::move(courier).error();
  return std::optional(*std::move(courier));
}

int fail(const Error& error, int status) {
  log::error(error.message);
  return status;
}

// Either courier may be missing.
int ship_once(Courier* parcels, AlertCourier* alerts) {
  bool left = false;
  if (alerts != nullptr) {
    auto pass = alerts->pass();
    if (!pass) return fail(pass.error(), 1);
    left = pass->waiting > 0;
  }
  if (parcels != nullptr) {
    auto pass = parcels->pass();
    if (!pass) return fail(pass.error(), 1);
    if (pass->trouble) log::warn(pass->message);
    left = left || pass->trouble;
  }
  return left ? kExitTryAgain : 0;
}

int ship(Courier* parcels, const AlertLane* alerts, const Arguments& arguments) {
  const Fd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string outbox = arguments.state + "/outbox";
  inotify_add_watch(inotify.get(), outbox.c_str(), IN_MOVED_TO | IN_MOVED_FROM);
  std::int64_t busy_ms = kBusyMs;
  for (int failures = 0;;) {
    auto pass = parcels != nullptr ? parcels->pass() : Result<Pass>(Pass{});
    if (!pass) return fail(pass.error(), 1);
    if (pass->trouble) log::warn(pass->message);
    const bool busy = alerts != nullptr && !alerts->idle();
    if (!pass->trouble && !busy && !arguments.stay) return 0;
    failures = pass->trouble ? failures + 1 : 0;
    if (pass->trouble) {
      // New parcels do not shorten the wait: the store asked for it, or is not there.
      ::poll(nullptr, 0,
             static_cast<int>(backoff_ms(failures, pass->retry_after_s, random_number())));
    } else if (arguments.stay) {
      wait_for_parcel(inotify.get(), kStayMs);
    } else {
      wait_for_parcel(inotify.get(), busy_ms);
      busy_ms = std::min(2 * busy_ms, kBusyMsMax);
    }
  }
}

int ship_all(Courier* parcels, Result<std::optional<AlertCourier>> alerts,
             const Arguments& arguments) {
  // Rules that cannot be read keep no parcel back.
  const int status = alerts ? 0 : fail(alerts.error(), kExitConfig);
  AlertCourier* courier = alerts && *alerts ? &**alerts : nullptr;
  int done = 0;
  if (arguments.once) {
    done = ship_once(parcels, courier);
  } else if (courier != nullptr) {
    const AlertLane lane(std::move(*courier), arguments.state + "/outbox/alerts");
    done = ship(parcels, &lane, arguments);
  } else {
    done = ship(parcels, nullptr, arguments);
  }
  return done != 0 ? done : status;
}

int run(const Arguments& arguments) {
  const SystemClock clock;
  auto alerts = open_alerts(arguments, clock);
  const CourierPaths paths{arguments.state + "/outbox", arguments.runtime + "/receipts"};
  constexpr std::string_view kFile = "file://";
  if (!arguments.destination.empty()) {
    if (!arguments.destination.starts_with("file:///")) {
      log::error("--destination: expected file:///DIRECTORY");
      return kExitUsage;
    }
    auto courier = Courier::to_directory(paths, arguments.destination.substr(kFile.size()));
    if (!courier) return fail(courier.error(), 1);
    return ship_all(&*courier, std::move(alerts), arguments);
  }
  auto store = read_store_file(arguments.state);
  if (!store) {
    const bool only_alerts = store.error().code == Errc::not_found && alerts && *alerts;
    if (only_alerts) return ship_all(nullptr, std::move(alerts), arguments);
    return fail(store.error(), kExitConfig);
  }
  CurlTransport transport(*std::move(store));
  auto courier = Courier::to_store(paths, transport);
  if (!courier) return fail(courier.error(), 1);
  return ship_all(&*courier, std::move(alerts), arguments);
}

int parse_and_run(const std::vector<std::string_view>& words) {
  Arguments arguments;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto word = words[i];
    const bool has_value = i + 1 < words.size();
    if (word == "--once") {
      arguments.once = true;
    } else if (word == "--stay") {
      arguments.stay = true;
    } else if (word == "--state" && has_value) {
      arguments.state = words[++i];
    } else if (word == "--runtime" && has_value) {
      arguments.runtime = words[++i];
    } else if (word == "--destination" && has_value) {
      arguments.destination = words[++i];
    } else if (word == "--alerts" && has_value) {
      arguments.alerts = words[++i];
    } else if (word == "--help" || word == "-h") {
      std::fputs(kHelp, stdout);
      return 0;
    } else if (word == "--version") {
      std::puts("vouch-ship " VOUCH_VERSION);
      return 0;
    } else if (word == "--state" || word == "--runtime" || word == "--destination" ||
               word == "--alerts") {
      std::fprintf(stderr, "vouch-ship: %s needs a value\n", std::string(word).c_str());
      return kExitUsage;
    } else {
      std::fprintf(stderr, "vouch-ship: unknown argument %s\n%s", std::string(word).c_str(), kHelp);
      return kExitUsage;
    }
  }
  return run(arguments);
}

}  // namespace
}  // namespace vouch::ship

int main(int argc, char** argv) {
  try {
    return vouch::ship::parse_and_run({argv, argv + argc});
  } catch (const std::exception& exception) {
    vouch::log::error(exception.what());
    return 1;
  }
}
