// SPDX-License-Identifier: Apache-2.0
// Event records (docs/formats/records.md): what happened on the host besides runs. Each has `at`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "proto/schedule.h"

namespace vouch {

struct RunMissed {
  WallMs at = 0;
  std::string collector;
  TickRange ticks;
  std::string reason;  // not-running, clock-step, overrun, spool-full
};

struct RunSuppressed {
  WallMs at = 0;
  std::string collector;
  TickRange ticks;
  std::string reason;
  std::string by;
  WallSeconds until = 0;
};

struct AgentStart {
  WallMs at = 0;
  std::string version;
  std::string digest;  // Of the executable.
  bool unclean = false;
};

struct AgentStop {
  WallMs at = 0;
  std::string reason;
};

struct Heartbeat {
  WallMs at = 0;
};

struct ClockStep {
  WallMs at = 0;
  WallMs before = 0;
  WallMs after = 0;
  std::int64_t boot_us = 0;
};

// The last record of a bundle signed by the old key; the next bundle is signed by the new one.
struct KeyRotate {
  WallMs at = 0;
  std::int64_t epoch = 0;  // Of the new key.
  std::string key;         // SPKI DER (base64 in JSON).
  std::string proof;       // The new key's signature over rotate_text() (proto/chain.h).
};

// Digests of two blobs. config-change is the last record of its bundle.
struct Change {
  WallMs at = 0;
  std::string from;
  std::string to;
  std::string by;
  std::string reason;
};
struct ConfigChange : Change {};
struct PolicyChange : Change {};  // Of policy sets.
struct WaiverChange : Change {};  // Of waivers tables; claimed until approved in the log.

struct Approval {  // Claimed until approved in the log.
  WallMs at = 0;
  std::string table;
  std::string baseline_sha256;
  std::string by;
  std::string ticket;
  std::string reason;
};

struct Attachment {
  WallMs at = 0;
  std::string file;
  std::string sha256;
  std::string media_type;
  std::int64_t size = 0;
  std::string title;
  std::string by;
  std::vector<std::string> controls;
  WallSeconds effective = 0;
  std::optional<WallSeconds> expires;
  std::optional<std::int64_t> cadence_days;
};

struct SpoolDrop {
  WallMs at = 0;
  std::int64_t first_seq = 0;
  std::int64_t last_seq = 0;
  std::vector<std::string> sha256;  // Of the lost blobs.
  std::string by;
  std::string reason;
};

struct Refused {
  WallMs at = 0;
  std::int64_t seq = 0;
  std::int64_t status = 0;  // HTTP status; 0 if there was none.
  std::string problem;
};

struct LogAlarm {
  WallMs at = 0;
  std::string old_note;
  std::string new_note;
  std::string proof;
};

struct StoreRollback {
  WallMs at = 0;
  std::string origin;
  std::int64_t size = 0;  // Last accepted.
  std::int64_t acked_seq = 0;
  std::int64_t expected_seq = 0;
};

struct LogEnd {
  std::string origin;
  std::int64_t size = 0;
  std::string root;  // base64
};

struct LogSuccession {
  WallMs at = 0;
  LogEnd from;
  std::string to;         // vkey
  std::string statement;  // The note.
};

struct LogRepin {
  WallMs at = 0;
  LogEnd from;
  std::string to;
  std::string by;
  std::string reason;
};

}  // namespace vouch
