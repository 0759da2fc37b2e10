// SPDX-License-Identifier: Apache-2.0
#include "store/enrolled_hosts.h"

#include <utility>

#include "core/root.h"
#include "proto/enrolment.h"
#include "store/layout.h"

namespace vouch::store {
namespace {

constexpr std::size_t kStatementsMax = 1000000;

struct Said {
  timespec written{};
  json::Object host;
};

bool is_before(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

}  // namespace

Result<std::map<std::string, json::Object>> enrolled_hosts(const std::string& dir) {
  const auto root = Root::open(dir);
  if (!root) return root.error();
  const std::string folder = "/" + std::string(layout::kStatements);
  const auto names = root->list(folder, kStatementsMax);
  if (!names && names.error().code != Errc::not_found) return names.error();
  std::map<std::string, Said> newest;
  for (const auto& name : names.value_or({})) {
    const auto status = root->stat(folder + "/" + name);
    const auto bytes = root->read(folder + "/" + name, enrolment::kRequestBytesMax);
    if (!status || !bytes) continue;
    auto request = enrolment::parse_request(*bytes);
    if (!request || request->statement + ".json" != name) continue;
    Said& said = newest[request->predicate.agent];
    if (is_before(status->st_mtim, said.written)) continue;
    said = {status->st_mtim, std::move(request->predicate.host)};
  }
  std::map<std::string, json::Object> hosts;
  for (auto& [agent, said] : newest) hosts.emplace(agent, std::move(said.host));
  return hosts;
}

}  // namespace vouch::store
