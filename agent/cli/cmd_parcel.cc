// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <ostream>

#include "agent/cli/ask.h"
#include "agent/ship/air_gap.h"

namespace vouch::cli {
namespace {

ship::CourierPaths courier_paths(const Places& places) {
  return {places.config.outbox_dir(), places.config.receipts_dir()};
}

}  // namespace

int run_parcel_export(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  const auto& directory = arguments.positional[0];
  auto count = ship::export_parcels(courier_paths(*places), directory);
  if (!count) return output.fail(std::move(count).error().in("parcel export"));
  if (output.json) {
    output.write_json(json::Object{{"parcels", std::int64_t{*count}}, {"directory", directory}});
    return kExitPass;
  }
  output.out << fmt::format("{} parcels copied to {}\n", *count, directory);
  if (*count > 0) {
    output.out << fmt::format(
        "next: `vouch-store import {0} --dir STORE` on the store, then `vouch parcel import {0}` "
        "here\n",
        directory);
  }
  return kExitPass;
}

// The agent's id is the folder of the export; the daemon knows it.
int run_parcel_import(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto answer = ask_daemon(*places, json::Object{{"command", "status"}});
  if (!answer) return fail_daemon(answer.error(), *places, output);
  const auto* status = answer->find("status");
  auto agent = status == nullptr
                   ? Result<std::string>(Error{Errc::invalid, "vouchd's answer has no status"})
                   : json::get_string(*status, "agent");
  if (!agent) return output.fail(agent.error());
  auto count = ship::import_receipts(courier_paths(*places), *agent, arguments.positional[0]);
  if (!count) return output.fail(std::move(count).error().in("parcel import"));
  if (output.json) {
    output.write_json(json::Object{{"receipts", std::int64_t{*count}}});
    return kExitPass;
  }
  output.out << fmt::format("{} receipts brought home; vouchd checks each (`vouch status`)\n",
                            *count);
  return kExitPass;
}

}  // namespace vouch::cli
