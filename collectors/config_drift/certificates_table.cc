// SPDX-License-Identifier: Apache-2.0
// The table certificates: what lies where services look for theirs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/file_walk.h"
#include "collectors/config_drift/x509.h"
#include "collectors/facts/lines.h"
#include "collectors/sdk/context.h"
#include "collectors/sdk/foreign_mounts.h"
#include "core/digest.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr std::size_t kEntriesMax = 20'000;

std::vector<std::string> default_paths() {
  return {"/etc/ssl",        "/etc/pki/tls",       "/etc/pki/nginx", "/etc/letsencrypt/live",
          "/etc/nginx",      "/etc/apache2",       "/etc/httpd",     "/etc/haproxy",
          "/etc/postfix",    "/etc/dovecot",       "/etc/exim4",     "/etc/ldap",
          "/etc/openldap",   "/etc/postgresql",    "/etc/mysql",     "/etc/openvpn",
          "/etc/ipsec.d",    "/etc/swanctl",       "/etc/stunnel",   "/etc/cockpit/ws-certs.d",
          "/etc/freeradius", "/etc/prosody/certs", "/etc/docker",    "/etc/kubernetes/pki",
          "/etc/vouch"};
}

bool has_certificate_name(std::string_view path) {
  static constexpr std::array<std::string_view, 5> kEndings{".pem", ".crt", ".cer", ".cert",
                                                            ".der"};
  const std::string name = facts::lower_case(facts::base_name(path));
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

// The authorities that the host trusts are not its own certificates: bundles, and in Debian's
// /etc/ssl/certs the links to /usr/share/ca-certificates.
bool is_trust_store(const FileEntry& entry) {
  static constexpr std::array<std::string_view, 5> kBundles{
      "ca-certificates.crt", "ca-bundle.crt", "ca-bundle.trust.crt", "ca-bundle.pem", "cert.pem"};
  const bool is_bundle =
      std::find(kBundles.begin(), kBundles.end(), facts::base_name(entry.path)) != kBundles.end();
  const bool is_shared = entry.path.starts_with("/etc/ssl/") || entry.path.starts_with("/etc/pki/");
  const bool is_link = entry.path.starts_with("/etc/ssl/certs/") && S_ISLNK(entry.status.st_mode);
  return (is_bundle && is_shared) || is_link;
}

void add_row(Rows& rows, const std::string& path, std::int64_t position, const Certificate& item) {
  rows.add({path, position, item.subject, item.issuer, item.serial, item.not_before, item.not_after,
            item.key_type, item.key_bits, item.signature_algorithm, item.is_self_signed,
            item.is_authority, item.names, item.fingerprint});
}

void read_file(Context& context, Rows& rows, const std::string& path) {
  const auto bytes = context.root().read(path, kFileBytesMax);
  if (!bytes) return rows.gap(path, bytes.error());
  std::int64_t position = 0;
  for (const auto& item : parse_certificate_file(*bytes)) {
    ++position;
    if (item) {
      add_row(rows, path, position, *item);
    } else {
      rows.gap(fmt::format("{}#{}", path, position), item.error());
    }
  }
}

Status collect(Context& context, Rows& rows) {
  auto paths = context.texts_option("certificate_paths", default_paths());
  WalkLimits limits;
  limits.entries_max = kEntriesMax;
  limits.untouched = sdk::foreign_mounts(context.root()).value_or({});
  limits.is_over = [&context] { return context.remaining().count() == 0; };
  const auto entries =
      walk(context.root(), std::move(paths), limits,
           [&rows](const std::string& path, const Error& error) { rows.gap(path, error); });
  if (!entries) return entries.error();
  std::vector<std::string> files;
  std::string state = "certificates 1";
  for (const FileEntry& entry : *entries) {
    if (S_ISDIR(entry.status.st_mode) || !has_certificate_name(entry.path)) continue;
    if (is_trust_store(entry)) continue;
    const auto status = context.root().stat(entry.path);
    if (!status || !S_ISREG(status->st_mode)) {
      const Error error = status ? Error{Errc::invalid, "is no regular file"} : status.error();
      rows.gap(entry.path, error);
      continue;
    }
    files.push_back(entry.path);
    state += fmt::format("\n{} {} {} {} {}.{} {}.{}", entry.path, status->st_dev, status->st_ino,
                         status->st_size, status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
                         status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
  }
  if (rows.unchanged(sha256_hex(state))) return Ok{};
  for (const std::string& path : files) read_file(context, rows, path);
  return Ok{};
}

}  // namespace

sdk::Option certificates_option() {
  return {"certificate_paths", sdk::OptionType::texts,
          "certificates: files and trees (default: where web, mail, directory, database and VPN "
          "servers have theirs, without the trusted authorities)"};
}

sdk::Table certificates_table() {
  return {
      .name = "certificates",
      .title = "X.509 certificates in the places where services have theirs",
      .columns =
          {sdk::bytes("path", "The file").key(),
           sdk::integer("position", "In the file, from 1").key(), sdk::text("subject", "RFC 2253"),
           sdk::text("issuer", "RFC 2253"), sdk::text("serial", "Hex digits"),
           sdk::time("not_before", "Valid from"), sdk::time("not_after", "Valid until"),
           sdk::text("key_type", "rsa, ec, ed25519 …"),
           sdk::integer("key_bits", "Size of the key").nullable("a kind of key that is not known"),
           sdk::text("signature_algorithm", "As OpenSSL names it"),
           sdk::boolean("self_signed", "Signed by its own key"),
           sdk::boolean("certificate_authority", "It may sign others"),
           sdk::text("names", "Alternative names"), sdk::text("sha256", "Fingerprint, hex digits")},
      .capabilities = {"CAP_DAC_READ_SEARCH"},
      .collect = collect};
}

}  // namespace vouch::drift
