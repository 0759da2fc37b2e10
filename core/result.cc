// SPDX-License-Identifier: Apache-2.0
#include "core/result.h"

#include <cerrno>
#include <cstring>

namespace vouch {
namespace {

Errc code_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH:
      return Errc::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::denied;
    case EEXIST:
      return Errc::exists;
    case E2BIG:
    case EFBIG:
    case ENAMETOOLONG:
      return Errc::too_large;
    case ETIMEDOUT:
      return Errc::timeout;
    case ENOSYS:
    case EOPNOTSUPP:
      return Errc::unsupported;
    case EAGAIN:
    case EBUSY:
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
      return Errc::unavailable;
    case EINVAL:
    case ELOOP:
    case EISDIR:
      return Errc::invalid;
    default:
      return Errc::other;
  }
}

}  // namespace

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::not_found:
      return "not-found";
    case Errc::denied:
      return "denied";
    case Errc::invalid:
      return "invalid";
    case Errc::corrupt:
      return "corrupt";
    case Errc::too_large:
      return "too-large";
    case Errc::timeout:
      return "timeout";
    case Errc::unsupported:
      return "unsupported";
    case Errc::unavailable:
      return "unavailable";
    case Errc::exists:
      return "exists";
    case Errc::tool_failed:
      return "tool-failed";
    case Errc::other:
      return "other";
  }
  return "other";
}

Error errno_error(std::string_view what, int error_number) {
  char text[256];
  // The GNU form: returns the message, which need not be in the buffer.
  const char* message = strerror_r(error_number, text, sizeof text);
  return {code_of_errno(error_number), std::string(what) + ": " + message};
}

}  // namespace vouch
