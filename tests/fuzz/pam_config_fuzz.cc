// SPDX-License-Identifier: Apache-2.0
// PAM files, their stacks, and the settings of shells and modules.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collectors/access_review/access_rules.h"
#include "collectors/access_review/pam_settings.h"
#include "collectors/access_review/pam_stack.h"
#include "collectors/access_review/shell_settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace access = vouch::access;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const access::PamSource source{"/etc/pam.d/x",
                                 access::parse_pam_file(text, access::PamFile::of_service)};
  const access::FindPamSource find =
      [&](const std::string&) -> vouch::Result<const access::PamSource*> {
    return &source;  // Every include leads back here.
  };
  access::PamGaps gaps;
  auto stacks = access::resolve_pam_service("x", find, gaps);
  if (!stacks) std::abort();
  for (auto& [facility, stack] : *stacks) {
    if (stack.size() > 2000) std::abort();
    std::size_t steps = 10'000;
    access::find_mandatory(stack, facility, steps);
    for (const access::PamEntry& entry : stack) {
      (void)access::shown_pam_arguments(access::pam_module_name(entry.module), entry.arguments);
    }
  }
  (void)access::parse_pam_file(text, access::PamFile::pam_conf);
  (void)access::parse_pam_settings(text);
  (void)access::parse_shell_settings(text);
  (void)access::parse_access_conf(text);
  (void)access::read_polkit_text(text);
  return 0;
}
