// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/set_aside.h"

#include <array>

#include "agent/vouchd/state.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "proto/names.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kFile = "/identity.json";
constexpr std::size_t kFileBytesMax = 4096;
constexpr std::string_view kOutbox = "outbox";
constexpr std::size_t kOutboxFilesMax = 1'000'000;
// The ledger, which says that it must be done, goes last.
constexpr std::array<const char*, 10> kStateEntries{
    "outbox",     "kept",         "blobs",        "keys",         "cache",
    "store.json", "store-ca.pem", "agent.db-wal", "agent.db-shm", "agent.db"};

// Beside what a try before this one left there.
Status move_beside(const std::string& from, const std::string& path) {
  std::string to = path;
  for (int n = 1; file_exists(to); ++n) to = path + "." + std::to_string(n);
  return rename_durable(from, to);
}

// The directory stays: its group, by which vouch-ship may read it, is not ours to give to another.
Status move_files(const std::string& from, const std::string& to) {
  if (auto made = make_directories(to, 0700); !made) return made;
  auto names = list_directory(from, kOutboxFilesMax);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) {
    if (auto moved = move_beside(from + "/" + name, to + "/" + name); !moved) return moved;
  }
  return Ok{};
}

}  // namespace

Result<std::optional<Resident>> read_resident(const std::string& state_dir) {
  auto text = read_file(state_dir + std::string(kFile), kFileBytesMax);
  if (!text && text.error().code == Errc::not_found) return std::optional<Resident>();
  if (!text) return std::move(text).error();
  const auto value = json::parse(*text);
  const auto member = [&](std::string_view name) {
    return value ? json::get_string(*value, name).value_or("") : std::string();
  };
  Resident resident{member("agent"), member("machine"), member("predecessor"), member("ended")};
  // It becomes the name of a directory.
  if (!is_agent_id(resident.agent)) return std::optional<Resident>();
  return std::optional(std::move(resident));
}

Status write_resident(const std::string& state_dir, const Resident& resident) {
  const auto there = read_resident(state_dir);
  if (there && *there == resident) return Ok{};
  json::Object object{{"agent", resident.agent}, {"machine", resident.machine}};
  if (!resident.predecessor.empty()) object["predecessor"] = resident.predecessor;
  if (!resident.ended.empty()) object["ended"] = resident.ended;
  return write_file_durable(state_dir + std::string(kFile), json::write(object) + "\n", 0644);
}

Result<std::string> set_aside_state(const std::string& state_dir, const std::string& ended,
                                    WallMs now) {
  auto resident = read_resident(state_dir);
  if (!resident) return std::move(resident).error();
  std::string name = "damaged-" + std::to_string(now / 1000);
  if (*resident) {
    name = (*resident)->agent;
    (*resident)->ended = ended;
    if (auto written = write_resident(state_dir, **resident); !written) {
      return std::move(written).error();
    }
  }
  const std::string target = state_dir + "/previous-" + name;
  if (auto made = make_directories(target, 0700); !made) return std::move(made).error();
  for (const char* entry : kStateEntries) {
    const std::string from = state_dir + "/" + entry;
    if (!file_exists(from)) continue;
    const std::string to = target + "/" + entry;
    auto moved = entry == kOutbox ? move_files(from, to) : move_beside(from, to);
    if (!moved) return std::move(moved).error().in("set the old chain aside");
  }
  return target;
}

Result<std::unique_ptr<State>> open_or_replace_state(const std::string& state_dir,
                                                     const std::string& machine, WallMs now) {
  auto state = State::open(state_dir, machine, now);
  if (state || state.error().code != Errc::corrupt) return state;
  log::error(state.error().message);
  auto target = set_aside_state(state_dir, "its database was damaged", now);
  if (!target) return std::move(target).error();
  log::error("the ledger is damaged: all of it is now in " + *target +
             ", and its chain has ended. A new chain begins, which no store knows: stop vouchd and "
             "run `vouch enroll` with a new join string. What waited to be sent: vouch-ship "
             "--state " +
             *target);
  return State::open(state_dir, machine, now);
}

}  // namespace vouch::agent
