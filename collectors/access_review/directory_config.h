// SPDX-License-Identifier: Apache-2.0
// Which directories a host takes accounts and passwords from, and how it speaks to them: sssd,
// nslcd, the LDAP library, Kerberos, winbind and nsswitch.conf, as configured. Only settings of a
// fixed list are taken, so no password is: of those it is said that they are set.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/redact.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::access {

struct DirectorySetting {
  std::string service;  // "nsswitch", "sssd", "nslcd", "ldap", "krb5", "winbind".
  std::string section;  // "domain/example.com", "realms/EXAMPLE.COM"; empty: the file has none.
  std::string name;     // Lower case.
  std::string value;
  std::string source;
};

struct DirectoryConfig {
  // Of one that stands twice the last; of Kerberos and of servers (uri, host) all.
  std::vector<DirectorySetting> settings;
  std::vector<std::pair<std::string, Error>> gaps;
};

// "[section]", then "name = value"; `#` and `;` begin a comment.
std::vector<DirectorySetting> parse_sections(std::string_view text, const std::string& source);
// "name value"; `#` begins a comment.
std::vector<DirectorySetting> parse_words(std::string_view text, const std::string& source);
// krb5.conf(5): sections with "name = value" and "name = { … }". `includes` gets the paths of
// include, and of includedir with a slash at the end.
std::vector<DirectorySetting> parse_krb5(std::string_view text, const std::string& source,
                                         std::vector<std::string>& includes);

DirectoryConfig read_directory_config(const Root& root);

}  // namespace vouch::access
