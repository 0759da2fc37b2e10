// SPDX-License-Identifier: Apache-2.0
// What a repository of RPM packages sends, and the files that name it.
#include <cstdlib>

#include "collectors/rpm_packages/ini_file.h"
#include "collectors/rpm_packages/repo_metadata.h"
#include "collectors/rpm_packages/repositories.h"

namespace rpm = vouch::rpm_packages;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(rpm::parse_repomd(text));
  // In two pieces, as in one.
  std::size_t once = 0;
  std::size_t twice = 0;
  rpm::MetadataReader whole([&](const rpm::ListedPackage&) { ++once; });
  rpm::MetadataReader parts([&](const rpm::ListedPackage&) { ++twice; });
  const bool is_whole_good = whole.feed(text) && whole.finish();
  const bool are_parts_good =
      parts.feed(text.substr(0, size / 2)) && parts.feed(text.substr(size / 2)) && parts.finish();
  if (is_whole_good != are_parts_good || (is_whole_good && once != twice)) std::abort();
  rpm::MetadataReader advisories([](const rpm::Advisory& advisory) {
    for (const rpm::ListedPackage& package : advisory.packages) {
      static_cast<void>(rpm::evr_text(package.epoch, package.version, package.release));
    }
  });
  static_cast<void>(advisories.feed(text) && advisories.finish());
  for (const rpm::IniSection& section : rpm::parse_ini(text).sections) {
    for (const auto& [name, value] : section.values) static_cast<void>(rpm::ini_list(value));
  }
  static_cast<void>(rpm::parse_repositories(text, "/x", {}));
  static_cast<void>(rpm::parse_version_locks(text));
  static_cast<void>(rpm::parse_zypper_locks(text));
  return 0;
}
