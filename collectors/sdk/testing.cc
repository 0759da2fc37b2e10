// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/testing.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "collectors/sdk/run.h"
#include "core/clock.h"

namespace vouch::sdk {
namespace {

std::string cell_text(const json::Value* value) {
  if (value == nullptr || value->is_null()) return "null";
  if (const bool* flag = value->if_bool()) return *flag ? "true" : "false";
  if (const std::int64_t* number = value->if_integer()) return std::to_string(*number);
  if (const std::string* text = value->if_string()) return *text;
  return "no cell";
}

bool type_fits(const json::Value& value, Type type) {
  switch (type) {
    case Type::boolean:
      return value.if_bool() != nullptr;
    case Type::integer:
      return value.if_integer() != nullptr || value.if_string() != nullptr;
    case Type::time:
      return value.if_string() != nullptr && parse_second(*value.if_string());
    case Type::text:
    case Type::bytes:
      break;
  }
  return value.if_string() != nullptr;
}

// Reads the lines of an answer and notes the first rule that one of them breaks.
class AnswerReader {
 public:
  AnswerReader(const Collector& collector, TestAnswer& answer)
      : collector_(collector), answer_(answer) {}

  void line(std::string_view text) {
    const auto value = json::parse(text);
    if (!value) return violation("bad-json: " + value.error().message);
    const json::Object* object = value->if_object();
    if (object == nullptr || object->size() != 1) return violation("protocol: not one member");
    if (ended_) return violation("after-end");
    const auto& [kind, body] = *object->begin();
    if (kind == "table") return header(*body.if_string());
    if (kind == "row") return row(body);
    if (kind == "unchanged") return unchanged(cell_text(body.find("table")));
    if (kind == "error") return error(body);
    if (kind == "cache")
      answer_.tokens[cell_text(body.find("table"))] = cell_text(body.find("token"));
    if (kind == "end") end(body);
  }

  void finish(const std::vector<std::string>& requested) {
    if (!ended_) violation("no-end");
    for (const std::string& table : requested) {
      if (!answered_.contains(table)) violation("missing-table: " + table);
    }
  }

 private:
  void violation(const std::string& what) {
    if (answer_.violation.empty()) answer_.violation = what;
  }

  void header(const std::string& table) {
    if (!answered_.insert(table).second) violation("protocol: table twice: " + table);
    answer_.tables[table];
    table_ = table;
    keys_.clear();
  }

  void row(const json::Value& body) {
    if (table_.empty()) return violation("protocol: row first");
    answer_.tables[table_].push_back(body);
    if (table_ == "gaps") return;
    const Table* declared = collector_.find(table_);
    if (declared == nullptr) return violation("undeclared table " + table_);
    std::string key;
    std::size_t known = 0;
    for (const Column& column : declared->columns) {
      const json::Value* cell = body.find(column.name);
      if (cell != nullptr) ++known;
      if (column.is_key) key += cell_text(cell) + '\n';
      const bool absent = cell == nullptr || cell->is_null();
      if (absent ? column.null_means.empty() : !type_fits(*cell, column.type)) {
        violation("wrong-type: " + table_ + "." + std::string(column.name));
      }
    }
    if (known != body.if_object()->size()) violation("undeclared column in " + table_);
    if (!keys_.insert(key).second) violation("duplicate-key in " + table_ + ": " + key);
  }

  void unchanged(const std::string& table) {
    if (!answered_.insert(table).second) violation("protocol: table twice: " + table);
    answer_.unchanged.push_back(table);
    table_.clear();
  }

  void error(const json::Value& body) {
    const std::string table = cell_text(body.find("table"));
    answered_.insert(table);
    answer_.tables.erase(table);
    answer_.errors[table] = cell_text(body.find("code")) + ": " + cell_text(body.find("message"));
    table_.clear();
  }

