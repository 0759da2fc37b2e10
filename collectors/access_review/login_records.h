// SPDX-License-Identifier: Apache-2.0
// Logins on record: wtmp(5) and lastlog(8), whose records are C structures of fixed size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vouch::access {

// Collects the newest login per user name from records that arrive in pieces.
class WtmpReader {
 public:
  // The size of a record, on this architecture's glibc.
  static std::size_t record_size();

  void feed(std::string_view bytes);
  // Bytes at the end that are no whole record: a torn write, or not a wtmp file.
  [[nodiscard]] std::size_t leftover() const { return rest_.size(); }
  // Records whose type does not exist: the file is damaged, or of another architecture.
  [[nodiscard]] std::size_t strange_records() const { return strange_; }
  // Seconds since 1970 of the newest login, by user name.
  [[nodiscard]] const std::map<std::string, std::int64_t>& logins() const { return logins_; }

 private:
  void record(std::string_view bytes);
  std::string rest_;
  std::size_t strange_ = 0;
  std::map<std::string, std::int64_t> logins_;
};

std::size_t lastlog_record_size();
// The time in one record of lastlog; nullopt: never, or the record is too short.
std::optional<std::int64_t> parse_lastlog_record(std::string_view record);

}  // namespace vouch::access
