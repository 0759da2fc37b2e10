// SPDX-License-Identifier: Apache-2.0
// The result of anything that can fail in production: a value or an Error.
// A deliberate subset of std::expected, which GCC 12 does not have in C++20 mode.
#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace vouch {

// What a caller decides on. Add one only when some caller branches on it.
enum class Errc {
  not_found,    // The thing named does not exist.
  denied,       // The operating system or a rule refused it.
  invalid,      // The input is not what its format says.
  corrupt,      // Our own stored data contradicts itself.
  too_large,    // A bound was exceeded.
  timeout,      // A deadline passed.
  unsupported,  // This host, kernel or version cannot do it.
  unavailable,  // It may work later: network, busy, disk full. The only code that is retried.
  exists,       // It is there already.
  tool_failed,  // A program that was started ended badly.
  other,        // Anything that no caller tells apart.
};

// The code as it stands in messages and JSON: "not-found", "too-large".
std::string_view to_string(Errc code);

struct Error {
  Errc code = Errc::other;
  std::string message;  // For a person: what was attempted, on what, why it failed, what to do.

  // Adds context in front, once, as the error passes up: "read config: line 3: unknown key".
  [[nodiscard]] Error in(std::string_view what) && {
    return {code, std::string(what) + ": " + std::move(message)};
  }
};

// An Error from errno: "open /etc/shadow: Permission denied", with the matching code.
Error errno_error(std::string_view what, int error_number);

// Holds a T or an Error. Reading the wrong one is a programming error (assert).
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  T& value() & {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && { return std::move(value()); }

  [[nodiscard]] T value_or(T fallback) const& {
    return has_value() ? value() : std::move(fallback);
  }

  Error& error() & {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  const Error& error() const& {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && { return std::move(error()); }

 private:
  std::variant<T, Error> state_;
};

struct Ok {};
using Status = Result<Ok>;

}  // namespace vouch
