// SPDX-License-Identifier: Apache-2.0
// RFC 3161 tokens and the certificates they are checked with, from anywhere.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/verify/time_stamp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace verify = vouch::verify;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const auto roots = verify::TimeStampRoots::from_pem(R"(-----BEGIN CERTIFICATE-----
MIIBjTCCATOgAwIBAgIUSAzxpnZfhlixmnWoRzp3YQ/YNTcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJVGVzdCByb290MB4XDTI2MTEyNzA5MzM0OVoXDTM2MTEyNDA5
MzM0OVowFDESMBAGA1UEAwwJVGVzdCByb290MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEcGGMZjfxm9GKhgq0QlkjXknbDpiG/gjINEpTEpWviKueJacmLkHE3zUk
b0/VOtRsT1klRKWpC+CcxUJpcIzQd6NjMGEwHQYDVR0OBBYEFGup+LYWkAJT32E9
8WLR8yUoJaLxMB8GA1UdIwQYMBaAFGup+LYWkAJT32E98WLR8yUoJaLxMA8GA1Ud
EwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMAoGCCqGSM49BAMCA0gAMEUCIQD3
7VDcVYE6UnBnG/QddG6ZJ1mnY28x58pagBHQQeLljAIgO7zGjV+n6KqI4k4hSCif
lfqOqo0kf4eB56427SAzW1k=
-----END CERTIFICATE-----
)");
  if (!roots) __builtin_trap();
  (void)verify::check_time_stamp(bytes, "store.example.com/log1\n", *roots);
  (void)verify::TimeStampRoots::from_pem(bytes);
  return 0;
}
