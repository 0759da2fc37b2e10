// SPDX-License-Identifier: Apache-2.0
// The keys that apt checks archives with.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/patch_level/apt_reading.h"
#include "collectors/patch_level/openpgp.h"
#include "collectors/patch_level/stanza.h"
#include "collectors/patch_level/tables.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kKeyringBytesMax = std::size_t{4} << 20;

bool is_keyring_name(std::string_view name) {
  return name.ends_with(".gpg") || name.ends_with(".asc");
}

// What a source without Signed-By is checked with.
void add_default_keyrings(const Root& root, std::set<std::string>& paths, FileProblems& problems) {
  if (root.exists("/etc/apt/trusted.gpg")) paths.insert("/etc/apt/trusted.gpg");
  constexpr std::string_view kDirectory = "/etc/apt/trusted.gpg.d";
  const auto names = root.list(kDirectory);
  if (!names && names.error().code != Errc::not_found)
    problems.push_back({std::string(kDirectory), names.error()});
  for (const std::string& name : names.value_or({})) {
    if (is_keyring_name(name)) paths.insert(std::string(kDirectory) + '/' + name);
  }
}

// The keyrings of the enabled sources.
std::set<std::string> keyrings_in_use(const Root& root, FileProblems& problems) {
  std::set<std::string> paths;
  bool has_default = false;
  for (const AptSource& source : read_apt_sources(root, problems)) {
    if (!source.enabled || source.trusted) continue;
    if (!source.signed_by) {
      has_default = true;
      continue;
    }
    std::string text = *source.signed_by;
    for (char& c : text) c = c == ',' ? ' ' : c;
    for (const auto word : words(text)) {
      if (word.starts_with('/')) {
        paths.emplace(word);
      } else if (word.front() == '(') {
        problems.push_back({source.file + ": " + list_problem(source, source.suite, {}).path,
                            {Errc::unsupported, "its key stands in the file itself: not read"}});
        break;
      } else {
        has_default = true;  // A fingerprint: the key is in the default keyrings.
      }
    }
  }
  if (has_default) add_default_keyrings(root, paths, problems);
  return paths;
}

}  // namespace

Status collect_repository_keys(sdk::Context& context, sdk::Rows& rows) {
  const Root& root = context.root();
  if (!root.exists("/etc/apt")) return Error{Errc::not_found, "/etc/apt: apt is not used here"};
  FileProblems problems;
  for (const std::string& path : keyrings_in_use(root, problems)) {
    const auto bytes = root.read(path, kKeyringBytesMax);
    const auto keys = bytes ? parse_keyring(*bytes) : bytes.error();
    if (!keys) {
      problems.push_back({path, keys.error()});
      continue;
    }
    for (const OpenpgpKey& key : *keys) {
      rows.add({path, key.fingerprint, key.is_primary, key.user_id, key.algorithm, key.bits,
                key.created, key.expires, key.is_revoked});
    }
  }
  add_gaps(problems, rows);
  return Ok{};
}

}  // namespace vouch::patch_level
