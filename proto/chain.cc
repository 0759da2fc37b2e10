// SPDX-License-Identifier: Apache-2.0
#include "proto/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/digest.h"
#include "core/encoding.h"
#include "proto/names.h"
#include "proto/signing_key.h"

namespace vouch {
namespace {

constexpr WallMs kClockSlackMs = 2000;
constexpr WallMs kSameAsMsMax = WallMs{24} * 3600 * 1000;
constexpr std::string_view kMachineApplication = "b2cbabb857f8547e97c928b07d34061c";
constexpr std::size_t kMachineBytes = 16;

ChainFault fault(std::string_view reason, std::string message) {
  return {std::string(reason), std::move(message)};
}

std::optional<ChainFault> check_identity(const ChainLink& link, const Bundle& next) {
  if (next.agent.id != link.agent) return fault("agent", "another agent's bundle");
  if (next.agent.machine != link.machine) {
    return fault("machine", "sealed on another machine than the one enrolled");
  }
  if (next.seq != link.next_seq) {
    return fault("seq", fmt::format("seq is {}, expected {}", next.seq, link.next_seq));
  }
  if (next.prev != link.prev) return fault("prev", "prev is not the bundle before");
  if (next.epoch != link.epoch) {
    return fault("epoch", fmt::format("epoch is {}, expected {}", next.epoch, link.epoch));
  }
  return std::nullopt;
}

std::optional<ChainFault> check_continuity(const ChainLink& link, const Bundle& next) {
  if (next.period_from != link.period_to) {
    return fault("period", "period/from is not period/to of the bundle before");
  }
  if (next.boot_id == link.boot_id && next.boot_us <= link.boot_us) {
    return fault("boot", "boot/us does not increase");
  }
  if (next.schedule.carried != static_cast<std::int64_t>(link.open.size())) {
    return fault("carried", "carried is not the number of runs left open");
  }
  return std::nullopt;
}

std::optional<ChainFault> check_log_seen(const ChainLink& link, const Bundle& next) {
  if (!link.log_seen) return std::nullopt;
  if (!next.log_seen) return fault("log-seen", "log_seen is gone");
  const auto& before = *link.log_seen;
  const auto& after = *next.log_seen;
  if (before.origin != after.origin) return std::nullopt;
  if (after.size < before.size) return fault("log-seen", "the log seen became smaller");
  if (after.size == before.size && after.root != before.root) {
    return fault("log-seen", "two roots for one size of the log");
  }
  return std::nullopt;
}

const KeyRotate* find_rotate(const Bundle& bundle) {
  return bundle.records.empty() ? nullptr : std::get_if<KeyRotate>(&bundle.records.back());
}

std::optional<ChainFault> check_rotate(const ChainLink& link, const Bundle& next) {
  const auto* rotate = find_rotate(next);
  if (!rotate || check_key_rotate(*rotate, next.agent.id, link.spki)) return std::nullopt;
  return fault("rotate", "key-rotate: the proof of the new key does not verify");
}

// The same rule for a target in this very bundle: an earlier record of it.
std::optional<ObservationOnRecord> find_before(const Bundle& bundle, std::size_t index,
                                               std::string_view run) {
  for (std::size_t i = 0; i < index; ++i) {
    const auto* observation = std::get_if<Observation>(&bundle.records[i]);
    if (!observation || observation->run != run) continue;
    return ObservationOnRecord{parse_run_id(run)->collector, bundle.sealed,
                               std::holds_alternative<RunContent>(observation->content)};
  }
  return std::nullopt;
}

}  // namespace

ChainLink first_link(std::string agent, std::string machine, std::string spki) {
  ChainLink link;
  link.agent = std::move(agent);
  link.machine = std::move(machine);
  link.spki = std::move(spki);
  return link;
}

ChainLink link_after(const Statement& statement, std::string bundle_id, std::string spki) {
  const auto& bundle = statement.bundle;
  ChainLink link = first_link(bundle.agent.id, bundle.agent.machine, std::move(spki));
  link.next_seq = bundle.seq + 1;
  link.prev = std::move(bundle_id);
  link.epoch = bundle.epoch;
  if (const auto* rotate = find_rotate(bundle)) {
    link.epoch = rotate->epoch;
    link.spki = rotate->key;
  }
  link.period_to = bundle.period_to;
  link.sealed = bundle.sealed;
  link.boot_id = bundle.boot_id;
  link.boot_us = bundle.boot_us;
  link.open = bundle.schedule.open;
  link.log_seen = bundle.log_seen;
  return link;
}

std::optional<ChainFault> check_link(const ChainLink& link, const Statement& next) {
  const auto& bundle = next.bundle;
  if (auto found = check_identity(link, bundle)) return found;
  if (link.next_seq == 0) {
    if (bundle.schedule.carried != 0) return fault("carried", "seq 0 carries nothing over");
  } else if (auto found = check_continuity(link, bundle)) {
    return found;
  }
  if (auto found = check_log_seen(link, bundle)) return found;
  return check_rotate(link, bundle);
}

std::vector<std::string> find_anomalies(const ChainLink& link, const Statement& next) {
  const auto& bundle = next.bundle;
  if (link.next_seq == 0 || bundle.boot_id != link.boot_id) return {};
  // What the clocks say passed, but for the steps on record.
  WallMs wall_ms = bundle.sealed - link.sealed;
  for (const auto& record : bundle.records) {
    if (const auto* step = std::get_if<ClockStep>(&record)) wall_ms -= step->after - step->before;
  }
  const WallMs boot_ms = (bundle.boot_us - link.boot_us) / 1000;
  if (std::abs(wall_ms - boot_ms) <= kClockSlackMs) return {};
  return {fmt::format("clock: wall time moved {} ms, boot time {} ms, without a clock-step",
                      wall_ms, boot_ms)};
}

std::optional<ChainFault> check_same_as(const Statement& statement,
                                        const ObservationLookup& lookup) {
  const auto& bundle = statement.bundle;
  for (std::size_t i = 0; i < bundle.records.size(); ++i) {
    const auto* observation = std::get_if<Observation>(&bundle.records[i]);
    const auto* same_as = observation ? std::get_if<SameAs>(&observation->content) : nullptr;
    if (!same_as) continue;
    const auto refuse = [&](std::string_view what) {
      return fault("same-as", fmt::format("{}: same_as {} of seq {}: {}", observation->run,
                                          same_as->run, same_as->seq, what));
    };
    if (same_as->seq > bundle.seq) return refuse("not yet sealed");
    const auto target = same_as->seq == bundle.seq ? find_before(bundle, i, same_as->run)
                                                   : lookup(same_as->seq, same_as->run);
    if (!target) return refuse("no such observation");
    if (!target->has_content) return refuse("it has a same_as itself");
    if (target->collector != parse_run_id(observation->run)->collector) {
      return refuse("another collector's");
    }
    if (bundle.sealed - target->sealed > kSameAsMsMax) return refuse("sealed over 24 h before");
  }
  return std::nullopt;
}

std::string rotate_text(std::string_view agent, std::int64_t epoch, std::string_view spki_old,
                        std::string_view spki_new) {
  return fmt::format("vouch-rotate/v1\n{}\n{}\n{}\n{}\n", agent, epoch, sha256_hex(spki_old),
                     sha256_hex(spki_new));
}

Result<KeyRotate> make_key_rotate(WallMs at, std::string_view agent, std::int64_t epoch,
                                  const PublicKey& key_old, const SigningKey& key_new) {
  const auto& spki_new = key_new.public_key().spki();
  auto proof = key_new.sign(rotate_text(agent, epoch, key_old.spki(), spki_new));
  if (!proof) return std::move(proof).error();
  return KeyRotate{at, epoch, spki_new, *std::move(proof)};
}

bool check_key_rotate(const KeyRotate& rotate, std::string_view agent, std::string_view spki_old) {
  const auto key = PublicKey::from_spki(rotate.key);
  return key && key->spki() != spki_old &&
         key->verify(rotate_text(agent, rotate.epoch, spki_old, rotate.key), rotate.proof);
}

Result<std::string> derive_machine(std::string_view machine_id) {
  if (machine_id.ends_with('\n')) machine_id.remove_suffix(1);
  const auto key = hex_decode(machine_id);
  if (!key || key->size() != kMachineBytes) {
    return Error{Errc::invalid, "machine-id: expected 32 lowercase hex digits"};
  }
  auto id = hmac_sha256(*key, *hex_decode(kMachineApplication)).substr(0, kMachineBytes);
  const auto set_bits = [&](std::size_t index, unsigned keep, unsigned bits) {
    id[index] = static_cast<char>((static_cast<unsigned char>(id[index]) & keep) | bits);
  };
  set_bits(6, 0x0f, 0x40);  // Version 4,
  set_bits(8, 0x3f, 0x80);  // variant 1, as sd_id128_get_machine_app_specific(3).
  return hex_encode(id);
}

}  // namespace vouch
