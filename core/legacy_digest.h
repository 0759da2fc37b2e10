// SPDX-License-Identifier: Apache-2.0
// SHA-1 and MD5, broken for everything but what others have fixed: the names of OpenPGP keys, and
// the checksums that Debian packages bring along. Nothing of ours may rest on them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace vouch {

std::string sha1(std::string_view bytes);  // 20 raw bytes.

// MD5 of bytes that arrive in pieces. finish_hex() may be called once.
class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(const Md5&) = delete;
  Md5& operator=(const Md5&) = delete;
  void update(std::string_view bytes);
  std::string finish_hex();  // 32 lowercase hex digits.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vouch
