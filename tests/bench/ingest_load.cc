// SPDX-License-Identifier: Apache-2.0
// How many signed bundles a store takes per second: makes agents with valid chains in advance,
// enrols them, then posts over TLS connections that are kept alive, and prints one JSON object.
//
//   vouch-bench-ingest --ca PEM --join FILE --host HOST --port N
//                      [--agents 64] [--bundles 100] [--connections 32] [--rate N]
//
// Each connection has agents of its own and waits for each receipt: the load is closed, as a
// fleet's is. With --rate it sends at most so many per second, to see the latency at half load.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/file.h"
#include "proto/enrolment.h"
#include "proto/join_string.h"
#include "store/arguments.h"
#include "store/test_agent.h"
#include "tests/bench/tls_client.h"

namespace vouch::store {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kPaddingRecords = 4;  // Makes the envelope of a bundle about 2 KB.

struct Load {
  std::vector<std::vector<std::string>> parcels;  // Per agent, in order.
  std::size_t envelope_bytes = 0;
};

struct Plan {
  std::string host;
  std::uint16_t port = 0;
  std::string ca_path;
  std::size_t agents = 64;
  std::size_t bundles = 100;
  std::size_t connections = 32;
  double rate = 0;  // Per second, over all connections; 0: as fast as it goes.
};

struct Outcome {
  std::vector<double> latencies_ms;
  std::string failure;
};

// Enrols the agent, so that its first bundle can name the enrolment that the log holds.
Status enrol(TlsClient& client, const JoinString& join, TestAgent& agent) {
  const auto text = agent.enrolment_request(join);
  const auto request = enrolment::parse_request(text);
  if (!request) return request.error();
  const auto answer = client.post("/v1/enroll", "application/json", text);
  if (!answer) return answer.error();
  if (answer->status != 201) return Error{Errc::other, answer->body};
  const auto response = enrolment::parse_response(answer->body);
  if (!response) return response.error();
  const auto enrolled = enrolment::check_response(*response, join, *request);
  if (!enrolled) return enrolled.error();
  agent.set_enrolment({static_cast<std::int64_t>(enrolled->receipt.index), request->statement});
  return Ok{};
}

Result<Load> make_load(const Plan& plan, const JoinString& join) {
  Load load;
  const WallMs now = SystemClock().wall_ms();
  const auto client = TlsClient::connect(plan.host, plan.port, plan.ca_path);
  if (!client) return client.error();
  for (std::size_t i = 0; i < plan.agents; ++i) {
    TestAgent agent(now);
    agent.set_padding(kPaddingRecords);
    if (auto done = enrol(**client, join, agent); !done) return std::move(done).error();
    std::vector<std::string> parcels;
    for (std::size_t j = 0; j <= plan.bundles; ++j) {
      auto sealed = agent.seal();
      load.envelope_bytes = sealed.envelope.size();
      parcels.push_back(std::move(sealed.parcel));
    }
    load.parcels.push_back(std::move(parcels));
  }
  return load;
}

std::string post(TlsClient& client, const std::string& parcel) {
  const auto answer = client.post("/v1/parcels", "application/vnd.vouch.parcel+zstd", parcel);
  if (!answer) return answer.error().message;
  if (answer->status != 201)
    return "status " + std::to_string(answer->status) + ": " + answer->body;
  return "";
}

// Sends the first bundles of the agents of connection `number`; then waits for the start.
void run_connection(const Plan& plan, const Load& load, std::size_t number,
                    std::atomic<std::size_t>& ready, const std::atomic<bool>& go,
                    Outcome& outcome) {
  auto client = TlsClient::connect(plan.host, plan.port, plan.ca_path);
  if (!client) {
    outcome.failure = client.error().message;
    ++ready;
    return;
  }
  for (std::size_t agent = number; agent < plan.agents; agent += plan.connections) {
    if (outcome.failure.empty()) outcome.failure = post(**client, load.parcels[agent][0]);
  }
  ++ready;
  while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto start = SteadyClock::now();
  const double period_s = plan.rate > 0 ? static_cast<double>(plan.connections) / plan.rate : 0;
  for (std::size_t j = 1; j <= plan.bundles && outcome.failure.empty(); ++j) {
    for (std::size_t agent = number; agent < plan.agents && outcome.failure.empty();
         agent += plan.connections) {
      if (period_s > 0) {
        const auto due = static_cast<double>(outcome.latencies_ms.size()) * period_s;
        std::this_thread::sleep_until(start + std::chrono::duration_cast<SteadyClock::duration>(
                                                  std::chrono::duration<double>(due)));
      }
      const auto sent = SteadyClock::now();
      outcome.failure = post(**client, load.parcels[agent][j]);
      outcome.latencies_ms.push_back(
          std::chrono::duration<double, std::milli>(SteadyClock::now() - sent).count());
    }
  }
}

int run(const Plan& plan, const Load& load) {
  std::vector<Outcome> outcomes(plan.connections);
  std::atomic<std::size_t> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < plan.connections; ++i) {
    threads.emplace_back([&, i] { run_connection(plan, load, i, ready, go, outcomes[i]); });
  }
  while (ready < plan.connections) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto start = SteadyClock::now();
  go = true;
  for (auto& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();

  std::vector<double> latencies;
  for (const auto& outcome : outcomes) {
    if (!outcome.failure.empty()) {
      std::fprintf(stderr, "ingest load: %s\n", outcome.failure.c_str());
      return 1;
    }
    latencies.insert(latencies.end(), outcome.latencies_ms.begin(), outcome.latencies_ms.end());
  }
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&latencies](std::size_t percent) {
    return latencies[std::min(latencies.size() - 1, latencies.size() * percent / 100)];
  };
  std::printf(
      "{\"bundles\":%zu,\"agents\":%zu,\"connections\":%zu,\"envelope_bytes\":%zu,"
      "\"seconds\":%.3f,\"bundles_per_s\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n",
      latencies.size(), plan.agents, plan.connections, load.envelope_bytes, seconds,
      static_cast<double>(latencies.size()) / seconds, at(50), at(99));
  return 0;
}

