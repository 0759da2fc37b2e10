// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/directory_config.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "collectors/facts/lines.h"
#include "collectors/facts/sshd_config.h"

namespace vouch::access {
namespace {

constexpr std::size_t kConfigBytesMax = 4 << 20;
constexpr std::size_t kKrb5FilesMax = 200;

// What says who gets in, from where the accounts come, and whether the way there is safe.
const std::set<std::string, std::less<>>& wanted_names() {
  static const std::set<std::string, std::less<>> kNames{
      "access_provider",
      "account_cache_expiration",
      "ad_access_filter",
      "ad_domain",
      "ad_gpo_access_control",
      "ad_server",
      "admin_server",
      "allow_weak_crypto",
      "auth_provider",
      "base",
      "binddn",
      "cache_credentials",
      "chpass_provider",
      "client ldap sasl wrapping",
      "default_realm",
      "default_tgs_enctypes",
      "default_tkt_enctypes",
      "dns_canonicalize_hostname",
      "dns_lookup_kdc",
      "dns_lookup_realm",
      "domains",
      "entry_cache_timeout",
      "enumerate",
      "fallback_homedir",
      "forwardable",
      "id_provider",
      "ipa_domain",
      "ipa_server",
      "kdc",
      "kpasswd_server",
      "krb5_realm",
      "krb5_server",
      "krb5_store_password_if_offline",
      "krb5_validate",
      "ldap_access_filter",
      "ldap_access_order",
      "ldap_auth_disable_tls_never_use_in_production",
      "ldap_backup_uri",
      "ldap_default_bind_dn",
      "ldap_id_use_start_tls",
      "ldap_schema",
      "ldap_search_base",
      "ldap_tls_cacert",
      "ldap_tls_cacertdir",
      "ldap_tls_reqcert",
      "ldap_uri",
      "map to guest",
      "max_id",
      "min_id",
      "nss_min_uid",
      "offline_credentials_expiration",
      "offline_failed_login_attempts",
      "override_shell",
      "pam_authz_search",
      "pam_cert_auth",
      "permitted_enctypes",
      "proxy_pam_target",
      "rdns",
      "realm",
      "rootpwmoddn",
      "security",
      "services",
      "simple_allow_groups",
      "simple_allow_users",
      "simple_deny_groups",
      "simple_deny_users",
      "ssl",
      "sudo_provider",
      "template shell",
      "ticket_lifetime",
      "renew_lifetime",
      "tls_cacert",
      "tls_cacertdir",
      "tls_cacertfile",
      "tls_checkpeer",
      "tls_reqcert",
      "uri",
      "host",
      "use_fully_qualified_names",
      "winbind offline logon",
      "winbind use default domain",
      "workgroup"};
  return kNames;
}

// Passwords and tokens: set or not is all that is taken.
constexpr std::array<std::string_view, 6> kSecretNames{
    "bindpw", "ldap_default_authtok", "rootpwmodpw", "rootbindpw", "tls_keypw", "pam_password"};

bool is_secret(std::string_view name) {
  return std::find(kSecretNames.begin(), kSecretNames.end(), name) != kSecretNames.end();
}

std::string section_of(std::string_view line) {
  const std::size_t end = std::min(line.find(']'), line.size());
  return std::string(facts::trim(line.substr(1, std::max<std::size_t>(end, 1) - 1)));
}

// "name = value"; false for anything else.
bool split(std::string_view line, std::string& name, std::string& value) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  name = facts::lower_case(facts::trim(line.substr(0, equals)));
  value = facts::trim(line.substr(equals + 1));
  return true;
}

class Reader {
 public:
  explicit Reader(const Root& root) : root_(root) {}

  DirectoryConfig read() {
    read_nsswitch();
    std::vector<std::string> sssd = facts::glob_paths(root_, "/etc/sssd/conf.d/*.conf");
    sssd.insert(sssd.begin(), "/etc/sssd/sssd.conf");
    for (const std::string& path : sssd) {
      if (const auto text = read_file(path)) add("sssd", parse_sections(*text, path));
    }
    for (const auto& [service, path] :
         {std::pair{"nslcd", "/etc/nslcd.conf"}, std::pair{"ldap", "/etc/ldap/ldap.conf"},
          std::pair{"ldap", "/etc/openldap/ldap.conf"}, std::pair{"ldap", "/etc/ldap.conf"},
          std::pair{"ldap", "/etc/libnss-ldap.conf"}, std::pair{"ldap", "/etc/pam_ldap.conf"}}) {
      // Each is read by another library: what one sets says nothing of the other.
      if (const auto text = read_file(path)) add(service, parse_words(*text, path));
    }
    read_krb5();
    if (const auto text = read_file("/etc/samba/smb.conf")) {
      auto settings = parse_sections(*text, "/etc/samba/smb.conf");
      std::erase_if(settings,
                    [](const auto& one) { return facts::lower_case(one.section) != "global"; });
      add("winbind", std::move(settings));
    }
    return std::move(found_);
  }

 private:
  std::optional<std::string> read_file(const std::string& path) {
    auto text = root_.read(path, kConfigBytesMax);
    if (text) return *std::move(text);
    if (text.error().code != Errc::not_found) found_.gaps.emplace_back(path, text.error());
    return {};
  }

