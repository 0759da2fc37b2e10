// SPDX-License-Identifier: Apache-2.0
// The rules between consecutive bundles of one chain (docs/formats/chain.md), as pure functions
// that agent, store and verifier share. The order of use, for each bundle:
//
//   auto envelope = dsse::parse(bytes);                 dsse::verify(*envelope, key of link.spki)
//   auto statement = parse_statement(envelope->payload);
//   auto fault = check_link(link, *statement);          check_schedule(link, *statement, schedule)
//   link = link_after(*statement, dsse::bundle_id(*envelope), link.spki);
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "proto/keys.h"
#include "proto/schedule.h"
#include "proto/statement.h"

namespace vouch {

class SigningKey;

inline constexpr std::string_view kNoPrev =
    "0000000000000000000000000000000000000000000000000000000000000000";

// What the next bundle is checked against. All of it follows from the bundle before.
struct ChainLink {
  std::string agent;
  std::string machine;
  std::int64_t next_seq = 0;
  std::string prev{kNoPrev};
  std::int64_t epoch = 0;  // Of the next bundle.
  std::string spki;        // Of the key that must sign the next bundle.
  // Of the bundle before; unused while next_seq is 0.
  WallMs period_to = 0;
  WallMs sealed = 0;
  std::string boot_id;
  std::int64_t boot_us = 0;
  std::vector<std::string> open;
  std::optional<LogSeen> log_seen;
};

// Before seq 0: as enrolled.
ChainLink first_link(std::string agent, std::string machine, std::string spki);
// After `statement`, whose signature with `spki` and rules were checked.
ChainLink link_after(const Statement& statement, std::string bundle_id, std::string spki);

// A broken rule. `reason` is one word for machines: agent, machine, seq, prev, epoch, period, boot,
// carried, open, rotate, log-seen, tick, expected, same-as, enrolment.
struct ChainFault {
  std::string reason;
  std::string message;
};

// Agent, machine, seq, prev, epoch, period, boot, carried, log_seen, the proof of a key-rotate.
// Nothing means: it follows.
std::optional<ChainFault> check_link(const ChainLink& link, const Statement& next);

// Things that are allowed but must show: wall and boot clock apart by > 2 s without a clock-step.
std::vector<std::string> find_anomalies(const ChainLink& link, const Statement& next);

// The population: the ticks that `schedule` (of the bundle's config blob) makes due in the period,
// with those carried over, are exactly those observed, failed, missed, suppressed or open, each
// once. Also that `scheduled` of each run is when its tick was due.
std::optional<ChainFault> check_schedule(const ChainLink& link, const Statement& next,
                                         const std::vector<ScheduleEntry>& schedule);

// What a same_as must point at: an observation of this chain.
struct ObservationOnRecord {
  std::string collector;
  WallMs sealed = 0;         // Of its bundle.
  bool has_content = false;  // It is itself without same_as.
};
using ObservationLookup =
    std::function<std::optional<ObservationOnRecord>(std::int64_t seq, std::string_view run)>;
// `lookup` is asked for earlier bundles; targets in the same bundle are found here.
std::optional<ChainFault> check_same_as(const Statement& statement,
                                        const ObservationLookup& lookup);

// "vouch-rotate/v1" LF agent LF epoch LF hex SHA-256(old SPKI) LF hex SHA-256(new SPKI) LF: what
// the new key signs to prove that it is there.
std::string rotate_text(std::string_view agent, std::int64_t epoch, std::string_view spki_old,
                        std::string_view spki_new);
Result<KeyRotate> make_key_rotate(WallMs at, std::string_view agent, std::int64_t epoch,
                                  const PublicKey& key_old, const SigningKey& key_new);
bool check_key_rotate(const KeyRotate& rotate, std::string_view agent, std::string_view spki_old);

// The machine's id in the chain: HMAC-SHA256 of the application's UUID with the 16 bytes of
// /etc/machine-id as key, made a UUID v4 (systemd-id128 machine-id --app-specific=…). 32 digits
// in, 32 out; a trailing newline is accepted.
Result<std::string> derive_machine(std::string_view machine_id);

}  // namespace vouch
