// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/own_tests.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "collectors/backup_jobs/pgbackrest.h"
#include "core/digest.h"
#include "core/json.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::string_view kForm = "vouch-backup-tests-1\n";
constexpr std::size_t kDigestBytes = 64;
constexpr std::size_t kSampleBytesMax = std::size_t{1} << 30;  // Of one file.

WallSeconds now() {
  return SystemClock().wall_ms() / 1000;
}

// The tool's words for a check of everything that it can check without reading all data.
void add_check_words(const Job& job, std::vector<std::string>& argv) {
  if (job.tool == "restic") argv.insert(argv.begin() + 1, "check");
  if (job.tool == "borg") argv.insert(argv.end(), {"check", "--bypass-lock", "--repository-only"});
  if (job.tool == "pgbackrest") argv.insert(argv.end(), {"verify", "--output=text", "--verbose"});
}

// The words for one file of a backup on stdout.
void add_dump_words(const Job& job, const Snapshot& snapshot, const std::string& path,
                    std::vector<std::string>& argv) {
  if (job.tool == "restic") {
    argv.insert(argv.begin() + 1, {"dump", snapshot.id, path});
  } else {
    argv.insert(argv.end(), {"extract", "--bypass-lock", "--stdout", "::" + snapshot.tags.at(0),
                             "pp:" + path.substr(1)});
  }
}

Result<std::string> digest_of_source(const Root& root, const std::string& path) {
  const auto file = root.open_file(path);
  if (!file) return file.error();
  Sha256 digest;
  std::string buffer(std::size_t{128} << 10, '\0');
  for (std::size_t total = 0;;) {
    const auto got = ::read(file->get(), buffer.data(), buffer.size());
    if (got < 0) return errno_error("read " + path, errno);
    if (got == 0) return digest.finish_hex();
    total += static_cast<std::size_t>(got);
    if (total > kSampleBytesMax) return Error{Errc::too_large, path + ": over 1 GiB"};
    digest.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
  }
}

Result<std::string> digest_of_backup(const Root& root, const Job& job, const Snapshot& snapshot,
                                     const std::string& path, const std::string& directory,
                                     std::chrono::milliseconds deadline) {
  auto call = tool_call(root, job, directory, deadline);
  if (!call) return std::move(call).error();
  add_dump_words(job, snapshot, path, call->command.argv);
  Sha256 digest;
  const auto exit = run_tool(*std::move(call), [&](std::string_view bytes) {
    digest.update(bytes);
    return true;
  });
  if (!exit) return exit.error();
  if (exit->code != 0) return Error{Errc::tool_failed, path + " does not come out of the backup"};
  return digest.finish_hex();
}

std::chrono::milliseconds left_of(std::chrono::steady_clock::time_point began,
                                  std::chrono::milliseconds deadline) {
  const auto used = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  return std::max(deadline - used, std::chrono::milliseconds{1});
}

std::int64_t seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began)
      .count();
}

}  // namespace

std::string serialize(const TestMemory& memory) {
  json::Object all;
  for (const auto& [key, test] : memory) {
    json::Object object{{"time", test.time},
                        {"ok", test.ok},
                        {"message", test.message},
                        {"duration_s", test.duration_s}};
    if (test.files) object["files"] = *test.files;
    if (test.mismatched) object["mismatched"] = *test.mismatched;
    all[key] = std::move(object);
  }
  const std::string body = json::write(std::move(all));
  return std::string(kForm) + sha256_hex(body) + '\n' + body;
}