  // Of sssd and nslcd the last value holds, over all of their files; of the others of one file.
  void add(const std::string& service, std::vector<DirectorySetting> settings) {
    for (DirectorySetting& setting : settings) {
      setting.service = service;
      const bool is_listed = wanted_names().contains(setting.name);
      if (is_secret(setting.name)) setting.value = std::string(kRedacted);
      if (!is_listed && !is_secret(setting.name)) continue;
      std::string key = service + '\n' + setting.section + '\n' + setting.name;
      if (service == "ldap") key += '\n' + setting.source;
      const bool adds_up = service == "krb5" || setting.name == "uri" || setting.name == "host";
      const auto [place, is_new] = places_.try_emplace(key, found_.settings.size());
      if (is_new || adds_up) {
        found_.settings.push_back(std::move(setting));
      } else {
        found_.settings[place->second] = std::move(setting);
      }
    }
  }

  void read_nsswitch() {
    static constexpr std::array<std::string_view, 9> kDatabases{
        "passwd",   "group",   "shadow", "gshadow",  "initgroups",
        "netgroup", "sudoers", "subid",  "automount"};
    const std::string path = "/etc/nsswitch.conf";
    const auto text = read_file(path);
    if (!text) return;
    facts::each_line(*text, [&](std::string_view line, int) {
      const std::size_t colon = line.find(':');
      const std::string name = facts::lower_case(facts::trim(line.substr(0, colon)));
      const bool is_wanted =
          colon != std::string_view::npos &&
          std::find(kDatabases.begin(), kDatabases.end(), name) != kDatabases.end();
      if (!is_wanted) return;
      std::string value;
      for (const std::string_view word : facts::words_of(line.substr(colon + 1))) {
        if (word[0] == '#') break;
        value += (value.empty() ? "" : " ") + std::string(word);
      }
      found_.settings.push_back({"nsswitch", "", name, value, path});
    });
  }

  void read_krb5() {
    std::vector<std::string> files{"/etc/krb5.conf"};
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (i >= kKrb5FilesMax) {
        found_.gaps.emplace_back(files[i], Error{Errc::too_large, "too many includes"});
        return;
      }
      if (std::find(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(i), files[i]) !=
          files.begin() + static_cast<std::ptrdiff_t>(i)) {
        continue;  // It includes itself.
      }
      const auto text = read_file(files[i]);
      if (!text) continue;
      std::vector<std::string> includes;
      add("krb5", parse_krb5(*text, files[i], includes));
      for (const std::string& path : includes) {
        if (!path.ends_with('/')) {
          files.push_back(path);
          continue;
        }
        for (const std::string& each : facts::glob_paths(root_, path + "*")) {
          const std::string_view name = facts::base_name(each);
          const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '_';
          });
          if (is_plain || name.ends_with(".conf")) files.push_back(each);
        }
      }
    }
  }

  const Root& root_;
  DirectoryConfig found_;
  std::map<std::string, std::size_t> places_;
};

}  // namespace

std::vector<DirectorySetting> parse_sections(std::string_view text, const std::string& source) {
  std::vector<DirectorySetting> settings;
  std::string section;
  facts::each_line(text, [&](std::string_view line, int) {
    DirectorySetting setting{"", section, "", "", source};
    if (line[0] == ';') return;
    if (line[0] == '[') {
      section = section_of(line);
    } else if (split(line, setting.name, setting.value)) {
      settings.push_back(std::move(setting));
    }
  });
  return settings;
}

std::vector<DirectorySetting> parse_words(std::string_view text, const std::string& source) {
  std::vector<DirectorySetting> settings;
  facts::each_line(text, [&](std::string_view line, int) {
    const std::string name = facts::lower_case(facts::take_word(line));
    settings.push_back({"", "", name, std::string(facts::trim(line)), source});
  });
  return settings;
}

std::vector<DirectorySetting> parse_krb5(std::string_view text, const std::string& source,
                                         std::vector<std::string>& includes) {
  std::vector<DirectorySetting> settings;
  std::string section;
  std::string group;  // "/EXAMPLE.COM" inside its braces.
  facts::each_line(text, [&](std::string_view line, int) {
    DirectorySetting setting{"", section + group, "", "", source};
    std::string_view rest = line;
    const std::string_view word = facts::take_word(rest);
    if (line[0] == ';') return;
    if (line[0] == '[') {
      section = section_of(line);
      group.clear();
    } else if (line[0] == '}') {
      group.clear();
    } else if (word == "include" || word == "includedir") {
      std::string path(facts::trim(rest));
      if (word == "includedir" && !path.ends_with('/')) path += '/';
      includes.push_back(std::move(path));
    } else if (split(line, setting.name, setting.value)) {
      if (setting.value.starts_with('{')) {
        group = '/' + std::string(facts::trim(line.substr(0, line.find('='))));
      } else {
        settings.push_back(std::move(setting));
      }
    }
  });
  return settings;
}

DirectoryConfig read_directory_config(const Root& root) {
  return Reader(root).read();
}

}  // namespace vouch::access
