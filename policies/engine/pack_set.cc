// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/digest.h"
#include "core/file.h"
#include "policies/engine/pack.h"
#include "policies/engine/pack_cache.h"

namespace vouch::policy {
namespace {

constexpr int kDirectoryDepthMax = 3;
constexpr std::size_t kDirectoryEntriesMax = 10'000;
constexpr std::size_t kPacksMax = 1000;

Error at(const Pack& pack, const yaml::Mark& mark, std::string_view what) {
  return {Errc::invalid, fmt::format("{}:{}:{}: {}", pack.file_name, mark.line, mark.column, what)};
}

bool same_type(const json::Value& a, const json::Value& b) {
  return (a.if_integer() != nullptr) == (b.if_integer() != nullptr) &&
         (a.if_bool() != nullptr) == (b.if_bool() != nullptr) &&
         (a.if_string() != nullptr) == (b.if_string() != nullptr) &&
         (a.if_array() != nullptr) == (b.if_array() != nullptr);
}

// Ids of controls and checks, each with the pack that has it: an id means one thing.
Status check_unique(const std::vector<Pack>& packs) {
  std::map<std::string_view, const Pack*> controls;
  std::map<std::string_view, const Pack*> checks;
  for (std::size_t i = 0; i < packs.size(); ++i) {
    const auto& pack = packs[i];
    if (i > 0 && packs[i - 1].id == pack.id) {
      return Error{Errc::invalid, fmt::format("pack {} is in two files, {} and {}", pack.id,
                                              packs[i - 1].file_name, pack.file_name)};
    }
    for (const auto& control : pack.controls) {
      const auto [at_control, is_new] = controls.emplace(control.id, &pack);
      if (!is_new) {
        return at(
            pack, control.mark,
            fmt::format("control {} is in {} too", control.id, at_control->second->file_name));
      }
      for (const auto& check : control.checks) {
        const auto [at_check, new_check] = checks.emplace(check.id, &pack);
        if (!new_check) {
          return at(pack, check.mark,
                    fmt::format("check {} is in {} too", check.id, at_check->second->file_name));
        }
      }
    }
  }
  return Ok{};
}

Status apply(const Pack& pack, const Override& override_,
             std::map<std::string_view, Check*>& checks,
             std::set<std::pair<std::string, std::string>>& done) {
  const auto found = checks.find(override_.check);
  if (found == checks.end()) {
    return at(pack, override_.mark, fmt::format("no pack has a check {}", override_.check));
  }
  for (const auto& [name, value] : override_.params) {
    const auto param = found->second->params.find(name);
    if (param == found->second->params.end()) {
      return at(pack, override_.mark,
                fmt::format("check {} has no parameter {}", override_.check, name));
    }
    if (!same_type(param->second, value)) {
      return at(pack, override_.mark,
                fmt::format("parameter {} of check {} has another type (it is {})", name,
                            override_.check, json::write(param->second)));
    }
    if (!done.emplace(override_.check, name).second) {
      return at(pack, override_.mark,
                fmt::format("parameter {} of check {} is overridden twice", name, override_.check));
    }
    param->second = value;
  }
  return Ok{};
}

Status collect_files(const std::string& path, int depth, std::set<std::string>& files) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno_error("open " + path, errno);
  if (!S_ISDIR(info.st_mode)) {
    files.insert(path);
    return Ok{};
  }
  auto names = list_directory(path, kDirectoryEntriesMax);
  if (!names) return std::move(names).error();
  for (const auto& name : *names) {
    const auto child = path + "/" + name;
    const bool is_directory = ::stat(child.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    if (name.starts_with(".") || (is_directory && depth == 1)) continue;
    if (!is_directory && !name.ends_with(".yaml")) continue;
    auto collected = collect_files(child, depth - 1, files);
    if (!collected) return collected;
  }
  return Ok{};
}

using LoadPack = std::function<Result<Pack>(std::string, std::string_view)>;

Result<PackSet> load_set(const std::vector<std::string>& paths, const LoadPack& load) {
  std::set<std::string> files;
  for (const auto& path : paths) {
    auto collected = collect_files(path, kDirectoryDepthMax, files);
    if (!collected) return std::move(collected).error();
  }
  if (files.size() > kPacksMax) return Error{Errc::too_large, "over 1,000 pack files"};
  std::vector<Pack> packs;
  for (const auto& file : files) {
    auto text = read_file(file, kPackBytesMax);
    if (!text) return std::move(text).error();
    auto pack = load(*std::move(text), file);
    if (!pack) return std::move(pack).error();
    packs.push_back(*std::move(pack));
  }
  return PackSet::make(std::move(packs));
}

}  // namespace

Result<PackSet> PackSet::make(std::vector<Pack> packs) {
  PackSet set;
  set.packs_ = std::move(packs);
  std::sort(set.packs_.begin(), set.packs_.end(),
            [](const Pack& a, const Pack& b) { return a.id < b.id; });
  auto unique = check_unique(set.packs_);
  if (!unique) return std::move(unique).error();

  std::map<std::string_view, Check*> checks;
  for (auto& pack : set.packs_) {
    for (auto& control : pack.controls) {
      for (auto& check : control.checks) checks.emplace(check.id, &check);
    }
  }
  std::set<std::pair<std::string, std::string>> done;
  for (const auto& pack : set.packs_) {
    for (const auto& each : pack.overrides) {
      auto applied = apply(pack, each, checks, done);
      if (!applied) return std::move(applied).error();
    }
  }
  for (const auto& [id, check] : checks) set.checks_.push_back(check);
  return set;
}

const Check* PackSet::find_check(std::string_view id) const {
  const auto it =
      std::lower_bound(checks_.begin(), checks_.end(), id,
                       [](const Check* check, std::string_view key) { return check->id < key; });
  return it != checks_.end() && (*it)->id == id ? *it : nullptr;
}

const Control* PackSet::find_control(std::string_view id) const {
  for (const auto& pack : packs_) {
    for (const auto& control : pack.controls) {
      if (control.id == id) return &control;
    }
  }
  return nullptr;
}

const Pack* PackSet::pack_of_check(std::string_view id) const {
  for (const auto& pack : packs_) {
    for (const auto& control : pack.controls) {
      for (const auto& check : control.checks) {
        if (check.id == id) return &pack;
      }
    }
  }
  return nullptr;
}

std::map<std::string, std::string> PackSet::take_texts() {
  std::map<std::string, std::string> texts;
  for (auto& pack : packs_) {
    // A move would leave the old buffer where the new text is short.
    texts[pack.digest].swap(pack.text);
  }
  return texts;
}

std::string PackSet::set_blob() const {
  std::string blob;
  for (const auto& pack : packs_) blob += fmt::format("{}  {}\n", pack.digest, pack.id);
  return blob;
}

Result<PackSet> load_pack_set(const std::vector<std::string>& paths) {
  return load_set(paths, load_pack);
}

Result<PackSet> load_pack_set_cached(const std::vector<std::string>& paths, PackCache& cache) {
  return load_set(paths, [&](std::string text, std::string_view file) -> Result<Pack> {
    const auto digest = sha256_hex(text);
    if (const auto form = cache.find(digest)) {
      if (auto known = read_pack_form(*form, text, file)) return known;
    }
    auto pack = load_pack(std::move(text), file);
    if (!pack) return pack;
    cache.keep(digest, write_pack_form(*pack));
    for (auto& control : pack->controls) {
      for (auto& check : control.checks) check.tests = {};
    }
    return pack;
  });
}

}  // namespace vouch::policy
