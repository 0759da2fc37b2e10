// SPDX-License-Identifier: Apache-2.0
// Results of XCCDF: what is read of them does not depend on where the pieces are cut.
#include <cstdlib>

#include "collectors/openscap/xccdf.h"

namespace {

vouch::Result<vouch::openscap::TestResult> read(std::string_view text, std::size_t piece) {
  vouch::openscap::XccdfReader reader;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (auto fed = reader.feed(text.substr(at, piece)); !fed) return fed.error();
  }
  return reader.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto whole = read(text, size + 1);
  const auto cut = read(text, 13);
  if (whole.has_value() != cut.has_value()) std::abort();
  if (whole && whole->rules.size() != cut->rules.size()) std::abort();
  return 0;
}