Result<TestMemory> parse_test_memory(std::string_view bytes) {
  const Error corrupt{Errc::corrupt, "the memory of earlier tests is damaged"};
  if (!bytes.starts_with(kForm) || bytes.size() <= kForm.size() + kDigestBytes) return corrupt;
  const auto body = bytes.substr(kForm.size() + kDigestBytes + 1);
  if (bytes.substr(kForm.size(), kDigestBytes) != sha256_hex(body)) return corrupt;
  const auto value = json::parse(body);
  if (!value || value->if_object() == nullptr) return corrupt;
  TestMemory memory;
  for (const auto& [key, entry] : *value->if_object()) {
    const auto time = json::get_integer(entry, "time");
    const auto ok = json::get_bool(entry, "ok");
    const auto message = json::get_string(entry, "message");
    const auto duration = json::get_integer(entry, "duration_s");
    if (!time || !ok || !message || !duration) return corrupt;
    TestResult test{*time, *ok, *message, *duration, {}, {}};
    if (const auto files = json::get_integer(entry, "files")) test.files = *files;
    if (const auto count = json::get_integer(entry, "mismatched")) test.mismatched = *count;
    memory[key] = std::move(test);
  }
  return memory;
}

Result<TestResult> check_repository(const Root& root, const Job& job, const std::string& directory,
                                    std::chrono::milliseconds deadline) {
  auto call = tool_call(root, job, directory, deadline);
  if (!call) return std::move(call).error();
  add_check_words(job, call->command.argv);
  const std::string name = call->name;
  const auto began = std::chrono::steady_clock::now();
  const auto exit = run_tool(*std::move(call));
  if (!exit) return exit.error();
  TestResult test{now(), exit->code == 0, name + ": no damage found", seconds_since(began), {}, {}};
  if (job.tool == "pgbackrest" && exit->code == 0) {
    const auto damage = pgbackrest_damage(exit->standard_output);
    if (!damage) return damage.error();
    test.ok = damage->empty();
    if (!test.ok) test.message = name + " verify: " + *damage;
    return test;
  }
  if (exit->code == 0) return test;
  // A repository that is not there, or does not open, was not checked.
  const Error reason = job.tool == "restic" ? explain_failure(exit->code, exit->standard_error)
                                            : Error{Errc::tool_failed, {}};
  if (reason.code != Errc::tool_failed && reason.code != Errc::corrupt) return reason;
  if (job.tool == "pgbackrest")
    return Error{Errc::tool_failed, name + " ended with status " + std::to_string(exit->code)};
  if (job.tool == "borg" && exit->standard_error.find("ntegrity") == std::string::npos &&
      exit->standard_error.find("mismatch") == std::string::npos &&
      exit->standard_error.find("errors found") == std::string::npos) {
    return Error{Errc::tool_failed, "borg check could not be done"};
  }
  test.message = name + " check found errors";
  return test;
}

Result<TestResult> test_restore(const Root& root, const Job& job, const RepositoryState& state,
                                const std::string& directory, std::chrono::milliseconds deadline) {
  if (job.tool != "restic" && job.tool != "borg")
    return Error{Errc::unsupported, "a restore test of " + job.tool + " is the site's own"};
  if (job.restore_sample.empty()) return Error{Errc::invalid, "restore_sample names no file"};
  if (state.snapshots.empty()) return Error{Errc::not_found, "there is no backup to restore from"};
  const auto newest =
      std::max_element(state.snapshots.begin(), state.snapshots.end(),
                       [](const Snapshot& a, const Snapshot& b) { return a.time < b.time; });
  const auto began = std::chrono::steady_clock::now();
  TestResult test{0, true, "restored and compared", 0, 0, 0};
  for (const std::string& path : job.restore_sample) {
    const auto info = root.stat(path);
    // A file that changed since the backup began cannot be compared.
    if (!info || info->st_mtim.tv_sec >= newest->time) continue;
    const auto source = digest_of_source(root, path);
    if (!source) continue;
    const auto restored =
        digest_of_backup(root, job, *newest, path, directory, left_of(began, deadline));
    if (!restored && restored.error().code != Errc::tool_failed) return restored.error();
    ++*test.files;
    if (restored && *restored == *source) continue;
    ++*test.mismatched;
    test.ok = false;
    test.message = restored ? path + " differs from its source" : restored.error().message;
  }
  if (*test.files == 0)
    return Error{Errc::not_found, "no file of restore_sample is as it was at the backup"};
  test.time = now();
  test.duration_s = seconds_since(began);
  return test;
}

}  // namespace vouch::backup_jobs
