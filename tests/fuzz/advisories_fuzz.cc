// SPDX-License-Identifier: Apache-2.0
// Feeds of advisories: every finding is of an installed source.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/patch_level/advisories.h"
#include "core/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace pl = vouch::patch_level;
  const pl::InstalledSources installed{{"openssl", {"3.0.9-1", {"libssl3"}}}};
  const auto file = vouch::memory_file(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!file) return 0;
  const auto feed = pl::read_feed(file->get(), installed, {"bookworm", "Debian:12"});
  if (!feed) return feed.error().message.empty() ? std::abort(), 0 : 0;
  for (const pl::Vulnerability& found : feed->vulnerabilities) {
    if (found.source != "openssl") std::abort();
  }
  return 0;
}
