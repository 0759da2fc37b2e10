// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/ask.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ostream>

#include "agent/vouchd/control.h"

namespace vouch::cli {
namespace {

// A run may be under way; it has its own deadline.
constexpr std::chrono::milliseconds kDeadline{60'000};
constexpr std::size_t kDigestShown = 12;

}  // namespace

Result<json::Value> ask_daemon(const Places& places, const json::Value& request) {
  return agent::control_request(places.config.control_socket(), request, kDeadline);
}

int fail_daemon(const Error& error, const Places& places, const Output& output) {
  if (error.code == Errc::not_found || error.code == Errc::unavailable) {
    output.err << fmt::format(
        "vouch: no vouchd answers at {}: start it (`systemctl start vouchd`), or name its "
        "configuration with --config\n",
        places.config.control_socket());
    return kExitUnavailable;
  }
  if (error.code == Errc::denied && ::geteuid() != 0) {
    output.note("only root and the daemon's user and group may ask it: try sudo");
  }
  return output.fail(error);
}

std::string cell(const json::Value& row, std::string_view name) {
  const auto* value = row.find(name);
  if (value == nullptr) return {};
  return value->if_string() != nullptr ? *value->if_string() : json::write(*value);
}

int run_list(const Arguments& arguments, const Listing& listing, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto answer = ask_daemon(*places, json::Object{{"command", listing.name}});
  if (!answer) return fail_daemon(answer.error(), *places, output);
  const auto* list = answer->find(listing.name);
  if (list == nullptr || list->if_array() == nullptr) {
    return output.fail({Errc::invalid, fmt::format("vouchd's answer has no {}", listing.name)});
  }
  if (output.json) {
    output.write_json(*list);
    return kExitPass;
  }
  if (list->if_array()->empty()) {
    output.out << listing.if_empty << '\n';
    return kExitPass;
  }
  TextTable table(listing.columns);
  for (const auto& row : *list->if_array()) {
    std::vector<std::string> cells;
    for (const std::string& column : listing.columns) {
      cells.push_back(cell(row, column));
      if (column == "sha256") cells.back().resize(std::min(cells.back().size(), kDigestShown));
    }
    table.add(std::move(cells));
  }
  output.out << table.render(output.style);
  return kExitPass;
}

std::string user_name() {
  const char* behind = ::geteuid() == 0 ? std::getenv("SUDO_USER") : nullptr;
  if (behind != nullptr && *behind != '\0') return behind;
  const struct passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(::geteuid());
}

}  // namespace vouch::cli