std::size_t number(const Arguments& arguments, const char* name, const char* fallback) {
  const auto value = parse_count(arguments.get(name, fallback), 10'000'000);
  return value ? static_cast<std::size_t>(*value) : 0;
}

}  // namespace

int load_store(int argc, char** argv) {
  const auto arguments = Arguments::parse(
      {argv + 1, argv + argc},
      {"--ca", "--host", "--port", "--join", "--agents", "--bundles", "--connections", "--rate"},
      {});
  if (!arguments || !arguments->has("--ca") || !arguments->has("--join")) {
    std::fprintf(stderr,
                 "usage: vouch-bench-ingest --ca PEM --join FILE --host HOST --port N "
                 "[--agents N] [--bundles N] [--connections N] [--rate N]\n");
    return 64;
  }
  Plan plan;
  plan.ca_path = arguments->get("--ca");
  plan.host = arguments->get("--host", "localhost");
  plan.port = static_cast<std::uint16_t>(number(*arguments, "--port", "8443"));
  plan.agents = number(*arguments, "--agents", "64");
  plan.bundles = number(*arguments, "--bundles", "100");
  plan.connections = number(*arguments, "--connections", "32");
  plan.rate = arguments->has("--rate") ? static_cast<double>(number(*arguments, "--rate", "1")) : 0;
  const auto text = read_file(arguments->get("--join"), kJoinStringBytesMax);
  const auto join = text ? parse_join_string(*text) : Result<JoinString>(text.error());
  if (!join) {
    std::fprintf(stderr, "ingest load: %s\n", join.error().message.c_str());
    return 1;
  }
  const auto load = make_load(plan, *join);
  if (!load) {
    std::fprintf(stderr, "ingest load: %s\n", load.error().message.c_str());
    return 1;
  }
  return run(plan, *load);
}

}  // namespace vouch::store

int main(int argc, char** argv) {
  return vouch::store::load_store(argc, argv);
}
