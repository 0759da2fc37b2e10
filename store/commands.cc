// SPDX-License-Identifier: Apache-2.0
#include "store/commands.h"

#include <unistd.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "core/file.h"
#include "proto/join_string.h"
#include "store/arguments.h"
#include "store/certificates.h"
#include "store/layout.h"
#include "store/store.h"
#include "store/token.h"

namespace vouch::store {
namespace {

constexpr std::size_t kHostNameBytesMax = 256;
constexpr std::size_t kCertificateBytesMax = 64u << 10;
constexpr std::int64_t kTokenUsesMax = 1'000'000;
constexpr std::string_view kAccount = "local";

std::string host_name() {
  char name[kHostNameBytesMax] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

// The secret goes to standard output alone, and is shown this once.
void print_line(const std::string& line) {
  std::printf("%s\n", line.c_str());
}

Result<std::string> ca_pin(const std::string& dir, const Settings& settings) {
  if (!settings.own_ca) return std::string();
  auto pem = read_file(dir + "/" + std::string(layout::kCaCertificate), kCertificateBytesMax);
  if (!pem) return pem;
  auto spki = certificate_spki(*pem);
  if (!spki) return spki;
  return sha256(*spki);
}

Result<std::string> join_string(const std::string& dir, const PresentedToken& token) {
  auto settings = read_settings(dir);
  if (!settings) return std::move(settings).error();
  auto vkey = read_vkey(dir);
  if (!vkey) return std::move(vkey).error();
  auto pin = ca_pin(dir, *settings);
  if (!pin) return pin;
  JoinString join;
  const bool is_ipv6 = settings->host.find(':') != std::string::npos;
  join.host = is_ipv6 ? "[" + settings->host + "]" : settings->host;
  join.port = settings->port;
  auto id = hex_decode(token.id);
  join.token_id = *id;
  join.token_secret = token.secret;
  join.pin = sha256(note::write_vkey(*vkey));
  join.tls = *pin;
  return write_join_string(join);
}

Result<std::string> labels_of(const Arguments& arguments) {
  std::string labels;
  for (const auto& label : arguments.all("--label")) {
    const auto equals = label.find('=');
    const bool blank = label.find_first_of(" \t\n") != std::string::npos;
    if (equals == std::string::npos || equals == 0 || blank) {
      return Error{Errc::invalid, "--label \"" + label + "\": expected name=value without blanks"};
    }
    labels += (labels.empty() ? "" : " ") + label;
  }
  return labels;
}

int create_token(const std::string& dir, const Arguments& arguments) {
  auto role = parse_role(arguments.get("--role", "agent"));
  if (!role) return fail(kExitUsage, "--role: " + role.error().message);
  auto uses = parse_count(arguments.get("--uses", "1"), kTokenUsesMax);
  if (!uses) return fail(kExitUsage, "--uses " + uses.error().message);
  auto lifetime = parse_duration_seconds(arguments.get("--expires", "24h"));
  if (!lifetime) return fail(kExitUsage, "--expires " + lifetime.error().message);
  auto labels = labels_of(arguments);
  if (!labels) return fail(kExitUsage, labels.error().message);

  const PresentedToken presented = new_token();
  auto text = *role == Role::agent ? join_string(dir, presented) : write_token(presented);
  if (!text) return fail(kExitUnavailable, text.error().message);
  auto index = Index::open(dir + "/" + std::string(layout::kDatabase));
  if (!index) return fail(kExitUnavailable, index.error().message);
  const WallMs expires = SystemClock().wall_ms() + *lifetime * 1000;
  const Token token{presented.id, *role,   kept_secret(*role, presented), *uses,
                    expires,      *labels, std::string(kAccount)};
  auto added = index->add_token(token);
  if (!added) return fail(kExitFailed, added.error().message);
  print_line(*text);
  std::fprintf(
      stderr, "%s\n",
      (*role == Role::agent
           ? "a secret, shown once: give it to `vouch enroll` on standard input; expires " +
                 format_instant(expires)
           : "a secret, shown once: send it as `Authorization: Bearer …`; expires " +
                 format_instant(expires))
          .c_str());
  return kExitOk;
}

}  // namespace

int fail(int code, const std::string& message) {
  std::fprintf(stderr, "vouch-store: %s\n", message.c_str());
  return code;
}

int command_init(const std::vector<std::string>& words) {
  auto arguments =
      Arguments::parse(words, {"--dir", "--origin", "--listen", "--host"}, {"--no-ca"});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  if (!arguments->has("--dir") || !arguments->has("--origin") || !arguments->rest().empty()) {
    return fail(kExitUsage, "init needs --dir DIR and --origin NAME; see --help");
  }
  Settings settings;
  settings.origin = arguments->get("--origin");
  settings.host = arguments->get("--host", host_name());
  settings.address = "0.0.0.0";
  settings.own_ca = !arguments->has("--no-ca");
  auto listen = parse_listen(arguments->get("--listen", ""), settings);
  if (!listen) return fail(kExitUsage, "--listen " + listen.error().message);
  const std::string dir = arguments->get("--dir");
  auto made = Store::init(dir, settings, SystemClock());
  if (!made) return fail(kExitFailed, "init: " + made.error().message);
  auto vkey = read_vkey(dir);
  if (!vkey) return fail(kExitFailed, "init: " + vkey.error().message);
  print_line(note::write_vkey(*vkey));
  std::fprintf(
      stderr,
      "made the store %s, which agents reach as %s\n"
      "above is the log's verifier key: give it to auditors by another way than this store\n"
      "next: vouch-store serve --dir %s, then vouch-store token create --dir %s\n",
      settings.origin.c_str(), settings.url().c_str(), dir.c_str(), dir.c_str());
  return kExitOk;
}

int command_token(const std::vector<std::string>& words) {
  auto arguments =
      Arguments::parse(words, {"--dir", "--uses", "--expires", "--label", "--role"}, {});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  if (arguments->rest() != std::vector<std::string>{"create"} || !arguments->has("--dir")) {
    return fail(kExitUsage, "expected: token create --dir DIR; see --help");
  }
  return create_token(arguments->get("--dir"), *arguments);
}

}  // namespace vouch::store
