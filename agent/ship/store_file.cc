// SPDX-License-Identifier: Apache-2.0
#include "agent/ship/store_file.h"

#include "core/file.h"
#include "core/json.h"

namespace vouch::ship {
namespace {

constexpr std::size_t kStoreFileBytesMax = 64u << 10;

}  // namespace

Result<CurlOptions> read_store_file(const std::string& state_dir) {
  auto text = read_file(state_dir + "/store.json", kStoreFileBytesMax);
  if (!text) return std::move(text).error().in("no store is known (vouch enroll names one)");
  auto value = json::parse(*text);
  if (!value) return std::move(value).error().in("store.json");
  auto url = json::get_string(*value, "url");
  if (!url) return std::move(url).error().in("store.json");
  CurlOptions options{*std::move(url), "", ""};
  if (value->find("ca") == nullptr) return options;
  auto name = json::get_string(*value, "ca");
  if (!name) return std::move(name).error().in("store.json");
  auto pem = read_file(state_dir + "/" + *name, kStoreFileBytesMax);
  if (!pem) return std::move(pem).error();
  options.ca_pem = *std::move(pem);
  return options;
}

}  // namespace vouch::ship
