// SPDX-License-Identifier: Apache-2.0
// Both forms of apt's sources: each source is complete, and its lists' name is a plain file name.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/patch_level/apt_sources.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace pl = vouch::patch_level;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const pl::AptSources& parsed :
       {pl::parse_sources_list(text, "/f"), pl::parse_deb822_sources(text, "/f")}) {
    for (const pl::AptSource& source : parsed.sources) {
      if (source.type.empty() || source.uri.empty() || source.suite.empty()) std::abort();
      if (pl::list_prefix(source, "amd64").find('/') != std::string::npos) std::abort();
      pl::site_of(source.uri);
    }
  }
  return 0;
}
