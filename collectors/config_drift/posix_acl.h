// SPDX-License-Identifier: Apache-2.0
// POSIX access control lists as the kernel keeps them in an extended attribute.
#pragma once

#include <string>
#include <string_view>

namespace vouch::drift {

inline constexpr const char* kAccessAclAttribute = "system.posix_acl_access";
inline constexpr const char* kDefaultAclAttribute = "system.posix_acl_default";

// "user::rw-,user:1000:r--,group::r--,mask::r--,other::---", as `getfacl --numeric` lists it.
// "invalid" for anything else.
std::string posix_acl_text(std::string_view attribute);

}  // namespace vouch::drift
