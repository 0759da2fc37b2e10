// SPDX-License-Identifier: Apache-2.0
#include "core/sqlite_memory.h"

#include <sqlite3.h>

#include <cassert>
#include <cstdlib>
#include <cstring>

namespace vouch::sqlite {
namespace {

// Before each block stands its size: what malloc rounds it to differs between machines. SQLite
// needs an alignment of 8, no more.
constexpr std::size_t kHeaderBytes = 8;

thread_local AllocationMeter* meter_of_thread = nullptr;

char* start_of(void* block) {
  return static_cast<char*>(block) - kHeaderBytes;
}

std::size_t size_of(void* block) {
  std::uint64_t size = 0;
  std::memcpy(&size, start_of(block), sizeof size);
  return static_cast<std::size_t>(size);
}

void* with_header(void* start, std::size_t size) {
  if (start == nullptr) return nullptr;
  const std::uint64_t noted = size;
  std::memcpy(start, &noted, sizeof noted);
  return static_cast<char*>(start) + kHeaderBytes;
}

void* counted_malloc(int bytes) {
  const auto size = static_cast<std::size_t>(bytes);
  if (meter_of_thread != nullptr && !meter_of_thread->take(size)) return nullptr;
  return with_header(std::malloc(size + kHeaderBytes), size);
}

void counted_free(void* block) {
  if (block == nullptr) return;
  if (meter_of_thread != nullptr) meter_of_thread->give_back(size_of(block));
  std::free(start_of(block));
}

// SQLite never calls it for nothing, nor for a size of nothing.
void* counted_realloc(void* block, int bytes) {
  const auto size = static_cast<std::size_t>(bytes);
  const std::size_t before = size_of(block);
  if (meter_of_thread != nullptr && !meter_of_thread->take(size)) return nullptr;
  void* moved = std::realloc(start_of(block), size + kHeaderBytes);
  if (meter_of_thread != nullptr) meter_of_thread->give_back(moved == nullptr ? size : before);
  return with_header(moved, size);
}

int counted_size(void* block) {
  return block == nullptr ? 0 : static_cast<int>(size_of(block));
}

int rounded(int bytes) {
  return (bytes + 7) & ~7;
}

int start(void*) {
  return SQLITE_OK;
}

void stop(void*) {}

}  // namespace

AllocationMeter::AllocationMeter(std::size_t in_use_max)
    : in_use_max_(static_cast<std::int64_t>(in_use_max)) {
  assert(meter_of_thread == nullptr);
  meter_of_thread = this;
}

AllocationMeter::~AllocationMeter() {
  meter_of_thread = nullptr;
}

bool AllocationMeter::take(std::size_t bytes) {
  const auto after = in_use_ + static_cast<std::int64_t>(bytes);
  if (after > in_use_max_) {
    exceeded_ = true;
    return false;
  }
  in_use_ = after;
  allocated_ += bytes;
  return true;
}

AllocationPause::AllocationPause() : paused_(meter_of_thread) {
  meter_of_thread = nullptr;
}

AllocationPause::~AllocationPause() {
  meter_of_thread = paused_;
}

Status count_allocations() {
  static const int done = [] {
    sqlite3_mem_methods methods{
        counted_malloc, counted_free, counted_realloc, counted_size, rounded, start, stop, nullptr};
    const int set = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    // Its own statistics, behind a lock for the whole process, are not looked at.
    return set == SQLITE_OK ? sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) : set;
  }();
  if (done == SQLITE_OK) return Ok{};
  return Error{Errc::other, "SQLite was in use before its memory could be counted"};
}

}  // namespace vouch::sqlite
