// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/borg.h"

#include <array>
#include <utility>

#include "collectors/facts/lines.h"
#include "core/encoding.h"
#include "core/json.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::size_t kArchivesMax = 100000;

// A list of words as one line that splits into them again.
std::string line_of(const json::Value* words) {
  std::string line;
  if (words == nullptr || words->if_array() == nullptr) return line;
  for (const json::Value& word : *words->if_array()) {
    const std::string* text = word.if_string();
    if (text == nullptr) continue;
    line += " '";
    for (const char c : *text) {
      if (c == '\'') {
        line += "'\\''";
      } else {
        line += c;
      }
    }
    line += '\'';
  }
  return line;
}

Result<Snapshot> parse_archive(const json::Value& value) {
  Snapshot snapshot;
  auto id = json::get_string(value, "id");
  if (!id) return id.error();
  if (!is_hex_digest(*id)) return Error{Errc::invalid, "member \"id\": no archive's name"};
  auto name = json::get_string(value, "name");
  if (!name) return name.error();
  // Without its own end, "time" is what every version has.
  auto time = json::get_string(value, "end");
  if (!time) time = json::get_string(value, "time");
  if (!time) return time.error();
  const auto second = parse_restic_time(*time + "Z");
  if (!second) return second.error();
  snapshot.id = *id;
  snapshot.tree = *std::move(id);
  snapshot.time = *second;
  snapshot.hostname = json::get_string(value, "hostname").value_or("");
  snapshot.tags = {*std::move(name)};
  for (const ToolUse& use : find_tools(line_of(value.find("command_line")), {})) {
    snapshot.paths = use.paths;
  }
  return snapshot;
}

}  // namespace

Result<RepositoryState> parse_borg_list(std::string_view json_text) {
  const auto value = json::parse_foreign(json_text);
  if (!value) return Error(value.error()).in("borg's answer");
  const auto archives = json::get_array(*value, "archives");
  if (!archives) return Error(archives.error()).in("borg's answer");
  if ((*archives)->size() > kArchivesMax) return Error{Errc::too_large, "over 100000 archives"};
  RepositoryState state;
  if (const json::Value* encryption = value->find("encryption")) {
    const std::string mode = json::get_string(*encryption, "mode").value_or("");
    if (!mode.empty()) state.encrypted = mode != "none" && !mode.starts_with("authenticated");
  }
  for (std::size_t i = 0; i < (*archives)->size(); ++i) {
    auto snapshot = parse_archive((**archives)[i]);
    if (!snapshot) {
      return std::move(snapshot).error().in("borg's answer: archive " + std::to_string(i + 1));
    }
    if (snapshot->tags[0].find(".checkpoint") == std::string::npos)
      state.snapshots.push_back(*std::move(snapshot));
  }
  return state;
}

Error explain_borg_failure(int exit_code, std::string_view standard_error) {
  struct Words {
    std::string_view mark;
    Errc code;
    std::string_view message;
  };
  constexpr std::array<Words, 9> kWords = {{
      {"passphrase", Errc::denied, "wrong or missing passphrase: the file does not open it"},
      {"does not exist", Errc::not_found, "there is no repository at this address"},
      {"not a valid repository", Errc::not_found, "there is no repository at this address"},
      {"No key file", Errc::denied, "the repository's key file is not on this host"},
      {"ermission denied", Errc::denied, "access to the repository is refused"},
      {"lock", Errc::unavailable, "the repository is locked"},
      {"Connection closed", Errc::unavailable, "the repository cannot be reached"},
      {"ssh", Errc::unavailable, "the repository cannot be reached"},
      {"ntegrity", Errc::corrupt, "the repository is damaged; run borg check"},
  }};
  for (const Words& words : kWords) {
    if (standard_error.find(words.mark) != standard_error.npos)
      return {words.code, std::string(words.message)};
  }
  return {Errc::tool_failed, "borg ended with status " + std::to_string(exit_code)};
}

void read_borg_config(std::string_view text, RepositoryPlace& place) {
  bool has_key = false;
  facts::each_line(text, [&](std::string_view line, int) {
    const auto equals = line.find('=');
    if (equals == line.npos) return;
    const auto name = facts::trim(line.substr(0, equals));
    const auto value = facts::trim(line.substr(equals + 1));
    if (name == "append_only" && value == "1") place.deletion_guard = "append_only of borg";
    if (name == "key" && !value.empty()) has_key = true;
  });
  // Without one it may be encrypted with a key file: only borg can tell.
  if (has_key) place.encrypted = true;
}

}  // namespace vouch::backup_jobs
