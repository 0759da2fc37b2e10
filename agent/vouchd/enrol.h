// SPDX-License-Identifier: Apache-2.0
// Enrolment at the agent's end (docs/formats/enrolment.md): a join string, and this host becomes an
// agent of a store. The network is the caller's: `post` carries one request.
//
//   auto join = parse_join_string(stdin);
//   auto report = enrol({state_dir, *host}, *join, clock, post);   // then start vouchd
#pragma once

#include <functional>
#include <string>

#include "agent/vouchd/host_facts.h"
#include "core/clock.h"
#include "core/result.h"
#include "proto/join_string.h"

namespace vouch::agent {

struct EnrolAnswer {
  int status = 0;
  std::string body;
  std::string ca_pem;  // The CA that the join string pins, as found in the server's chain.
};

// Sends the envelope to <url>/v1/enroll. With join.tls, only a chain under a CA with that key is
// accepted, and that CA is handed back.
using PostEnrolment =
    std::function<Result<EnrolAnswer>(const JoinString& join, const std::string& envelope)>;

struct EnrolOptions {
  std::string state_dir = "/var/lib/vouch";
  HostFacts host;
};

struct EnrolReport {
  std::string agent;
  std::string origin;       // Of the log.
  std::string url;          // Of the store.
  std::string predecessor;  // The agent whose unenrolled chain was set aside; empty: none.
};

// What enrolment leaves for vouch-ship: <state_dir>/store.json and store-ca.pem.
inline constexpr std::string_view kStoreFile = "store.json";
inline constexpr std::string_view kStoreCaFile = "store-ca.pem";

// Safe to call again after a failure: the same bytes are offered again, which uses up no second
// token. Errc::exists: enrolled already. Errc::denied: the store refused, or its answer does not
// hold (wrong pin, foreign receipt). Errc::unavailable: vouchd runs on this state. A chain that was
// sealed before any enrolment is set aside, whole, in <state_dir>/previous-<agent>, and named as
// predecessor.
Result<EnrolReport> enrol(const EnrolOptions& options, const JoinString& join, const Clock& clock,
                          const PostEnrolment& post);

}  // namespace vouch::agent
