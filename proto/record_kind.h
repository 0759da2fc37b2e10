// SPDX-License-Identifier: Apache-2.0
// The `kind` of each type of record.
#pragma once

#include <string_view>

#include "proto/record.h"

namespace vouch {

template <class T>
inline constexpr std::string_view kKindOf;
template <>
inline constexpr std::string_view kKindOf<Observation> = "observation";
template <>
inline constexpr std::string_view kKindOf<RunFailed> = "run-failed";
template <>
inline constexpr std::string_view kKindOf<RunMissed> = "run-missed";
template <>
inline constexpr std::string_view kKindOf<RunSuppressed> = "run-suppressed";
template <>
inline constexpr std::string_view kKindOf<AgentStart> = "agent-start";
template <>
inline constexpr std::string_view kKindOf<AgentStop> = "agent-stop";
template <>
inline constexpr std::string_view kKindOf<Heartbeat> = "heartbeat";
template <>
inline constexpr std::string_view kKindOf<ClockStep> = "clock-step";
template <>
inline constexpr std::string_view kKindOf<KeyRotate> = "key-rotate";
template <>
inline constexpr std::string_view kKindOf<ConfigChange> = "config-change";
template <>
inline constexpr std::string_view kKindOf<PolicyChange> = "policy-change";
template <>
inline constexpr std::string_view kKindOf<WaiverChange> = "waiver-change";
template <>
inline constexpr std::string_view kKindOf<Approval> = "approval";
template <>
inline constexpr std::string_view kKindOf<Attachment> = "attachment";
template <>
inline constexpr std::string_view kKindOf<SpoolDrop> = "spool-drop";
template <>
inline constexpr std::string_view kKindOf<Refused> = "refused";
template <>
inline constexpr std::string_view kKindOf<LogAlarm> = "log-alarm";
template <>
inline constexpr std::string_view kKindOf<StoreRollback> = "store-rollback";
template <>
inline constexpr std::string_view kKindOf<LogSuccession> = "log-succession";
template <>
inline constexpr std::string_view kKindOf<LogRepin> = "log-repin";

}  // namespace vouch
