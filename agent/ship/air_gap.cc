// SPDX-License-Identifier: Apache-2.0
#include "agent/ship/air_gap.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/digest.h"
#include "core/file.h"
#include "proto/drop_notice.h"
#include "proto/dsse.h"
#include "proto/limits.h"
#include "proto/parcel.h"
#include "proto/receipt.h"
#include "proto/statement.h"

namespace vouch::ship {
namespace {

constexpr mode_t kFileMode = 0640;

// Last the receipt: once it is there, vouchd looks for the rest.
constexpr std::array<std::string_view, 3> kAnswers{".consistency", ".refused.json", ".tlog-proof"};

Status copy_notice(const CourierPaths& paths, std::int64_t seq, const std::string& folder) {
  const std::string name = "/drops/" + seq_name(seq) + ".json";
  auto notice = read_file(paths.outbox + name, drop_notice::kNoticeBytesMax);
  if (!notice && notice.error().code == Errc::not_found) return Ok{};
  if (!notice) return std::move(notice).error();
  if (auto made = make_directories(folder + "/drops", 0750); !made) return made;
  return write_file_durable(folder + name, *notice, kFileMode);
}

// Into receipts/, as if vouch-ship had brought it: vouchd reads nothing of another owner.
Status bring_home(const CourierPaths& paths, const std::string& name, std::string_view bytes) {
  struct stat status {};
  if (::stat(paths.receipts.c_str(), &status) != 0) {
    return errno_error("stat " + paths.receipts, errno);
  }
  const std::string tmp = paths.receipts + "/tmp/" + name;
  if (auto made = make_directories(paths.receipts + "/tmp", 0750); !made) return made;
  if (auto written = write_file_durable(tmp, bytes, kFileMode); !written) return written;
  if (::geteuid() == 0 && ::chown(tmp.c_str(), status.st_uid, status.st_gid) != 0) {
    return errno_error("chown " + tmp, errno);
  }
  return rename_durable(tmp, paths.receipts + "/" + name);
}

}  // namespace

Result<CopiedParcel> copy_parcel(const std::string& file, std::int64_t seq,
                                 const std::string& directory) {
  auto parcel = read_file(file, kParcelBytesMax);
  if (!parcel) return std::move(parcel).error();
  auto opened = read_parcel(*parcel);
  auto envelope = opened ? dsse::parse(opened->envelope) : Result<dsse::Envelope>(opened.error());
  auto statement =
      envelope ? parse_statement(envelope->payload) : Result<Statement>(envelope.error());
  if (!statement) return std::move(statement).error().in("parcel " + seq_name(seq));
  const std::string folder = directory + "/" + statement->bundle.agent.id;
  const std::string path = folder + "/" + seq_name(seq) + ".parcel";
  Status written = make_directories(folder, 0750);
  if (written) written = write_file_durable(path, *parcel, kFileMode);
  if (!written) return Error{Errc::unavailable, written.error().message};
  auto copied = read_file(path, kParcelBytesMax);
  if (!copied) return Error{Errc::unavailable, copied.error().message};
  if (*copied != *parcel) return Error{Errc::unavailable, path + ": reads back differently"};
  return CopiedParcel{path, sha256_hex(*copied)};
}

Result<int> export_parcels(const CourierPaths& paths, const std::string& directory) {
  auto waiting = list_parcels(paths.outbox);
  if (!waiting) return std::move(waiting).error();
  int count = 0;
  for (const std::int64_t seq : *waiting) {
    auto copied = copy_parcel(paths.outbox + "/" + seq_name(seq) + ".parcel", seq, directory);
    if (!copied && copied.error().code == Errc::not_found) continue;  // Acknowledged meanwhile.
    if (!copied) return std::move(copied).error();
    const std::string folder = copied->path.substr(0, copied->path.rfind('/'));
    if (auto done = copy_notice(paths, seq, folder); !done) return std::move(done).error();
    ++count;
  }
  return count;
}

Result<int> import_receipts(const CourierPaths& paths, const std::string& agent,
                            const std::string& directory) {
  auto waiting = list_parcels(paths.outbox);
  if (!waiting) return std::move(waiting).error();
  const std::string folder = directory + "/" + agent + "/";
  int count = 0;
  for (const std::int64_t seq : *waiting) {
    for (const std::string_view suffix : kAnswers) {
      const std::string name = seq_name(seq) + std::string(suffix);
      auto bytes = read_file(folder + name, receipt::kReceiptBytesMax);
      if (!bytes && bytes.error().code == Errc::not_found) continue;
      if (!bytes) return std::move(bytes).error();
      if (auto done = bring_home(paths, name, *bytes); !done) return std::move(done).error();
      if (suffix == ".tlog-proof") ++count;
    }
  }
  return count;
}

}  // namespace vouch::ship
