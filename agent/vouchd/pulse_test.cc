// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/pulse.h"

#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

// Looks at the pulse while it runs.
class LookingRunner final : public Runner {
 public:
  explicit LookingRunner(Pulse& pulse) : pulse_(pulse) {}
  RunReport run(const Collector& /*collector*/, const RunRequest& /*request*/) override {
    beats = pulse_.beats();
    return {};
  }
  Result<std::string> describe(const std::string& /*name*/, const std::string& /*program*/,
                               const std::string& /*input*/) override {
    beats = pulse_.beats();
    return std::string();
  }
  void cancel() override {}
  bool beats = false;

 private:
  Pulse& pulse_;
};

}  // namespace

TEST_CASE("a promise that was not kept ends the pulse", "[pulse]") {
  Pulse pulse;
  CHECK(pulse.beats());
  pulse.promise(std::chrono::milliseconds(-1));
  CHECK_FALSE(pulse.beats());
}

TEST_CASE("a run has its own deadline, and time to be judged after it", "[pulse]") {
  Pulse pulse;
  LookingRunner looking(pulse);
  PulsedRunner runner(looking, pulse);
  pulse.promise(std::chrono::milliseconds(-1));
  RunRequest request;
  request.deadline_ms = 3'600'000;

  [[maybe_unused]] const auto report = runner.run(Collector{}, request);

  CHECK(looking.beats);
  CHECK(pulse.beats());
}

}  // namespace vouch::agent
