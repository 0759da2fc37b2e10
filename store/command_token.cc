// SPDX-License-Identifier: Apache-2.0
// token create, list, revoke. Tokens are no evidence: the leaf of an enrolment names the one that
// was used.
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "core/file.h"
#include "core/json.h"
#include "core/text_table.h"
#include "proto/join_string.h"
#include "store/arguments.h"
#include "store/certificates.h"
#include "store/commands.h"
#include "store/layout.h"
#include "store/store.h"
#include "store/token.h"

namespace vouch::store {
namespace {

constexpr std::size_t kCertificateBytesMax = 64u << 10;
constexpr std::int64_t kTokenUsesMax = 1'000'000;
constexpr std::string_view kAccount = "local";

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

struct ListedToken {
  Token token;
  std::int64_t agents = 0;  // Enrolled with it.
  std::string state;
};

std::string state_of(const Token& token, WallMs now) {
  if (token.expires == 0) return "revoked";
  if (token.expires <= now) return "expired";
  return token.role == Role::agent && token.uses_left <= 0 ? "used up" : "valid";
}

json::Value to_json(const ListedToken& listed) {
  const auto& token = listed.token;
  json::Object object{{"id", token.id},         {"role", to_string(token.role)},
                      {"state", listed.state},  {"agents", listed.agents},
                      {"labels", token.labels}, {"by", token.by}};
  if (token.role == Role::agent) object.emplace("uses_left", token.uses_left);
  if (token.expires != 0) object.emplace("expires", format_instant(token.expires));
  return object;
}

void print_tokens(const std::vector<ListedToken>& tokens) {
  TextTable table({"ID", "ROLE", "STATE", "AGENTS", "USES LEFT", "EXPIRES", "LABELS", "BY"});
  for (const auto& [token, agents, state] : tokens) {
    table.add({token.id, std::string(to_string(token.role)), state, std::to_string(agents),
               token.role == Role::agent ? std::to_string(token.uses_left) : "-",
               token.expires == 0 ? "-" : format_instant(token.expires), token.labels, token.by},
              state == "valid" ? Colour::none : Colour::dim);
  }
  std::fputs(table.render(terminal_style()).c_str(), stdout);
}

int list_tokens(const std::string& dir, const std::string& format) {
  auto settings = read_settings(dir);
  if (!settings) return fail(kExitUnavailable, settings.error().message);
  auto index = Index::open_read_only(dir + "/" + std::string(layout::kDatabase));
  if (!index) return fail(kExitUnavailable, index.error().message);
  auto tokens = index->tokens();
  if (!tokens) return fail(kExitFailed, tokens.error().message);
  const WallMs now = SystemClock().wall_ms();
  std::vector<ListedToken> listed;
  for (auto& token : *tokens) {
    auto agents = index->agents_of_token(token.id);
    if (!agents) return fail(kExitFailed, agents.error().message);
    auto state = state_of(token, now);
    listed.push_back({std::move(token), *agents, std::move(state)});
  }
  if (format == "json") {
    json::Array array;
    for (const auto& one : listed) array.push_back(to_json(one));
    std::printf("%s\n", json::write_pretty(json::Object{{"tokens", std::move(array)}}).c_str());
  } else if (listed.empty()) {
    std::printf("no token was made yet: vouch-store token create --dir %s\n", dir.c_str());
  } else {
    print_tokens(listed);
  }
  return kExitOk;
}

int revoke_token(const std::string& dir, const std::string& id) {
  auto settings = read_settings(dir);
  if (!settings) return fail(kExitUnavailable, settings.error().message);
  auto index = Index::open(dir + "/" + std::string(layout::kDatabase));
  if (!index) return fail(kExitUnavailable, index.error().message);
  auto revoked = index->revoke_token(id);
  if (!revoked) return fail(kExitFailed, "token " + id + ": " + revoked.error().message);
  std::printf("token %s is revoked; agents that it enrolled stay\n", id.c_str());
  return kExitOk;
}

}  // namespace

int command_token(const std::vector<std::string>& words) {
  auto arguments = Arguments::parse(
      words, {"--dir", "--uses", "--expires", "--label", "--role", "--format"}, {});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  const auto& rest = arguments->rest();
  const std::string verb = rest.empty() ? "" : rest[0];
  const std::string format = arguments->get("--format", "table");
  const std::size_t count = verb == "revoke" ? 2 : 1;
  const bool known = verb == "create" || verb == "list" || verb == "revoke";
  if (!arguments->has("--dir") || !known || rest.size() != count ||
      (format != "table" && format != "json")) {
    return fail(kExitUsage, "expected: token create|list|revoke ID --dir DIR; see --help");
  }
  const std::string dir = arguments->get("--dir");
  if (verb == "list") return list_tokens(dir, format);
  if (verb == "revoke") return revoke_token(dir, rest[1]);
  return create_token(dir, *arguments);
}

}  // namespace vouch::store
