// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/list_stream.h"

#include <cstring>

#include "collectors/facts/expand.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kStanzaBytesMax = std::size_t{1} << 20;

// Puts pieces together and cuts them into stanzas.
class Splitter {
 public:
  explicit Splitter(const StanzaSink& sink) : sink_(sink) {}

  Status feed(std::string_view piece) {
    if (kept_.empty()) {
      const std::size_t used = cut(piece);
      kept_.assign(piece.substr(used));
    } else {
      kept_.append(piece);
      kept_.erase(0, cut(kept_));
    }
    if (kept_.size() > kStanzaBytesMax) return Error{Errc::invalid, "an entry over 1 MiB"};
    return Ok{};
  }

  Status finish() {
    if (kept_.find_first_not_of("\r\n") == std::string::npos) return Ok{};
    // Archives and apt end each list with a line end; what has none was cut off while written.
    if (kept_.back() != '\n') return Error{Errc::invalid, "the last line is not complete: cut off"};
    sink_(kept_);
    return Ok{};
  }

 private:
  // Hands over the complete stanzas at the front of `text`; returns how many bytes they took.
  std::size_t cut(std::string_view text) {
    std::size_t begin = 0;
    std::size_t at = 0;
    while (at < text.size()) {
      const void* found = std::memchr(text.data() + at, '\n', text.size() - at);
      if (found == nullptr) break;
      const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) + 1;
      const bool is_empty = end - at == 1 || (end - at == 2 && text[at] == '\r');
      if (is_empty) {
        if (at > begin) sink_(text.substr(begin, at - begin));
        begin = end;
      }
      at = end;
    }
    return begin;
  }

  const StanzaSink& sink_;
  std::string kept_;  // The beginning of a stanza whose end has not come yet.
};

}  // namespace

Status read_stanzas(int fd, std::string_view name, const StanzaSink& sink) {
  Splitter splitter(sink);
  auto status =
      facts::expand_file(fd, name, [&](std::string_view piece) { return splitter.feed(piece); });
  if (status) {
    status = splitter.finish();
    if (!status) status = Error(status.error()).in(name);
  }
  if (!status && status.error().code != Errc::unsupported) {
    return Error{status.error().code, status.error().message + "; run apt-get update"};
  }
  return status;
}

}  // namespace vouch::patch_level
