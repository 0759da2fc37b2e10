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
#include "core/json.h"
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
  json::Object identity = {};  // describe_machine(), read while root still is root.
};

struct EnrolReport {
  std::string agent;
  std::string origin;       // Of the log.
  std::string url;          // Of the store.
  std::string predecessor;  // The agent that this host was before; empty: none.
};

// What enrolment leaves for vouch-ship: <state_dir>/store.json and store-ca.pem.
inline constexpr std::string_view kStoreFile = "store.json";
inline constexpr std::string_view kStoreCaFile = "store-ca.pem";

// Safe to call again after a failure: the same bytes are offered again, which uses up no second
// token. Errc::exists: enrolled already. Errc::denied: the store refused, or its answer does not
// hold (wrong pin, foreign receipt). Errc::unavailable: vouchd runs on this state. A chain that
// cannot go on (sealed before any enrolment, forked, of another machine, damaged) is set aside,
// whole, in <state_dir>/previous-<agent>, and named as predecessor (set_aside.h).
Result<EnrolReport> enrol(const EnrolOptions& options, const JoinString& join, const Clock& clock,
                          const PostEnrolment& post);

struct RepinReport {
  std::string agent;
  std::string origin_before, origin;
  std::string url;
};

// The same chain under another log, whose key the join string pins (docs/formats/succession.md):
// for a store whose old log key is lost, by an operator's order alone. Asks with the key that
// signed the first bundle which no log has. Records `log-repin`; what waits is sent to the new
// store. Errors as enrol(); Errc::not_found: this host is not enrolled.
Result<RepinReport> repin(const EnrolOptions& options, const JoinString& join, const Clock& clock,
                          const PostEnrolment& post, const std::string& by,
                          const std::string& reason);

}  // namespace vouch::agent
