// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/idle_memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "core/sqlite.h"

namespace vouch::agent {
namespace {

// Of one program or library: what is never written.
int release_segments(struct dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const auto begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const auto end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    // The kernel's own page (vdso) is refused; that is as well.
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void release_code() {
  dl_iterate_phdr(release_segments, nullptr);
}

void release_idle_memory(sqlite::Database& ledger) {
  ledger.release_memory();
  malloc_trim(0);
  release_code();
}

}  // namespace vouch::agent
