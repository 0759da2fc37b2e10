// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/apt_reading.h"

#include <string_view>
#include <utility>
#include <vector>

#include "collectors/patch_level/input_token.h"
#include "collectors/patch_level/list_stream.h"

namespace vouch::patch_level {
namespace {

// Gives the list with this index to the finder.
Status read_list(const Root& root, std::size_t index, const FetchedList& list,
                 UpdateFinder& finder) {
  const auto file = root.open_file(list.path);
  if (!file) return file.error();
  const std::size_t malformed = finder.malformed();
  if (auto read = read_stanzas(file->get(), list.path,
                               [&](std::string_view stanza) { finder.add(index, stanza); });
      !read) {
    return read;
  }
  if (finder.malformed() > malformed) {
    return Error{Errc::invalid, list.path +
                                    ": entries without Package, Architecture or Version; run "
                                    "apt-get update"};
  }
  return Ok{};
}

SharedReading read_all(const Root& root) {
  auto reading = std::make_shared<AptReading>();
  auto status = read_dpkg_status(root, Relations::wanted);
  if (!status) return std::move(status).error();
  reading->status = *std::move(status);
  FileProblems& problems = reading->problems;
  const AptConfig config = read_apt_config(root, problems);
  const auto sources = read_apt_sources(root, problems);
  auto pins = read_preferences(root, problems);
  const auto host_architectures = architectures(root, reading->status, config);
  auto found = find_lists(root, sources, host_architectures);
  if (!found) return std::move(found).error();

  const std::string native = host_architectures.empty() ? "" : host_architectures.front();
  UpdateFinder finder(reading->status, native);
  std::vector<ListOrigin> origins;
  for (std::size_t i = 0; i < found->lists.size(); ++i) {
    FetchedList& list = found->lists[i];
    if (auto read = read_list(root, i, list, finder); !read) {
      problems.push_back(list_problem(*list.source, list.path, std::move(read).error()));
    }
    origins.push_back(std::move(list.origin));
  }
  origins.push_back(status_origin());
  const AptPolicy unpinned({}, origins, "", native);
  const AptPolicy policy(std::move(pins), std::move(origins), config.get("APT::Default-Release"),
                         native);
  reading->report = finder.finish(policy, unpinned);
  problems.insert(problems.end(), found->problems.begin(), found->problems.end());
  return std::shared_ptr<const AptReading>(std::move(reading));
}

}  // namespace

const SharedReading& reading_of(sdk::Context& context) {
  return context.once([&] { return read_all(context.root()); });
}

std::string reading_token(const sdk::Context& context) {
  InputToken token(context.root(), context.now());
  token.add_file(kStatusPath);
  token.add_directory("/var/lib/dpkg/updates");
  token.add_file("/var/lib/dpkg/arch");
  for (const std::string_view name : {"apt.conf", "preferences", "sources.list"}) {
    token.add_file("/etc/apt/" + std::string(name));
    token.add_directory("/etc/apt/" + std::string(name) + ".d");
  }
  token.add_directory(kListsPath);
  return token.text();
}

void add_gaps(const FileProblems& problems, sdk::Rows& rows) {
  for (const FileProblem& problem : problems) rows.gap(problem.path, problem.error);
}

void add_gaps(const AptReading& reading, sdk::Rows& rows) {
  add_gaps(reading.problems, rows);
  for (const Problem& problem : reading.status.problems) {
    rows.gap(problem.object, {Errc::invalid, problem.message});
  }
}

}  // namespace vouch::patch_level
