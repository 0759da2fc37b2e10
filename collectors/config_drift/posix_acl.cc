// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/posix_acl.h"

#include <endian.h>
#include <fmt/format.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <cstring>

namespace vouch::drift {
namespace {

constexpr std::size_t kHeaderBytes = sizeof(posix_acl_xattr_header);
constexpr std::size_t kEntryBytes = sizeof(posix_acl_xattr_entry);

std::string subject(std::uint16_t tag, std::uint32_t id) {
  switch (tag) {
    case ACL_USER_OBJ:
      return "user:";
    case ACL_USER:
      return fmt::format("user:{}", id);
    case ACL_GROUP_OBJ:
      return "group:";
    case ACL_GROUP:
      return fmt::format("group:{}", id);
    case ACL_MASK:
      return "mask:";
    case ACL_OTHER:
      return "other:";
    default:
      return "";
  }
}

}  // namespace

std::string posix_acl_text(std::string_view attribute) {
  posix_acl_xattr_header header;
  if (attribute.size() < kHeaderBytes) return "invalid";
  std::memcpy(&header, attribute.data(), kHeaderBytes);
  attribute.remove_prefix(kHeaderBytes);
  if (le32toh(header.a_version) != POSIX_ACL_XATTR_VERSION || attribute.empty() ||
      attribute.size() % kEntryBytes != 0) {
    return "invalid";
  }
  std::string text;
  for (; !attribute.empty(); attribute.remove_prefix(kEntryBytes)) {
    posix_acl_xattr_entry entry;
    std::memcpy(&entry, attribute.data(), kEntryBytes);
    const std::string who = subject(le16toh(entry.e_tag), le32toh(entry.e_id));
    const unsigned bits = le16toh(entry.e_perm);
    if (who.empty() || bits > 7) return "invalid";
    text += fmt::format("{}{}:{}{}{}", text.empty() ? "" : ",", who, bits & ACL_READ ? 'r' : '-',
                        bits & ACL_WRITE ? 'w' : '-', bits & ACL_EXECUTE ? 'x' : '-');
  }
  return text;
}

}  // namespace vouch::drift
