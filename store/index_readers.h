// SPDX-License-Identifier: Apache-2.0
// Read-only connections to the index, lent to one thread at a time.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"
#include "store/index.h"

namespace vouch::store {

class IndexReaders {
 public:
  explicit IndexReaders(std::string path) : path_(std::move(path)) {}

  class Lease {
   public:
    Lease(IndexReaders& owner, std::unique_ptr<Index> index)
        : owner_(&owner), index_(std::move(index)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (index_) owner_->give_back(std::move(index_));
    }
    Index* operator->() const { return index_.get(); }
    Index& operator*() const { return *index_; }

   private:
    IndexReaders* owner_;
    std::unique_ptr<Index> index_;
  };

  Result<Lease> lend() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto index = std::move(idle_.back());
        idle_.pop_back();
        return Lease(*this, std::move(index));
      }
    }
    auto opened = Index::open_read_only(path_);
    if (!opened) return std::move(opened).error();
    return Lease(*this, std::make_unique<Index>(*std::move(opened)));
  }

 private:
  void give_back(std::unique_ptr<Index> index) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(index));
  }

  const std::string path_;
  std::mutex mutex_;  // Guards idle_.
  std::vector<std::unique_ptr<Index>> idle_;
};

}  // namespace vouch::store
