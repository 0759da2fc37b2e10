// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/request.h"

#include <fmt/format.h>

#include <algorithm>

namespace vouch::sdk {
namespace {

constexpr std::int64_t kDeadlineMsMax = 24LL * 3600 * 1000;

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

Status read_tables(const Collector& collector, const json::Value& line, Request& request) {
  const auto names = json::get_array(line, "tables");
  if (!names) return names.error();
  request.wanted.assign(collector.tables.size(), false);
  for (const json::Value& item : **names) {
    const std::string* name = item.if_string();
    if (name == nullptr) return invalid("member \"tables\": expected strings");
    if (*name == "gaps") {
      if (request.gaps_wanted) return invalid("table \"gaps\" is requested twice");
      request.gaps_wanted = true;
      continue;
    }
    const Table* table = collector.find(*name);
    if (table == nullptr) {
      return invalid(fmt::format("collector {} has no table \"{}\"; --describe lists them",
                                 collector.name, *name));
    }
    const auto index = static_cast<std::size_t>(table - collector.tables.data());
    if (request.wanted[index])
      return invalid(fmt::format("table \"{}\" is requested twice", *name));
    request.wanted[index] = true;
  }
  return Ok{};
}

// Each declared member is a text, the required ones are there, and there are no others.
bool has_members(const json::Value& value, const std::vector<OptionMember>& members) {
  const json::Object* object = value.if_object();
  if (object == nullptr) return false;
  for (const auto& [name, member] : *object) {
    const bool is_declared =
        std::any_of(members.begin(), members.end(),
                    [&name = name](const OptionMember& m) { return m.name == name; });
    if (!is_declared || member.if_string() == nullptr) return false;
  }
  return std::all_of(members.begin(), members.end(), [&](const OptionMember& m) {
    return !m.is_required || value.find(m.name) != nullptr;
  });
}

bool has_type(const json::Value& value, const Option& option) {
  switch (option.type) {
    case OptionType::text:
      return value.if_string() != nullptr;
    case OptionType::integer:
      return value.if_integer() != nullptr;
    case OptionType::boolean:
      return value.if_bool() != nullptr;
    case OptionType::texts:
    case OptionType::objects:
      break;
  }
  const json::Array* items = value.if_array();
  if (option.type == OptionType::objects) {
    return items != nullptr && std::all_of(items->begin(), items->end(), [&](const auto& item) {
             return has_members(item, option.members);
           });
  }
  return items != nullptr && std::all_of(items->begin(), items->end(), [](const json::Value& item) {
           return item.if_string() != nullptr;
         });
}

Status read_options(const Collector& collector, const json::Value& line, Request& request) {
  const json::Value* member = line.find("options");
  if (member == nullptr) return Ok{};
  const json::Object* options = member->if_object();
  if (options == nullptr) return invalid("member \"options\": expected an object");
  for (const auto& [name, value] : *options) {
    const auto& declared = collector.options;
    const auto option = std::find_if(declared.begin(), declared.end(),
                                     [&name = name](const Option& o) { return o.name == name; });
    if (option == declared.end()) {
      return invalid(fmt::format("collector {} has no option \"{}\"", collector.name, name));
    }
    if (!has_type(value, *option)) {
      return invalid(fmt::format("option \"{}\" has the wrong type; see --describe", name));
    }
    request.options[name] = value;
  }
  return Ok{};
}

Status read_cache(const json::Value& line, Request& request) {
  const json::Value* cache = line.find("cache");
  if (cache == nullptr) return Ok{};
  const json::Object* tables = cache->if_object();
  if (tables == nullptr) return invalid("member \"cache\": expected an object");
  for (const auto& [name, entry] : *tables) {
    auto token = json::get_string(entry, "token");
    if (!token) return std::move(token).error().in(fmt::format("cache of \"{}\"", name));
    request.tokens[name] = *std::move(token);
  }
  return Ok{};
}

Status read_place(const json::Value& line, Request& request) {
  if (line.find("root") != nullptr) {
    auto root = json::get_string(line, "root");
    if (!root) return root.error();
    if (!root->starts_with('/')) return invalid("member \"root\": expected an absolute path");
    request.root = *std::move(root);
  }
  if (line.find("cache_dir") != nullptr) {
    auto directory = json::get_string(line, "cache_dir");
    if (!directory) return directory.error();
    if (!directory->empty() && !directory->starts_with('/')) {
      return invalid("member \"cache_dir\": expected an absolute path");
    }
    request.cache_dir = *std::move(directory);
  }
  return Ok{};
}

}  // namespace

Result<json::Object> parse_options(const Collector& collector, std::string_view line) {
  const auto value = json::parse(line);
  if (!value) return Error(value.error()).in("options");
  Request request;
  if (auto status = read_options(collector, *value, request); !status) return status.error();
  return std::move(request.options);
}

Result<Request> parse_request(const Collector& collector, std::string_view line) {
  auto value = json::parse(line);
  if (!value) return std::move(value).error().in("request");
  const auto protocol = json::get_integer(*value, "protocol");
  if (!protocol) return protocol.error();
  if (*protocol != 1)
    return invalid(fmt::format("protocol {} is not spoken here, only 1", *protocol));

  Request request;
  request.deadline = std::chrono::seconds(collector.deadline_s);
  if (auto status = read_tables(collector, *value, request); !status) return status.error();
  if (auto status = read_options(collector, *value, request); !status) return status.error();
  if (auto status = read_cache(*value, request); !status) return status.error();
  if (auto status = read_place(*value, request); !status) return status.error();
  if (value->find("deadline_ms") != nullptr) {
    const auto deadline = json::get_integer(*value, "deadline_ms");
    if (!deadline) return deadline.error();
    if (*deadline <= 0 || *deadline > kDeadlineMsMax) {
      return invalid("member \"deadline_ms\": expected 1 to 86400000");
    }
    request.deadline = std::chrono::milliseconds(*deadline);
  }
  return request;
}

}  // namespace vouch::sdk
