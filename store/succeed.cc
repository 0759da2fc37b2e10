// SPDX-License-Identifier: Apache-2.0
#include "store/succeed.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "core/encoding.h"
#include "core/file.h"
#include "proto/checkpoint.h"
#include "proto/leaf.h"
#include "proto/signing_key.h"
#include "proto/succession.h"
#include "proto/tile.h"
#include "store/filer.h"
#include "store/layout.h"
#include "store/settings.h"
#include "store/store.h"

namespace vouch::store {
namespace {

constexpr std::string_view kSuccessor = "successor";
// What makes up a log, beside its private key.
constexpr std::array<std::string_view, 4> kLogFiles{"checkpoint", "checkpoints", "tile",
                                                    "log.vkey"};

std::string at(const std::string& dir, std::string_view name) {
  return dir + "/" + std::string(name);
}

struct OldLog {
  note::VerifierKey vkey;
  std::optional<SigningKey> key;  // Nothing if it is lost.
  checkpoint::Checkpoint end;
  WallMs at = 0;  // Of its last entry.
};

Result<OldLog> read_old_log(const std::string& dir, Index& index, Disk& disk, bool key_lost) {
  auto vkey = read_vkey(dir);
  if (!vkey) return std::move(vkey).error();
  auto state = index.log_state();
  if (!state) return std::move(state).error();
  const auto read = [&disk](const std::string& path) {
    return disk.get(path, tile::kEntriesBytesMax);
  };
  auto tiles = tile::Appender::open(read, state->size, state->root);
  if (!tiles) return std::move(tiles).error().in("the end of the log");
  OldLog old{*vkey, std::nullopt, {vkey->name, state->size, state->root}, state->at};
  if (key_lost) return old;
  auto key = SigningKey::load(at(dir, layout::kLogKey));
  if (!key) return std::move(key).error().in("if the key is lost, say --key-lost");
  old.key = *std::move(key);
  return old;
}

// A checkpoint of the very end: signed now, or else the one that is there.
Result<std::string> end_checkpoint(const OldLog& old, Disk& disk) {
  if (old.key) return checkpoint::sign(old.end, old.vkey, *old.key);
  auto note = disk.get(layout::checkpoint_path(old.end.size), note::kNoteBytesMax);
  if (!note) return std::move(note).error().in("the old log's last checkpoint");
  auto opened = checkpoint::open(*note, old.vkey);
  if (!opened || opened->checkpoint != old.end) {
    return Error{Errc::corrupt,
                 layout::checkpoint_path(old.end.size) + ": not the end of the log in the index"};
  }
  return note;
}

// Everything of the new log, in successor/. Returns its state.
Result<LogState> prepare(const std::string& dir, const Clock& clock, const SuccessionPlan& plan,
                         const OldLog& old, const std::string& end_note, note::VerifierKey& vkey) {
  const std::string folder = at(dir, kSuccessor);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);  // Of a try that was never decided.
  auto made = make_directories(folder, 0700);
  if (!made) return std::move(made).error();
  auto key = SigningKey::generate();
  if (!key) return std::move(key).error();
  auto named = note::make_vkey(plan.origin, note::KeyType::log, *key);
  if (!named) return std::move(named).error();
  vkey = *std::move(named);
  const succession::Statement statement{old.end, vkey};

  leaf::Succession body{old.end.origin,
                        static_cast<std::int64_t>(old.end.size),
                        base64_encode(old.end.root),
                        plan.reason,
                        std::nullopt,
                        plan.by};
  std::vector<File> files;
  if (old.key) {
    auto note = succession::sign(statement, old.vkey, *old.key, *key);
    if (!note) return std::move(note).error();
    body.statement = succession::digest(statement);
    files.push_back({"note", *std::move(note)});
  }
  const WallMs now = std::max(old.at, clock.wall_ms());
  auto entry = leaf::write({now, std::move(body)});
  if (!entry) return std::move(entry).error();
  const auto nothing = [](const std::string&) -> Result<std::string> {
    return Error{Errc::not_found, "an empty log has no tiles"};
  };
  auto empty = tile::Appender::open(nothing, 0, merkle::empty_root());
  if (!empty) return std::move(empty).error();
  auto [grown, growth] = empty->append({*entry});
  for (const auto& file : growth.files) files.push_back({file.path, file.bytes});
  auto head = checkpoint::sign({vkey.name, growth.size, growth.root}, vkey, *key);
  if (!head) return std::move(head).error();
  files.push_back({"end", end_note});
  files.push_back({layout::checkpoint_path(growth.size), *head});
  files.push_back({std::string(layout::kCheckpoint), *head});
  files.push_back({std::string(layout::kLogVkey), note::write_vkey(vkey) + "\n"});
  auto disk = DirectoryDisk::open(folder);
  if (!disk) return std::move(disk).error();
  auto written = (*disk)->put(files);
  if (!written) return std::move(written).error();
  auto saved = key->save(folder + "/log.pem");
  if (!saved) return std::move(saved).error();
  return LogState{growth.size, growth.root, now};
}

Status require_new_origin(const SuccessionPlan& plan, const std::string& old_origin,
                          const std::vector<EarlierLog>& earlier) {
  const std::string name = log_name(plan.origin);
  const bool plain =
      !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
  if (!note::is_key_name(plan.origin) || plan.origin == succession::kTag || !plain) {
    return Error{Errc::invalid, "origin \"" + plan.origin + "\": a name as in " + old_origin};
  }
  bool taken = name == log_name(old_origin);
  for (const auto& log : earlier) taken |= name == log.name;
  if (taken) return Error{Errc::exists, "a log " + name + " was there already: name a new one"};
  return Ok{};
}

// Moves one file or folder of the new log to its place, and what is there out of the way.
Status move_in(const std::string& from, const std::string& place, const std::string& old_place) {
  if (!file_exists(from)) return Ok{};  // Moved before a crash.
  if (file_exists(place) && !file_exists(old_place)) {
    auto moved = rename_durable(place, old_place);
    if (!moved) return moved;
  }
  return rename_durable(from, place);
}

}  // namespace

