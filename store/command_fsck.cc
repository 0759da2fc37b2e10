// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

#include "core/file.h"
#include "core/json.h"
#include "core/text_table.h"
#include "store/arguments.h"
#include "store/commands.h"
#include "store/disk.h"
#include "store/fsck.h"
#include "store/layout.h"
#include "store/store.h"

namespace vouch::store {
namespace {

constexpr std::size_t kFaultsListedMax = 10'000;  // In JSON; all are counted.

json::Value to_json(const Fault& fault) {
  json::Object object{
      {"name", fault.name}, {"kind", fault.lost ? "lost" : "damaged"}, {"detail", fault.detail}};
  if (!fault.agent.empty()) {
    object.emplace("agent", fault.agent);
    object.emplace("seq", fault.seq);
  }
  return object;
}

void print_fault(const Fault& fault) {
  std::string line = (fault.lost ? "lost     " : "damaged  ") + fault.name;
  if (!fault.lost) line += ": " + fault.detail;
  if (!fault.agent.empty()) {
    line += "  (agent " + fault.agent + ", bundle " + std::to_string(fault.seq) + ")";
  }
  std::printf("%s\n", printable(line).c_str());
}

// So that it counts as lost, and the next parcel that names it must bring it along.
Status set_aside(const std::string& dir, const Fault& fault) {
  const std::string aside = dir + "/" + std::string(layout::kDamaged);
  auto made = make_directories(aside);
  if (!made) return made;
  return rename_durable(dir + "/" + fault.name,
                        aside + "/" + fault.name.substr(fault.name.rfind('/') + 1));
}

void print_counts(const FsckCounts& counts, std::size_t aside) {
  std::printf(
      "%llu leaves, %llu bundles, %llu blobs: ", static_cast<unsigned long long>(counts.leaves),
      static_cast<unsigned long long>(counts.bundles),
      static_cast<unsigned long long>(counts.blobs));
  if (counts.faults == 0) {
    std::printf("nothing is lost or damaged");
  } else {
    std::printf("%llu lost or damaged", static_cast<unsigned long long>(counts.faults));
  }
  if (counts.dropped != 0) {
    std::printf("; %llu were dropped or purged, and the log says so",
                static_cast<unsigned long long>(counts.dropped));
  }
  std::printf("\n");
  if (aside != 0) std::printf("%zu damaged blobs moved to damaged/\n", aside);
  if (counts.faults == 0) return;
  std::printf(
      "blobs and bundles come back when their agent sends the parcel again (it keeps what it\n"
      "delivered for 7 days); everything else from a copy of this directory: files with these\n"
      "names never change, but for checkpoint\n");
}

}  // namespace

int command_fsck(const std::vector<std::string>& words) {
  auto arguments = Arguments::parse(words, {"--dir", "--format"}, {"--set-aside"});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  const std::string format = arguments->get("--format", "table");
  if (!arguments->has("--dir") || !arguments->rest().empty() ||
      (format != "table" && format != "json")) {
    return fail(kExitUsage, "expected: fsck --dir DIR [--set-aside] [--format table|json]");
  }
  const std::string dir = arguments->get("--dir");
  auto settings = read_settings(dir);
  if (!settings) return fail(kExitUnavailable, settings.error().message);
  auto vkey = read_vkey(dir);
  if (!vkey) return fail(kExitUnavailable, vkey.error().message);
  auto index = Index::open_read_only(dir + "/" + std::string(layout::kDatabase));
  if (!index) return fail(kExitUnavailable, index.error().message);
  DirectoryDisk disk(dir, nullptr);  // Reads alone: what a serving store is writing stays.

  json::Array faults;
  std::size_t aside = 0;
  std::string trouble;
  auto counts = check_files(disk, *index, *vkey, [&](const Fault& fault) {
    if (format == "table") print_fault(fault);
    if (format == "json" && faults.size() < kFaultsListedMax) faults.push_back(to_json(fault));
    const bool blob = fault.name.starts_with("blobs/");
    if (!arguments->has("--set-aside") || fault.lost || !blob) return;
    auto moved = set_aside(dir, fault);
    if (moved) ++aside;
    if (!moved) trouble = moved.error().message;
  });
  if (!counts) return fail(kExitFailed, "fsck: " + counts.error().message);
  if (format == "json") {
    const json::Object report{{"leaves", counts->leaves},
                              {"bundles", counts->bundles},
                              {"blobs", counts->blobs},
                              {"dropped", counts->dropped},
                              {"lost_or_damaged", counts->faults},
                              {"set_aside", std::uint64_t{aside}},
                              {"faults", std::move(faults)}};
    std::printf("%s\n", json::write_pretty(report).c_str());
  } else {
    print_counts(*counts, aside);
  }
  if (!trouble.empty()) return fail(kExitFailed, "fsck: " + trouble);
  return counts->faults == 0 ? kExitOk : kExitFailed;
}

}  // namespace vouch::store
