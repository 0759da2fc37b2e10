// SPDX-License-Identifier: Apache-2.0
// Every fuzz target takes a few hundred inputs, so that it still compiles and still holds. Finding
// anything new is the fuzzer's work (./dev fuzz).
#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#define FUZZ_TARGET(name) extern "C" int name(const std::uint8_t* data, std::size_t size);
#include "fuzz_targets.inc"
#undef FUZZ_TARGET

namespace {

using Target = int (*)(const std::uint8_t*, std::size_t);

struct NamedTarget {
  const char* name;
  Target run;
};

constexpr NamedTarget kTargets[] = {
#define FUZZ_TARGET(name) {#name, name},
#include "fuzz_targets.inc"
#undef FUZZ_TARGET
};

// A line or two of what these parsers read.
constexpr std::string_view kSeeds[] = {
    "",
    "{\"protocol\":1,\"type\":\"row\",\"table\":\"users\",\"row\":{\"name\":\"a\",\"uid\":0}}\n",
    "{\"payload\":\"eyJhIjoxfQ==\",\"payloadType\":\"application/vnd.in-toto+json\","
    "\"signatures\":[{\"keyid\":\"a\",\"sig\":\"AA==\"}]}",
    "[{\"id\":\"CVE-2024-1\",\"affected\":[{\"package\":{\"name\":\"a\"}}]}]",
    "store.example.com/log1\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\xe2\x80\x94 store.example.com/log1 AAAAAA==\n",
    "root:x:0:0:root:/root:/bin/bash\nnobody:*:65534:65534::/:/usr/sbin/nologin\n",
    "Defaults env_reset\nALL ALL = (ALL:ALL) NOPASSWD: /bin/ls \\\n, !/bin/sh\n@includedir "
    "/etc/x\n",
    "Package: a\nStatus: install ok installed\nVersion: 1:2-3~4\nDepends: b (>= 1) | c\n\n",
    "Types: deb\nURIs: https://example.com\nSuites: stable\nComponents: main\n",
    "Match User a,b Address 10.0.0.0/8\n  PermitRootLogin=yes\nInclude /etc/ssh/*.conf\n",
    "auth [success=1 default=ignore] pam_unix.so nullok\n@include common-auth\n",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== a@b\nfrom=\"10.*\" ecdsa-sha2-nistp256 AAAA\n",
    "pack: a\ncontrols:\n  - id: b\n    title: c\n    frequency_s: 60\n    checks: []\n",
    "SELECT name FROM t WHERE size > 1 ORDER BY name",
    "<https://example.com/a?page=2>; rel=\"next\", <b>; rel=last",
    "<TestResult id=\"a\"><rule-result "
    "idref=\"b\"><result>pass</result></rule-result></TestResult>",
    "POST /v1/parcels HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "\x30\x82\x01\x0a\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48",
    "\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00\x61",
};

// A target aborts at what must not be; anything but 0 is no answer that libFuzzer knows.
void feed(Target run, std::string_view input) {
  CHECK(run(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()) == 0);
}

}  // namespace

TEST_CASE("each fuzz target stands whole, cut and changed inputs", "[fuzz]") {
  const NamedTarget& target = GENERATE(from_range(std::begin(kTargets), std::end(kTargets)));
  UNSCOPED_INFO(target.name);  // Shown if the target aborts.
  std::mt19937 random(1);      // The same inputs each time: what fails can be run again.
  for (const auto seed : kSeeds) {
    feed(target.run, seed);
    if (seed.empty()) continue;
    for (int i = 0; i < 10; ++i) {
      std::string input(seed.substr(0, 1 + random() % seed.size()));
      input[random() % input.size()] = static_cast<char>(random());
      feed(target.run, input);
    }
  }
}
