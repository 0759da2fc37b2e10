// SPDX-License-Identifier: Apache-2.0
#include "store/layout.h"

namespace vouch::store::layout {

std::string checkpoint_path(std::uint64_t size) {
  return "checkpoints/" + std::to_string(size);
}

std::string bundle_path(std::string_view agent, std::int64_t seq) {
  return "bundles/" + std::string(agent) + "/" + std::to_string(seq) + ".json.zst";
}

std::string blob_path(std::string_view sha256) {
  return "blobs/sha256/" + std::string(sha256.substr(0, 2)) + "/" + std::string(sha256) + ".zst";
}

std::string fork_path(std::string_view agent, std::int64_t seq, std::string_view bundle_id) {
  return "forks/" + std::string(agent) + "/" + std::to_string(seq) + "." + std::string(bundle_id) +
         ".json.zst";
}

std::string succession_path(std::string_view log) {
  return "successions/" + std::string(log);
}

std::string statement_path(std::string_view digest) {
  return "statements/" + std::string(digest) + ".json";
}

}  // namespace vouch::store::layout
