// SPDX-License-Identifier: Apache-2.0
// The members of each event record, for proto/fields.h. A change here is a change of the format.
#pragma once

#include <string_view>

#include "proto/event.h"
#include "proto/fields.h"
#include "proto/limits.h"

namespace vouch {

inline constexpr std::size_t kAttachmentControlsMax = 1024;
inline constexpr std::int64_t kHttpStatusMax = 599;

template <class Io, class T>
void describe_ticks(Io& io, T& ticks) {
  io.object("ticks", [&](auto& inner) {
    inner.integer("first", ticks.first);
    inner.integer("last", ticks.last);
  });
}

// The overloads are told apart by a tag, since T is const for writing.
template <class T>
struct EventTag {};

template <class Io, class T>
void describe(EventTag<RunMissed>, Io& io, T& event) {
  io.text("collector", event.collector, Form::collector);
  describe_ticks(io, event.ticks);
  io.text("reason", event.reason, Form::missed_reason);
}

template <class Io, class T>
void describe(EventTag<RunSuppressed>, Io& io, T& event) {
  io.text("collector", event.collector, Form::collector);
  describe_ticks(io, event.ticks);
  io.text("reason", event.reason);
  io.text("by", event.by);
  io.second("until", event.until);
}

template <class Io, class T>
void describe(EventTag<AgentStart>, Io& io, T& event) {
  io.text("version", event.version, Form::word);
  io.text("digest", event.digest, Form::digest);
  io.boolean("unclean", event.unclean);
}

template <class Io, class T>
void describe(EventTag<AgentStop>, Io& io, T& event) {
  io.text("reason", event.reason);
}

template <class Io, class T>
void describe(EventTag<Heartbeat>, Io&, T&) {}

template <class Io, class T>
void describe(EventTag<ClockStep>, Io& io, T& event) {
  io.instant("before", event.before);
  io.instant("after", event.after);
  io.integer("boot_us", event.boot_us);
}

template <class Io, class T>
void describe(EventTag<KeyRotate>, Io& io, T& event) {
  io.integer("epoch", event.epoch, 1);
  io.base64("key", event.key);
  io.base64("proof", event.proof);
}

template <class Io, class T>
void describe_change(Io& io, T& event) {
  io.text("from", event.from, Form::digest);
  io.text("to", event.to, Form::digest);
  io.text("by", event.by);
  io.text("reason", event.reason);
}
template <class Io, class T>
void describe(EventTag<ConfigChange>, Io& io, T& event) {
  describe_change(io, event);
}
template <class Io, class T>
void describe(EventTag<PolicyChange>, Io& io, T& event) {
  describe_change(io, event);
}
template <class Io, class T>
void describe(EventTag<WaiverChange>, Io& io, T& event) {
  describe_change(io, event);
}

template <class Io, class T>
void describe(EventTag<Approval>, Io& io, T& event) {
  io.text("table", event.table, Form::plain_name);
  io.text("baseline_sha256", event.baseline_sha256, Form::digest);
  io.text("by", event.by);
  io.text("ticket", event.ticket);
  io.text("reason", event.reason);
}

template <class Io, class T>
void describe(EventTag<Attachment>, Io& io, T& event) {
  io.text("file", event.file, Form::file_name);
  io.text("sha256", event.sha256, Form::digest);
  io.text("media_type", event.media_type, Form::word);
  io.integer("size", event.size, 0, static_cast<std::int64_t>(kBlobBytesMax));
  io.text("title", event.title);
  io.text("by", event.by);
  io.texts("controls", event.controls, Form::id, kAttachmentControlsMax);
  io.second("effective", event.effective);
  io.second("expires", event.expires);
  io.integer("cadence_days", event.cadence_days);
}

template <class Io, class T>
void describe(EventTag<SpoolDrop>, Io& io, T& event) {
  io.integer("first_seq", event.first_seq);
  io.integer("last_seq", event.last_seq);
  io.texts("sha256", event.sha256, Form::digest, kRecordsMax);
  io.text("by", event.by);
  io.text("reason", event.reason);
}

template <class Io, class T>
void describe(EventTag<Refused>, Io& io, T& event) {
  io.integer("seq", event.seq);
  io.integer("status", event.status, 0, kHttpStatusMax);
  io.text("problem", event.problem);
}

template <class Io, class T>
void describe(EventTag<LogAlarm>, Io& io, T& event) {
  io.text("old", event.old_note, Form::word);
  io.text("new", event.new_note, Form::word);
  io.text("proof", event.proof);
}

template <class Io, class T>
void describe(EventTag<StoreRollback>, Io& io, T& event) {
  io.text("origin", event.origin, Form::word);
  io.integer("size", event.size);
  io.integer("acked_seq", event.acked_seq);
  io.integer("expected_seq", event.expected_seq);
}

template <class Io, class T>
void describe_log_end(Io& io, T& end) {
  io.object("from", [&](auto& inner) {
    inner.text("origin", end.origin, Form::word);
    inner.integer("size", end.size);
    inner.text("root", end.root, Form::root);
  });
}

template <class Io, class T>
void describe(EventTag<LogSuccession>, Io& io, T& event) {
  describe_log_end(io, event.from);
  io.text("to", event.to, Form::word);
  io.text("statement", event.statement, Form::word);
}

template <class Io, class T>
void describe(EventTag<LogRepin>, Io& io, T& event) {
  describe_log_end(io, event.from);
  io.text("to", event.to, Form::word);
  io.text("by", event.by);
  io.text("reason", event.reason);
}

}  // namespace vouch
