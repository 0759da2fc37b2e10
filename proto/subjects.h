// SPDX-License-Identifier: Apache-2.0
// Which blobs a bundle refers to, and what its subjects are called (docs/formats/bundle.md). Names
// inform, digests bind.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "proto/statement.h"

namespace vouch {

// One mention of a blob. The same digest may be mentioned under several names.
struct BlobMention {
  std::string name;
  std::string sha256;
};

// Those in the predicate itself.
std::vector<BlobMention> blobs_of_bundle(const Bundle& bundle);

// Gives the bytes of an outcomes table or policy set by digest. Errc::not_found: it is not there
// (purged, withheld).
using BlobReader = std::function<Result<std::string>(std::string_view sha256)>;

// Those in the predicate, in the `findings` cells of its outcomes tables, and the packs in its
// policy sets. Fails as the reader does, and if such a blob is not of its form.
Result<std::vector<BlobMention>> all_blobs(const Bundle& bundle, const BlobReader& read);

// Each digest once, with the least of its names; names that stand for two digests get
// "@<first 12 hex digits>"; sorted by name.
std::vector<Subject> name_subjects(std::vector<BlobMention> mentions);

// Errc::invalid unless the subject's digests are exactly those of all_blobs(). Where the reader
// says not_found, what that blob would name is unknown: then `complete` is set to false, and only
// the known digests must be there.
Status check_subjects(const Statement& statement, const BlobReader& read, bool& complete);

}  // namespace vouch
