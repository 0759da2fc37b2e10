// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/record_fit.h"

#include <vector>

#include "core/digest.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kColumns = "columns";

TableRef* find_largest(std::vector<TableRef>& tables, const BlobSizes& sizes) {
  TableRef* largest = nullptr;
  std::int64_t bytes = -1;
  for (TableRef& table : tables) {
    if (table.error || table.name == kColumns || table.sha256 == kEmptyDigestHex) continue;
    const auto size = sizes.find(table.sha256);
    if (size == sizes.end() || size->second <= bytes) continue;
    largest = &table;
    bytes = size->second;
  }
  return largest;
}

}  // namespace

bool fits_a_bundle(const BlobSizes& blobs) {
  std::int64_t bytes = 0;
  for (const auto& [sha256, size] : blobs) bytes += size;
  return blobs.size() <= kSubjectsMax - kOtherSubjectsMax &&
         bytes <= static_cast<std::int64_t>(kBundleBlobBytesMax - kOtherBytesMax);
}

bool leave_out_largest(RunContent& content, const BlobSizes& sizes) {
  TableRef* table = find_largest(content.inputs, sizes);
  if (table == nullptr) table = find_largest(content.tables, sizes);
  if (table == nullptr) return false;
  table->error = TableError{"too-large", "a bundle could not hold it beside the rest of the run"};
  table->rows = 0;
  table->sha256.clear();
  table->unchanged = false;
  return true;
}

}  // namespace vouch::agent
