// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/advisories.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/json.h"
#include "core/json_stream.h"
#include "core/version_compare.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kReadBytes = std::size_t{256} << 10;
constexpr std::size_t kRecordBytesMax = std::size_t{8} << 20;

bool is_older(std::string_view version, std::string_view than) {
  return version_compare(VersionScheme::deb, version, than) < 0;
}

// {"SOURCE": {"CVE": {"releases": {"RELEASE": {"status": …, "fixed_version": …, "urgency": …}}}}}
class Tracker final : public json::Events {
 public:
  Tracker(const InstalledSources& installed, const FeedRelease& release)
      : installed_(installed), release_(release) {}

  FeedResult result;
  [[nodiscard]] bool has_releases() const { return has_releases_; }

  void open_object() override { ++depth_; }
  void close_object() override {
    if (depth_ == kFields && is_ours_) finish_entry();
    if (depth_ == kFields) is_ours_ = false;
    if (depth_ > 0) --depth_;
  }
  void open_array() override { ++depth_; }
  void close_array() override {
    if (depth_ > 0) --depth_;
  }
  void key(std::string_view name) override {
    if (depth_ == kSources) {
      ++result.entries;
      source_ = installed_.find(name);
    } else if (depth_ == kFlaws) {
      flaw_ = name;
    } else if (depth_ == kParts) {
      is_releases_ = name == "releases";
      has_releases_ = has_releases_ || is_releases_;
    } else if (depth_ == kReleases) {
      is_ours_ = is_releases_ && source_ != installed_.end() && name == release_.codename;
      entry_ = {};
    } else if (depth_ == kFields) {
      field_ = name;
    }
  }
  void string(std::string_view value) override {
    if (depth_ != kFields || !is_ours_) return;
    if (field_ == "status") entry_.status = value;
    if (field_ == "fixed_version") entry_.fixed = value;
    if (field_ == "urgency") entry_.urgency = value;
  }
  void scalar() override {}

 private:
  static constexpr int kSources = 1, kFlaws = 2, kParts = 3, kReleases = 4, kFields = 5;

  void finish_entry() {
    // "0": this release never had the flaw.
    if (entry_.status == "resolved" && (entry_.fixed.empty() || entry_.fixed == "0" ||
                                        !is_older(source_->second.version, entry_.fixed))) {
      return;
    }
    if (entry_.status.empty()) return;
    Vulnerability found{flaw_, source_->first, {}, entry_.urgency};
    if (entry_.status == "resolved") found.fixed_version = entry_.fixed;
    result.vulnerabilities.push_back(std::move(found));
  }

  struct Entry {
    std::string status;
    std::string fixed;
    std::string urgency;
  };
  const InstalledSources& installed_;
  const FeedRelease& release_;
  InstalledSources::const_iterator source_;
  int depth_ = 0;
  std::string flaw_;
  std::string field_;
  bool is_releases_ = false;
  bool has_releases_ = false;
  bool is_ours_ = false;
  Entry entry_;
};

// Calls `take` with each piece of the file.
template <typename Take>
Status read_pieces(int fd, const Take& take) {
  std::string buffer(kReadBytes, '\0');
  for (std::size_t total = 0;;) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read the feed", errno);
    if (got == 0) return Ok{};
    total += static_cast<std::size_t>(got);
    if (total > kFeedBytesMax) return Error{Errc::too_large, "a feed over 512 MiB"};
    if (auto status = take(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
        !status) {
      return status;
    }
  }
}

Result<FeedResult> read_tracker(int fd, const InstalledSources& installed,
                                const FeedRelease& release) {
  Tracker tracker(installed, release);
  json::Stream stream(tracker);
  auto read = read_pieces(fd, [&](std::string_view piece) { return stream.feed(piece); });
  if (read) read = stream.finish();
  if (!read) return std::move(read).error();
  if (!tracker.has_releases())
    return Error{Errc::invalid, "neither Debian's security tracker nor OSV records"};
  return std::move(tracker.result);
}

Result<FeedResult> read_records(int fd, const InstalledSources& installed,
                                const FeedRelease& release) {
  FeedResult result;
  std::string record;
  const auto take_lines = [&](std::string_view piece) -> Status {
    record.append(piece);
    for (auto end = record.find('\n'); end != record.npos; end = record.find('\n')) {
      // A record that is written over several lines ends where its object does.
      if (end > 0 && !json::parse_foreign(std::string_view(record).substr(0, end))) break;
      if (end > 0) {
        auto read = read_osv(std::string_view(record).substr(0, end), installed, release, result);
        if (!read) return read;
      }
      record.erase(0, end + 1);
    }
    if (record.size() > kRecordBytesMax) return Error{Errc::too_large, "a record over 8 MiB"};
    return Ok{};
  };
  if (auto read = read_pieces(fd, take_lines); !read) return std::move(read).error();
  if (record.find_first_not_of(" \t\r\n") != record.npos) {
    if (auto read = read_osv(record, installed, release, result); !read)
      return std::move(read).error();
  }
  return result;
}

