// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/describe.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/file.h"
#include "core/json.h"
#include "policies/engine/framework.h"

namespace vouch::policy {
namespace {

constexpr std::size_t kMappingBytesMax = 4u << 20;
constexpr std::size_t kMappingFilesMax = 100;

std::string expected_of(const Check& check) {
  std::string params;
  for (const auto& [name, value] : check.params) {
    params += fmt::format("{}{} = {}", params.empty() ? "" : ", ", name,
                          value.if_string() ? *value.if_string() : json::write(value));
  }
  return params.empty() ? "" : fmt::format("{} ({})", check.title, params);
}

}  // namespace

std::optional<CheckDescription> describe_check(const PackSet& packs, std::string_view check) {
  const Check* found = packs.find_check(check);
  if (found == nullptr) return std::nullopt;
  const Control* control = packs.find_control(found->control);
  return CheckDescription{found->severity,
                          found->title,
                          found->control,
                          found->ref,
                          control == nullptr ? "" : control->owner,
                          found->remediation,
                          expected_of(*found)};
}

Result<std::map<std::string, std::string, std::less<>>> read_criteria(
    const std::vector<std::string>& files) {
  std::vector<std::string> paths;
  for (const std::string& file : files) {
    std::error_code error;
    if (!std::filesystem::is_directory(file, error)) {
      paths.push_back(file);
      continue;
    }
    auto names = list_directory(file, kMappingFilesMax);
    if (!names) return std::move(names).error();
    for (const std::string& name : *names) {
      if (name.ends_with(".yaml")) paths.push_back(file + "/" + name);
    }
  }
  std::map<std::string, std::string, std::less<>> criteria;
  for (const std::string& path : paths) {
    auto text = read_file(path, kMappingBytesMax);
    if (!text) return std::move(text).error();
    auto mapping = load_mapping(*text, path);
    if (!mapping) return std::move(mapping).error();
    std::map<std::string, std::string> of_this;
    for (const auto& entry : mapping->entries) {
      if (entry.criterion.empty()) continue;
      std::string& list = of_this[entry.control];
      list += (list.empty() ? mapping->framework + " " : ", ") + entry.criterion;
    }
    for (const auto& [control, list] : of_this) {
      std::string& all = criteria[control];
      all += (all.empty() ? "" : "; ") + list;
    }
  }
  return criteria;
}

}  // namespace vouch::policy
