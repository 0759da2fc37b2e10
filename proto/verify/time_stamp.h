// SPDX-License-Identifier: Apache-2.0
// RFC 3161 time stamps: somebody else's word for when a checkpoint was there, and with it every
// leaf below. The file is a TimeStampResp in DER, as `openssl ts -reply` writes it, over the
// checkpoint's three signed lines.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::verify {

inline constexpr std::size_t kTimeStampBytesMax = 256u << 10;

// Certificates that the reader trusts to found a time stamp on.
class TimeStampRoots {
 public:
  // One or more PEM certificates. Errc::invalid if there is none, or one that cannot be read.
  static Result<TimeStampRoots> from_pem(std::string_view pem);
  TimeStampRoots(TimeStampRoots&&) noexcept;
  TimeStampRoots& operator=(TimeStampRoots&&) noexcept;
  ~TimeStampRoots();

  struct Certificates;
  [[nodiscard]] const Certificates& certificates() const { return *certificates_; }

 private:
  explicit TimeStampRoots(std::unique_ptr<Certificates> certificates);
  std::unique_ptr<Certificates> certificates_;
};

struct TimeStamp {
  WallSeconds time = 0;         // As the authority says.
  WallSeconds valid_until = 0;  // End of its certificate: from then on the token needs an archive.
  std::string authority;        // The subject of its certificate.
};

// Errc::invalid unless the token is well formed, carries its certificate, is over the SHA-256, -384
// or -512 of `text`, and is signed by a certificate for time stamping that led to one of the roots
// at the token's own time. Reads no clock. For any thread.
Result<TimeStamp> check_time_stamp(std::string_view response, std::string_view text,
                                   const TimeStampRoots& roots);

}  // namespace vouch::verify