// The first version with the fix of the range in which `version` lies; "" if there is no fix yet;
// nothing if it lies in none.
std::optional<std::string> fix_in(const json::Value& range, std::string_view version) {
  const auto events = json::get_array(range, "events");
  if (!events) return std::nullopt;
  bool is_inside = false;
  for (const json::Value& event : **events) {
    if (const auto introduced = json::get_string(event, "introduced")) {
      is_inside = *introduced == "0" || !is_older(version, *introduced);
    } else if (const auto fixed = json::get_string(event, "fixed")) {
      if (is_inside && is_older(version, *fixed)) return *fixed;
      is_inside = false;
    } else if (const auto last = json::get_string(event, "last_affected")) {
      if (is_inside && !is_older(*last, version)) return std::string();
      is_inside = false;
    }
  }
  if (is_inside) return std::string();
  return std::nullopt;
}

std::string name_of(const json::Value& record, const std::string& id) {
  if (id.find("CVE-") != id.npos) return id.substr(id.find("CVE-"));
  for (const std::string_view list : {"aliases", "upstream", "related"}) {
    const auto names = json::get_array(record, list);
    if (!names) continue;
    for (const json::Value& name : **names) {
      const std::string* text = name.if_string();
      if (text != nullptr && text->starts_with("CVE-")) return *text;
    }
  }
  return id;
}

}  // namespace

InstalledSources sources_of(const DpkgStatus& status) {
  InstalledSources sources;
  for (const DebPackage& package : status.packages) {
    if (!package.is_present()) continue;
    InstalledSource& source = sources[package.source];
    if (source.version.empty() || is_older(package.source_version, source.version))
      source.version = package.source_version;
    source.packages.insert(package.name);
  }
  return sources;
}

Status read_osv(std::string_view text, const InstalledSources& installed,
                const FeedRelease& release, FeedResult& result) {
  const auto record = json::parse_foreign(text);
  if (!record) return record.error();
  const auto id = json::get_string(*record, "id");
  if (!id) return Error{Errc::invalid, "neither Debian's security tracker nor OSV records"};
  ++result.entries;
  if (record->find("withdrawn") != nullptr) return Ok{};
  const auto affected = json::get_array(*record, "affected");
  if (!affected) return Ok{};
  for (const json::Value& item : **affected) {
    const json::Value* package = item.find("package");
    if (package == nullptr) continue;
    const auto source = installed.find(json::get_string(*package, "name").value_or(""));
    const std::string ecosystem = json::get_string(*package, "ecosystem").value_or("");
    // "Ubuntu:24.04:LTS" is of Ubuntu:24.04.
    const bool is_ours =
        ecosystem == release.ecosystem || ecosystem.starts_with(release.ecosystem + ':');
    if (source == installed.end() || !is_ours) continue;
    const auto ranges = json::get_array(item, "ranges");
    if (!ranges) continue;
    for (const json::Value& range : **ranges) {
      const auto fix = fix_in(range, source->second.version);
      if (!fix) continue;
      Vulnerability found{name_of(*record, *id), source->first, {}, {}};
      if (!fix->empty()) found.fixed_version = *fix;
      if (const json::Value* specific = item.find("ecosystem_specific"))
        found.urgency = json::get_string(*specific, "urgency").value_or("");
      result.vulnerabilities.push_back(std::move(found));
      break;
    }
  }
  return Ok{};
}

Result<FeedResult> read_feed(int fd, const InstalledSources& installed,
                             const FeedRelease& release) {
  std::string head(4096, '\0');
  const auto got = ::pread(fd, head.data(), head.size(), 0);
  if (got < 0) return errno_error("read the feed", errno);
  head.resize(static_cast<std::size_t>(got));
  // Records have these among their first members; the tracker begins with a package.
  for (const std::string_view member : {"\"schema_version\"", "\"affected\"", "\"modified\""}) {
    if (head.find(member) != head.npos) return read_records(fd, installed, release);
  }
  return read_tracker(fd, installed, release);
}

}  // namespace vouch::patch_level