std::string log_name(const std::string& origin) {
  return origin.substr(origin.rfind('/') + 1);
}

Result<std::string> succeed(const std::string& dir, const Clock& clock,
                            const SuccessionPlan& plan) {
  auto settings = read_settings(dir);
  if (!settings) return std::move(settings).error();
  auto lock = lock_directory(dir);
  if (!lock) return std::move(lock).error();
  auto index = Index::open(at(dir, layout::kDatabase));
  if (!index) return std::move(index).error();
  auto finished = finish_succession(dir, *index);
  if (!finished) return std::move(finished).error();
  settings = read_settings(dir);
  if (!settings) return std::move(settings).error();
  auto disk = DirectoryDisk::open(dir);
  if (!disk) return std::move(disk).error();
  auto recovered = Filer::recover(*index, **disk);
  if (!recovered) return std::move(recovered).error();
  auto account = index->account_known(plan.by);
  if (!account) return std::move(account).error();
  if (!*account) return Error{Errc::invalid, "no account \"" + plan.by + "\""};
  auto earlier = index->earlier_logs();
  if (!earlier) return std::move(earlier).error();
  auto fresh = require_new_origin(plan, settings->origin, *earlier);
  if (!fresh) return std::move(fresh).error();

  auto old = read_old_log(dir, *index, **disk, plan.key_lost);
  if (!old) return std::move(old).error();
  auto end = end_checkpoint(*old, **disk);
  if (!end) return std::move(end).error();
  note::VerifierKey vkey;
  auto state = prepare(dir, clock, plan, *old, *end, vkey);
  if (!state) return std::move(state).error();
  settings->origin = plan.origin;
  const EarlierLog ended{0, old->end.size, log_name(old->end.origin), old->end.origin};
  auto decided = index->transaction([&]() -> Status {
    auto added = index->add_earlier_log(ended);
    if (!added) return added;
    auto set = index->set_log_state(*state);
    if (!set) return set;
    return index->set_pending_succession(write_settings(*settings));
  });
  if (!decided) return std::move(decided).error();
  finished = finish_succession(dir, *index);
  if (!finished) return std::move(finished).error();
  return note::write_vkey(vkey);
}

Status finish_succession(const std::string& dir, Index& index) {
  auto pending = index.pending_succession();
  if (!pending) return std::move(pending).error();
  if (!*pending) return Ok{};
  auto earlier = index.earlier_logs();
  if (!earlier) return std::move(earlier).error();
  if (earlier->empty()) return Error{Errc::corrupt, "a succession of no log"};
  const std::string& old_name = earlier->back().name;
  const std::string from = at(dir, kSuccessor);
  const std::string old_folder = at(dir, "logs/" + old_name);
  for (const auto& folder : {old_folder, at(dir, "successions")}) {
    auto made = make_directories(folder);
    if (!made) return made;
  }
  for (const auto name : kLogFiles) {
    auto moved = move_in(at(from, name), at(dir, name), at(old_folder, name));
    if (!moved) return moved;
  }
  // The end may be below the newest checkpoint that was published: it is what the line goes by.
  struct Move {
    std::string from, to;
  };
  const std::string end_path = at(old_folder, layout::checkpoint_path(earlier->back().size));
  if (file_exists(at(from, "end"))) {
    auto note = read_file(at(from, "end"), note::kNoteBytesMax);
    if (!note) return std::move(note).error();
    auto written = make_directories(at(old_folder, "checkpoints"));
    if (written) written = write_file_durable(end_path, *note);
    if (written) written = write_file_durable(at(old_folder, "checkpoint"), *note);
    if (!written) return written;
  }
  auto moved = move_in(at(from, "log.pem"), at(dir, layout::kLogKey),
                       at(dir, "private/" + old_name + ".pem"));
  if (moved) moved = move_in(at(from, "note"), at(dir, "successions/" + old_name), "");
  if (moved) moved = write_file_durable(at(dir, layout::kSettings), **pending);
  if (!moved) return moved;
  std::error_code ignored;
  std::filesystem::remove_all(from, ignored);
  return index.transaction([&index] { return index.set_pending_succession(std::nullopt); });
}

}  // namespace vouch::store
