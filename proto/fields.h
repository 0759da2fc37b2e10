// SPDX-License-Identifier: Apache-2.0
// Structs <-> JSON objects, one description for both ways. A type is described once, by a template
//
//   template <class Io, class T> void describe(Io& io, T& value) {
//     io.text("by", value.by);
//     io.instant("at", value.at);
//   }
//
// which FieldReader runs to fill the struct and FieldWriter to make the object. The reader is
// strict on presence, types, forms and ranges, ignores unknown members, and keeps the first
// problem, as
// "<JSON pointer>: <reason>". Values that depend on one another are checked by the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/encoding.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch {

// What a string member must look like. Every one has at most 64 KiB.
enum class Form {
  any,
  word,     // Not empty.
  message,  // At most 1 KiB.
  digest,
  plain_name,
  input_name,  // A plain name; or one after baseline_, previous_ or register_.
  collector,
  id,
  agent_id,
  boot_id,
  machine,
  run,
  file_name,
  error_code,
  missed_reason,
  root,  // base64 of 32 bytes.
};
bool has_form(Form form, std::string_view text);
std::string_view to_string(Form form);  // "a SHA-256 digest", for messages.

// The first thing that was wrong.
class FieldProblem {
 public:
  void set(std::string_view pointer, std::string_view reason);
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

class FieldReader {
 public:
  FieldReader(const json::Value& value, std::string pointer, FieldProblem& problem);

  void text(std::string_view key, std::string& out, Form form = Form::any);
  void text(std::string_view key, std::optional<std::string>& out, Form form = Form::any);
  void integer(std::string_view key, std::int64_t& out, std::int64_t min = 0,
               std::int64_t max = json::kIntegerMax);
  void integer(std::string_view key, std::optional<std::int64_t>& out);
  void boolean(std::string_view key, bool& out);
  void flag(std::string_view key, bool& out);  // Absent is false; present must be true.
  void instant(std::string_view key, WallMs& out);
  void instant(std::string_view key, std::optional<WallMs>& out);
  void second(std::string_view key, WallSeconds& out);
  void second(std::string_view key, std::optional<WallSeconds>& out);
  void base64(std::string_view key, std::string& out);  // Bytes in the struct.
  void texts(std::string_view key, std::vector<std::string>& out, Form form, std::size_t max);

  // One of the names that `parse` knows; it returns a Result.
  template <class T, class Parse, class Print>
  void name(std::string_view key, T& out, Parse parse, Print) {
    std::string word;
    text(key, word);
    if (problem_.error()) return;
    auto value = parse(word);
    if (!value) return fail(key, value.error().message);
    out = *std::move(value);
  }

  template <class Describe>
  void object(std::string_view key, Describe describe) {
    FieldReader inner(member(key), pointer_ + "/" + std::string(key), problem_);
    describe(inner);
  }
  template <class T, class Describe>
  void object(std::string_view key, std::optional<T>& out, Describe describe) {
    if (!has(key)) return;
    FieldReader inner(member(key), pointer_ + "/" + std::string(key), problem_);
    describe(inner, out.emplace());
  }
  template <class T, class Describe>
  void objects(std::string_view key, std::vector<T>& out, std::size_t max, Describe describe) {
    const auto* items = array(key, max);
    for (std::size_t i = 0; items && i < items->size() && !problem_.error(); ++i) {
      FieldReader inner((*items)[i], item_pointer(key, i), problem_);
      describe(inner, out.emplace_back());
    }
  }

  [[nodiscard]] bool has(std::string_view key) const { return value_.find(key) != nullptr; }
  [[nodiscard]] const json::Value& value() const { return value_; }
  [[nodiscard]] const std::string& pointer() const { return pointer_; }
  void fail(std::string_view key, std::string_view reason);  // key "": the object itself.

 private:
  const json::Value& member(std::string_view key);  // Null and a problem if it is missing.
  const std::string* string_member(std::string_view key);
  const json::Array* array(std::string_view key, std::size_t max);
  std::string item_pointer(std::string_view key, std::size_t index) const;

  const json::Value& value_;
  std::string pointer_;
  FieldProblem& problem_;
};

class FieldWriter {
 public:
  void text(std::string_view key, const std::string& value, Form = Form::any) { put(key, value); }
  void text(std::string_view key, const std::optional<std::string>& value, Form = Form::any) {
    if (value) put(key, *value);
  }
  void integer(std::string_view key, std::int64_t value, std::int64_t = 0, std::int64_t = 0) {
    put(key, value);
  }
  void integer(std::string_view key, const std::optional<std::int64_t>& value) {
    if (value) put(key, *value);
  }
  void boolean(std::string_view key, bool value) { put(key, value); }
  void flag(std::string_view key, bool value) {
    if (value) put(key, true);
  }
  void instant(std::string_view key, WallMs value) { put(key, format_instant(value)); }
  void instant(std::string_view key, const std::optional<WallMs>& value) {
    if (value) put(key, format_instant(*value));
  }
  void second(std::string_view key, WallSeconds value) { put(key, format_second(value)); }
  void second(std::string_view key, const std::optional<WallSeconds>& value) {
    if (value) put(key, format_second(*value));
  }
  void base64(std::string_view key, const std::string& bytes) { put(key, base64_encode(bytes)); }
  void texts(std::string_view key, const std::vector<std::string>& values, Form, std::size_t) {
    json::Array items(values.begin(), values.end());
    put(key, std::move(items));
  }
  template <class T, class Parse, class Print>
  void name(std::string_view key, const T& value, Parse, Print print) {
    put(key, print(value));
  }
  template <class Describe>
  void object(std::string_view key, Describe describe) {
    FieldWriter inner;
    describe(inner);
    put(key, std::move(inner.object_));
  }
  template <class T, class Describe>
  void object(std::string_view key, const std::optional<T>& value, Describe describe) {
    if (!value) return;
    FieldWriter inner;
    describe(inner, *value);
    put(key, std::move(inner.object_));
  }
  template <class T, class Describe>
  void objects(std::string_view key, const std::vector<T>& values, std::size_t, Describe describe) {
    json::Array items;
    for (const auto& value : values) {
      FieldWriter inner;
      describe(inner, value);
      items.emplace_back(std::move(inner.object_));
    }
    put(key, std::move(items));
  }

  void put(std::string_view key, json::Value value) {
    object_.insert_or_assign(std::string(key), std::move(value));
  }
  [[nodiscard]] json::Value take() { return std::move(object_); }

 private:
  json::Object object_;
};

}  // namespace vouch
