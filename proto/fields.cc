// SPDX-License-Identifier: Apache-2.0
#include "proto/fields.h"

#include <fmt/format.h>

#include "proto/limits.h"
#include "proto/names.h"

namespace vouch {
namespace {

constexpr std::size_t kTextBytesMax = 64 * kKiB;
constexpr std::size_t kRootBytes = 32;

bool is_input_name(std::string_view text) {
  for (const std::string_view prefix : {"baseline_", "previous_", "register_"}) {
    if (text.starts_with(prefix) && is_plain_name(text.substr(prefix.size()))) return true;
  }
  return is_plain_name(text);
}

bool is_missed_reason(std::string_view text) {
  return text == "not-running" || text == "clock-step" || text == "overrun" || text == "spool-full";
}

bool is_root(std::string_view text) {
  const auto bytes = base64_decode(text);
  return bytes && bytes->size() == kRootBytes;
}

}  // namespace

bool has_form(Form form, std::string_view text) {
  switch (form) {
    case Form::any:
      return true;
    case Form::word:
      return !text.empty();
    case Form::message:
      return text.size() <= kMessageBytesMax;
    case Form::digest:
      return is_hex_digest(text);
    case Form::plain_name:
      return is_plain_name(text);
    case Form::input_name:
      return is_input_name(text);
    case Form::collector:
      return is_collector_name(text);
    case Form::id:
      return is_id(text);
    case Form::agent_id:
      return is_agent_id(text);
    case Form::boot_id:
      return is_boot_id(text);
    case Form::machine:
      return is_machine_id(text);
    case Form::run:
      return parse_run_id(text).has_value();
    case Form::file_name:
      return is_file_name(text);
    case Form::error_code:
      return is_error_code(text);
    case Form::missed_reason:
      return is_missed_reason(text);
    case Form::root:
      return is_root(text);
  }
  return false;
}

std::string_view to_string(Form form) {
  switch (form) {
    case Form::any:
      return "text";
    case Form::word:
      return "text that is not empty";
    case Form::message:
      return "at most 1 KiB of text";
    case Form::digest:
      return "a SHA-256 digest in lowercase hex";
    case Form::plain_name:
      return "a name of a table or column";
    case Form::input_name:
      return "a name of a table or input";
    case Form::collector:
      return "a name of a collector";
    case Form::id:
      return "an id";
    case Form::agent_id:
      return "a UUID v4 in lowercase";
    case Form::boot_id:
      return "a UUID in lowercase";
    case Form::machine:
      return "32 lowercase hex digits";
    case Form::run:
      return "a run id";
    case Form::file_name:
      return "a file name";
    case Form::error_code:
      return "an error code";
    case Form::missed_reason:
      return "a reason of run-missed";
    case Form::root:
      return "32 bytes in base64";
  }
  return "text";
}

void FieldProblem::set(std::string_view pointer, std::string_view reason) {
  if (error_) return;
  error_ = Error{Errc::invalid, fmt::format("{}: {}", pointer.empty() ? "/" : pointer, reason)};
}

FieldReader::FieldReader(const json::Value& value, std::string pointer, FieldProblem& problem)
    : value_(value), pointer_(std::move(pointer)), problem_(problem) {
  if (!value_.if_object()) problem_.set(pointer_, "expected an object");
}

void FieldReader::fail(std::string_view key, std::string_view reason) {
  problem_.set(key.empty() ? pointer_ : fmt::format("{}/{}", pointer_, key), reason);
}

const json::Value& FieldReader::member(std::string_view key) {
  static const json::Value kNull;
  const auto* found = value_.find(key);
  if (found) return *found;
  fail(key, "is missing");
  return kNull;
}

const std::string* FieldReader::string_member(std::string_view key) {
  const auto* text = member(key).if_string();
  if (!text) fail(key, "expected a string");
  return text;
}

const json::Array* FieldReader::array(std::string_view key, std::size_t max) {
  const auto* items = member(key).if_array();
  if (!items) {
    fail(key, "expected an array");
  } else if (items->size() > max) {
    fail(key, fmt::format("more than {} items", max));
    return nullptr;
  }
  return items;
}

std::string FieldReader::item_pointer(std::string_view key, std::size_t index) const {
  return fmt::format("{}/{}/{}", pointer_, key, index);
}

void FieldReader::text(std::string_view key, std::string& out, Form form) {
  const auto* found = string_member(key);
  if (!found) return;
  if (found->size() > kTextBytesMax) return fail(key, "over 64 KiB");
  if (!has_form(form, *found)) return fail(key, fmt::format("expected {}", to_string(form)));
  out = *found;
}

void FieldReader::text(std::string_view key, std::optional<std::string>& out, Form form) {
  if (has(key)) text(key, out.emplace(), form);
}

void FieldReader::integer(std::string_view key, std::int64_t& out, std::int64_t min,
                          std::int64_t max) {
  const auto* found = member(key).if_integer();
  if (!found) return fail(key, "expected an integer");
  if (*found < min || *found > max) return fail(key, fmt::format("must be {} to {}", min, max));
  out = *found;
}

void FieldReader::integer(std::string_view key, std::optional<std::int64_t>& out) {
  if (has(key)) integer(key, out.emplace());
}

void FieldReader::boolean(std::string_view key, bool& out) {
  const auto* found = member(key).if_bool();
  if (!found) return fail(key, "expected true or false");
  out = *found;
}

void FieldReader::flag(std::string_view key, bool& out) {
  if (!has(key)) return;
  boolean(key, out);
  if (!out) fail(key, "must be true or left out");
}

void FieldReader::instant(std::string_view key, WallMs& out) {
  const auto* found = string_member(key);
  if (!found) return;
  const auto time = parse_instant(*found);
  if (!time) return fail(key, "expected an instant, such as 2026-11-21T19:30:02.118Z");
  out = *time;
}

void FieldReader::instant(std::string_view key, std::optional<WallMs>& out) {
  if (has(key)) instant(key, out.emplace());
}

void FieldReader::second(std::string_view key, WallSeconds& out) {
  const auto* found = string_member(key);
  if (!found) return;
  const auto time = parse_second(*found);
  if (!time) return fail(key, "expected a time in whole seconds, such as 2026-11-21T19:30:00Z");
  out = *time;
}

void FieldReader::second(std::string_view key, std::optional<WallSeconds>& out) {
  if (has(key)) second(key, out.emplace());
}

void FieldReader::base64(std::string_view key, std::string& out) {
  const auto* found = string_member(key);
  if (!found) return;
  auto bytes = base64_decode(*found);
  if (!bytes) return fail(key, "expected base64");
  out = *std::move(bytes);
}

void FieldReader::texts(std::string_view key, std::vector<std::string>& out, Form form,
                        std::size_t max) {
  const auto* items = array(key, max);
  for (std::size_t i = 0; items && i < items->size(); ++i) {
    const auto* found = (*items)[i].if_string();
    if (!found || found->size() > kTextBytesMax || !has_form(form, *found)) {
      return problem_.set(item_pointer(key, i), fmt::format("expected {}", to_string(form)));
    }
    out.push_back(*found);
  }
}

}  // namespace vouch
