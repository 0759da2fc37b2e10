// SPDX-License-Identifier: Apache-2.0
#include "core/json_stream.h"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <string>

namespace vouch::json {
namespace {

namespace bj = boost::json;

// Puts the parts of keys and strings together and passes them on.
struct Handler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = kStreamStringBytesMax;
  static constexpr std::size_t max_string_size = kStreamStringBytesMax;

  Events* events = nullptr;
  std::string text;

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return events->open_object(), true; }
  bool on_object_end(std::size_t, bj::error_code&) { return events->close_object(), true; }
  bool on_array_begin(bj::error_code&) { return events->open_array(), true; }
  bool on_array_end(std::size_t, bj::error_code&) { return events->close_array(), true; }
  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
    text.append(part.data(), part.size());
    return true;
  }
  bool on_key(bj::string_view part, std::size_t, bj::error_code&) {
    text.append(part.data(), part.size());
    events->key(text);
    text.clear();
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) {
    text.append(part.data(), part.size());
    return true;
  }
  bool on_string(bj::string_view part, std::size_t, bj::error_code&) {
    text.append(part.data(), part.size());
    events->string(text);
    text.clear();
    return true;
  }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(std::int64_t, bj::string_view, bj::error_code&) { return events->scalar(), true; }
  bool on_uint64(std::uint64_t, bj::string_view, bj::error_code&) { return events->scalar(), true; }
  bool on_double(double, bj::string_view, bj::error_code&) { return events->scalar(), true; }
  bool on_bool(bool, bj::error_code&) { return events->scalar(), true; }
  bool on_null(bj::error_code&) { return events->scalar(), true; }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

bj::parse_options options() {
  bj::parse_options options;
  options.max_depth = kStreamDepthMax;
  return options;
}

}  // namespace

struct Stream::State {
  bj::basic_parser<Handler> parser{options()};
  std::size_t fed = 0;
  bool is_done = false;
};

Stream::Stream(Events& events) : state_(std::make_unique<State>()) {
  state_->parser.handler().events = &events;
}
Stream::~Stream() = default;

Status Stream::feed(std::string_view bytes) {
  State& state = *state_;
  bj::error_code ec;
  std::size_t used = 0;
  if (!state.is_done) {
    used = state.parser.write_some(true, bytes.data(), bytes.size(), ec);
    state.is_done = state.parser.done();
  }
  state.fed += used;
  if (ec) {
    const bool is_long = ec == bj::error::string_too_large || ec == bj::error::key_too_large;
    return Error{is_long ? Errc::too_large : Errc::invalid,
                 fmt::format("json: byte {}: {}", state.fed, ec.message())};
  }
  if (bytes.find_first_not_of(" \t\r\n", used) != bytes.npos)
    return Error{Errc::invalid, fmt::format("json: byte {}: bytes after the value", state.fed)};
  return Ok{};
}

Status Stream::finish() {
  State& state = *state_;
  if (!state.is_done) {
    bj::error_code ec;
    state.parser.write_some(false, "", 0, ec);
    if (ec) return Error{Errc::invalid, "json: it is cut off"};
  }
  return Ok{};
}

}  // namespace vouch::json
