// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/framework.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "core/file.h"
#include "policies/engine/yaml_fields.h"

namespace vouch::policy {
namespace {

constexpr std::size_t kFileBytesMax = 4u << 20;
constexpr std::size_t kCriteriaMax = 10'000;
constexpr std::size_t kEntriesMax = 100'000;
constexpr std::size_t kSourcesMax = 16;
constexpr std::size_t kDirectoryEntriesMax = 1000;

Result<ParamBound> load_bound(std::string_view file_name, const std::string& param,
                              const yaml::Node& node) {
  YamlFields fields(file_name, node, {"at_most", "at_least", "equals"});
  ParamBound bound;
  bound.param = param;
  bound.at_most = fields.optional_integer("at_most");
  bound.at_least = fields.optional_integer("at_least");
  if (const auto* equals = fields.find("equals")) {
    auto value = yaml::to_json(*equals, file_name);
    if (value)
      bound.equals = *std::move(value);
    else
      fields.fail(std::move(value).error());
  }
  if (!bound.at_most && !bound.at_least && !bound.equals) {
    fields.fail(node, "a bound is at_most, at_least or equals");
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  return bound;
}

Result<MappingEntry> load_entry(std::string_view file_name, const yaml::Node& node) {
  YamlFields fields(file_name, node,
                    {"control", "criterion", "relation", "when", "why", "unmapped"});
  MappingEntry entry;
  entry.mark = node.mark;
  entry.control = fields.id("control");
  if (fields.find("unmapped") != nullptr) {
    entry.unmapped = fields.text("unmapped");
    for (const auto* key : {"criterion", "relation", "when", "why"}) {
      if (fields.find(key) != nullptr) fields.fail(node, "\"unmapped\" stands alone");
    }
  } else {
    entry.criterion = fields.text("criterion");
    entry.relation = fields.one_of("relation", {"evidences", "supports"});
    entry.why = fields.text("why");
    if (const auto* when = fields.mapping("when")) {
      for (const auto& [key, value] : when->members) {
        auto bound = load_bound(file_name, key.scalar, value);
        if (bound)
          entry.when.push_back(*std::move(bound));
        else
          fields.fail(std::move(bound).error());
      }
    }
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  return entry;
}

Result<CrosswalkPair> load_pair(std::string_view file_name, const yaml::Node& node) {
  YamlFields fields(file_name, node, {"from", "to", "relation", "sources"});
  CrosswalkPair pair;
  pair.relation =
      fields.one_of("relation", {"strong", "partial", "same", "renamed", "merged", "split", "new"});
  pair.from = pair.relation == "new" ? fields.text_or("from", "") : fields.text("from");
  pair.to = fields.text("to");
  pair.sources = fields.texts("sources", kSourcesMax);
  if (fields.ok() && pair.relation == "new" && !pair.from.empty()) {
    fields.fail(node, "what is new has no \"from\"");
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  return pair;
}

// Reads every *.yaml of a folder, in order of names.
Status read_folder(const std::string& folder,
                   const std::function<Status(std::string_view, const std::string&)>& take) {
  auto names = list_directory(folder, kDirectoryEntriesMax);
  if (!names && names.error().code == Errc::not_found) return Ok{};
  if (!names) return std::move(names).error();
  for (const auto& name : *names) {
    if (!name.ends_with(".yaml")) continue;
    const auto path = folder + "/" + name;
    auto text = read_file(path, kFileBytesMax);
    if (!text) return std::move(text).error();
    auto taken = take(*text, path);
    if (!taken) return taken;
  }
  return Ok{};
}

template <typename T>
std::function<Status(std::string_view, const std::string&)> appender(
    Result<T> (*load)(std::string_view, std::string_view), std::vector<T>& list) {
  return [load, &list](std::string_view text, const std::string& path) -> Status {
    auto loaded = load(text, path);
    if (!loaded) return std::move(loaded).error();
    list.push_back(*std::move(loaded));
    return Ok{};
  };
}

}  // namespace

const Criterion* Framework::find(std::string_view criterion) const {
  for (const auto& each : criteria) {
    if (each.id == criterion) return &each;
  }
  return nullptr;
}

Result<Framework> load_framework(std::string_view text, std::string_view file_name) {
  auto root = yaml::parse(text, file_name);
  if (!root) return std::move(root).error();
  YamlFields fields(file_name, *root, {"framework", "title", "edition", "criteria"});
  Framework framework;
  framework.id = fields.id("framework");
  framework.title = fields.text("title");
  framework.edition = fields.text("edition");
  std::set<std::string> ids;
  for (const auto& node : fields.sequence("criteria", kCriteriaMax)) {
    YamlFields each(file_name, node, {"id", "title", "category", "group", "host"});
    Criterion criterion;
    criterion.id = each.text("id");
    criterion.title = each.text("title");
    criterion.category = each.text("category");
    criterion.group = each.text("group");
    criterion.host = each.one_of_or("host", {"direct", "supporting", "none"}, "");
    if (!ids.insert(criterion.id).second) each.fail(node, "the criterion is there twice");
    if (!each.ok()) return std::move(each.status()).error();
    framework.criteria.push_back(std::move(criterion));
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  return framework;
}

Result<Mapping> load_mapping(std::string_view text, std::string_view file_name) {
  auto root = yaml::parse(text, file_name);
  if (!root) return std::move(root).error();
  YamlFields fields(file_name, *root, {"framework", "mappings"});
  Mapping mapping;
  mapping.framework = fields.id("framework");
  mapping.file_name = file_name;
  for (const auto& node : fields.sequence("mappings", kEntriesMax)) {
    auto entry = load_entry(file_name, node);
    if (!entry) return std::move(entry).error();
    mapping.entries.push_back(*std::move(entry));
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  return mapping;
}

Result<Crosswalk> load_crosswalk(std::string_view text, std::string_view file_name) {
  auto root = yaml::parse(text, file_name);
  if (!root) return std::move(root).error();
  YamlFields fields(file_name, *root, {"from", "to", "pairs"});
  Crosswalk crosswalk;
  crosswalk.from = fields.id("from");
  crosswalk.to = fields.id("to");
  for (const auto& node : fields.sequence("pairs", kEntriesMax)) {
    auto pair = load_pair(file_name, node);
    if (!pair) return std::move(pair).error();
    crosswalk.pairs.push_back(*std::move(pair));
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  return crosswalk;
}

const Framework* FrameworkLibrary::framework(std::string_view id) const {
  for (const auto& each : frameworks) {
    if (each.id == id) return &each;
  }
  return nullptr;
}

const Mapping* FrameworkLibrary::mapping(std::string_view framework_id) const {
  for (const auto& each : mappings) {
    if (each.framework == framework_id) return &each;
  }
  return nullptr;
}

Result<FrameworkLibrary> load_framework_library(const std::string& policies_dir) {
  FrameworkLibrary library;
  auto read = read_folder(policies_dir + "/frameworks",
                          appender<Framework>(load_framework, library.frameworks));
  if (read) {
    read =
        read_folder(policies_dir + "/mappings", appender<Mapping>(load_mapping, library.mappings));
  }
  if (read) {
    read = read_folder(policies_dir + "/crosswalks",
                       appender<Crosswalk>(load_crosswalk, library.crosswalks));
  }
  if (!read) return std::move(read).error();
  std::sort(library.frameworks.begin(), library.frameworks.end(),
            [](const Framework& a, const Framework& b) { return a.id < b.id; });
  std::set<std::string> seen;
  for (const auto& mapping : library.mappings) {
    if (!seen.insert(mapping.framework).second) {
      return Error{Errc::invalid, fmt::format("{}: framework {} has another mapping already",
                                              mapping.file_name, mapping.framework)};
    }
  }
  return library;
}

}  // namespace vouch::policy
