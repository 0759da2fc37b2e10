// SPDX-License-Identifier: Apache-2.0
#include "agent/ship/alert_lane.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/log.h"

namespace vouch::ship {
namespace {

constexpr std::int64_t kLookMs = 30'000;  // Even if nothing seems to happen.

}  // namespace

AlertLane::AlertLane(AlertCourier courier, std::string outbox)
    : courier_(std::move(courier)),
      outbox_(std::move(outbox)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { work(); }) {}

AlertLane::~AlertLane() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void AlertLane::work() {
  const Fd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  bool watched = false;
  for (;;) {
    // The directory may come after us.
    if (!watched) {
      watched = inotify_add_watch(inotify.get(), outbox_.c_str(),
                                  IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM) >= 0;
    }
    auto pass = courier_.pass();
    if (!pass) log::error(pass.error().message);
    idle_ = pass && pass->waiting == 0;
    const std::int64_t wait = pass ? pass->wait_ms.value_or(kLookMs) : kLookMs;
    std::array<struct pollfd, 2> polled{{{stop_.get(), POLLIN, 0}, {inotify.get(), POLLIN, 0}}};
    ::poll(polled.data(), polled.size(),
           static_cast<int>(std::clamp<std::int64_t>(wait, 1, kLookMs)));
    if (polled[0].revents != 0) return;
    std::array<char, 4096> events;
    while (::read(inotify.get(), events.data(), events.size()) > 0) {
    }
  }
}

}  // namespace vouch::ship
