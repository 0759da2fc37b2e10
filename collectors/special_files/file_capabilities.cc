// SPDX-License-Identifier: Apache-2.0
#include "collectors/special_files/file_capabilities.h"

#include <endian.h>
#include <linux/capability.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>

#include "core/capabilities.h"

namespace vouch::special_files {
namespace {

constexpr int kBits = 64;

std::uint32_t word_at(std::string_view bytes, std::size_t index) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.data() + index * sizeof word, sizeof word);
  return le32toh(word);
}

}  // namespace

std::string file_capabilities_text(std::string_view attribute) {
  constexpr std::size_t kWord = sizeof(std::uint32_t);
  if (attribute.size() < kWord) return "invalid";
  const std::uint32_t magic = word_at(attribute, 0);
  const std::uint32_t revision = magic & VFS_CAP_REVISION_MASK;
  const bool is_old = revision == VFS_CAP_REVISION_1;
  const std::size_t size = kWord * (is_old ? 3 : revision == VFS_CAP_REVISION_3 ? 6 : 5);
  const bool is_known = is_old || revision == VFS_CAP_REVISION_2 || revision == VFS_CAP_REVISION_3;
  if (!is_known || attribute.size() != size) return "invalid";
  std::uint64_t permitted = word_at(attribute, 1);
  std::uint64_t inheritable = word_at(attribute, 2);
  if (!is_old) {
    permitted |= std::uint64_t{word_at(attribute, 3)} << 32;
    inheritable |= std::uint64_t{word_at(attribute, 4)} << 32;
  }
  const bool is_effective = (magic & VFS_CAP_FLAGS_EFFECTIVE) != 0;
  std::map<std::string, std::string> groups;  // Flags → names.
  for (int bit = 0; bit < kBits; ++bit) {
    std::string flags;
    const bool is_permitted = (permitted >> bit & 1) != 0;
    const bool is_inheritable = (inheritable >> bit & 1) != 0;
    if (!is_permitted && !is_inheritable) continue;
    if (is_effective) flags += 'e';
    if (is_inheritable) flags += 'i';
    if (is_permitted) flags += 'p';
    std::string& names = groups[flags];
    names += (names.empty() ? "" : ",") + capability_name(bit);
  }
  std::string text;
  for (const auto& [flags, names] : groups) {
    text += (text.empty() ? "" : " ") + names + "=" + flags;
  }
  return text.empty() ? "=" : text;
}

}  // namespace vouch::special_files