  void end(const json::Value& body) {
    ended_ = true;
    json::Object rows;
    for (const auto& [table, values] : answer_.tables) {
      rows[table] = static_cast<std::int64_t>(values.size());
    }
    const json::Object expected{{"rows", rows},
                                {"unchanged", static_cast<std::int64_t>(answer_.unchanged.size())},
                                {"errors", static_cast<std::int64_t>(answer_.errors.size())}};
    if (!(body == json::Value(expected))) violation("count-mismatch");
  }

  const Collector& collector_;
  TestAnswer& answer_;
  std::string table_;
  std::set<std::string> answered_;
  std::set<std::string> keys_;
  bool ended_ = false;
};

}  // namespace

TestTree::TestTree() {
  std::string pattern = std::filesystem::temp_directory_path() / "vouch-tree-XXXXXX";
  path_ = ::mkdtemp(pattern.data());
}

TestTree::~TestTree() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TestTree::host_path(std::string_view path) const {
  std::string full = path_ + std::string(path);
  std::filesystem::create_directories(std::filesystem::path(full).parent_path());
  return full;
}

TestTree& TestTree::file(std::string_view path, std::string_view bytes, mode_t mode) {
  const std::string full = host_path(path);
  std::ofstream(full, std::ios::binary) << bytes;
  ::chmod(full.c_str(), mode);
  return *this;
}

TestTree& TestTree::directory(std::string_view path, mode_t mode) {
  const std::string full = host_path(path);
  std::filesystem::create_directories(full);
  ::chmod(full.c_str(), mode);
  return *this;
}

TestTree& TestTree::symlink(std::string_view path, std::string_view target) {
  std::filesystem::create_symlink(std::string(target), host_path(path));
  return *this;
}

TestTree& TestTree::fifo(std::string_view path) {
  ::mkfifo(host_path(path).c_str(), 0644);
  return *this;
}

TestTree& TestTree::remove(std::string_view path) {
  std::filesystem::remove_all(host_path(path));
  return *this;
}

std::string TestAnswer::cell(std::string_view table, std::string_view column,
                             std::string_view value, std::string_view wanted) const {
  const auto rows = tables.find(std::string(table));
  if (rows == tables.end()) return "";
  std::string found;
  for (const json::Value& row : rows->second) {
    if (cell_text(row.find(column)) != value) continue;
    if (!found.empty()) return "several";
    found = cell_text(row.find(wanted));
  }
  return found;
}

bool TestAnswer::has_gap(std::string_view table, std::string_view object) const {
  const auto rows = tables.find("gaps");
  if (rows == tables.end()) return false;
  for (const json::Value& row : rows->second) {
    if (cell_text(row.find("table_name")) == table && cell_text(row.find("object")) == object) {
      return true;
    }
  }
  return false;
}

TestAnswer run_collector(const Collector& unconfigured, const std::string& root,
                         const TestRequest& request) {
  const auto whole = with_configured_tables(unconfigured, request.options);
  if (!whole) {
    TestAnswer refused;
    refused.violation = whole.error().message;
    return refused;
  }
  const Collector& collector = *whole;
  std::vector<std::string> requested = request.tables;
  if (requested.empty()) {
    for (const Table& table : collector.tables) requested.emplace_back(table.name);
  }
  requested.emplace_back("gaps");
  json::Object cache;
  for (const auto& [table, token] : request.tokens) cache[table] = json::Object{{"token", token}};
  const std::string line =
      json::write(json::Object{{"protocol", 1},
                               {"tables", json::Array(requested.begin(), requested.end())},
                               {"options", request.options},
                               {"root", root},
                               {"cache", std::move(cache)},
                               {"cache_dir", request.cache_dir}});

  TestAnswer answer;
  const Status status = answer_request(unconfigured, line, [&answer](std::string_view bytes) {
    answer.raw += bytes;
    return true;
  });
  if (!status) {
    answer.violation = status.error().message;
    return answer;
  }
  AnswerReader reader(collector, answer);
  for (std::string_view rest = answer.raw; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    reader.line(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  reader.finish(requested);
  return answer;
}

}  // namespace vouch::sdk
