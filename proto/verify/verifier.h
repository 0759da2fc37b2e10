// SPDX-License-Identifier: Apache-2.0
// The verifier (docs/formats/verifier.md): says whether a store's directory, or one parcel, is what
// its hosts signed and its log holds. It reads and computes; nothing here writes. What it does not
// support or cannot read is a failure, never passed over.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "proto/verify/replayer.h"
#include "proto/verify/run_sink.h"
#include "proto/verify/time_stamp.h"
#include "proto/verify/verdict.h"

namespace vouch::verify {

// The files of a store's directory, or of a copy of it, by relative path. Called from several
// threads at once.
class Files {
 public:
  virtual ~Files() = default;
  // Errc::not_found, too_large, or another error that fails the verification.
  virtual Result<std::string> read(const std::string& path, std::size_t bytes_max) const = 0;
  // Names in a directory; empty if there is no such directory.
  virtual Result<std::vector<std::string>> list(const std::string& path) const = 0;
};

// A directory on the disk.
class DirectoryFiles final : public Files {
 public:
  explicit DirectoryFiles(std::string directory) : directory_(std::move(directory)) {}
  Result<std::string> read(const std::string& path, std::size_t bytes_max) const override;
  Result<std::vector<std::string>> list(const std::string& path) const override;

 private:
  std::string directory_;
};

struct Options {
  // The text of a policy file that came from elsewhere. Absent: the export's own log.vkey is
  // believed, and the verdict says ANCHORS FROM EXPORT.
  std::optional<std::string> policy;
  // Whom to trust for RFC 3161 time stamps; not owned. nullptr: they are not checked, and the
  // verdict says so.
  const TimeStampRoots* time_stamp_roots = nullptr;
  std::optional<Period> period;  // Absent: each chain from its first bundle to its last.
  Replayer* replayer = nullptr;  // Not owned; nullptr: outcomes are not recomputed.
  RunSink* sink = nullptr;       // Not owned; of a whole log alone.
  unsigned threads = 2;
};

// A store's directory, whole: steps 1 to 10.
Verdict verify_store(const Files& files, const Options& options);

// One parcel, or one envelope with whatever blobs are at hand.
struct ParcelInput {
  std::string parcel;  // The bytes of a .parcel file.
  std::vector<std::string>
      receipts;      // tlog-proofs: of the bundle; of `enrol` or `rotate`, for keys.
  std::string spki;  // A key known from elsewhere, DER; may be empty.
  // A `.consistency` file from the bundle's log_seen to the checkpoint of its receipt.
  std::optional<std::string> consistency;
};
Verdict verify_parcel(const ParcelInput& input, const Options& options);

}  // namespace vouch::verify
