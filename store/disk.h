// SPDX-License-Identifier: Apache-2.0
// The seam to where the store keeps its files: a directory here, a bucket one day. Names are those
// of store/layout.h. Every file appears whole or not at all. Implementations are safe to call from
// any thread, but no two threads write the same name at once.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "core/result.h"

namespace vouch::store {

struct File {
  std::string name;
  std::string bytes;
};

class Disk {
 public:
  virtual ~Disk() = default;
  // Writes the files in order, over older ones of the same names. They are durable once it returns;
  // if it fails, those before the one that failed may be there.
  virtual Status put(const std::vector<File>& files) = 0;
  // The same for one file that becomes durable with the next sync().
  virtual Status put_unsynced(const File& file) = 0;
  virtual Status sync() = 0;
  // Errc::not_found, too_large.
  virtual Result<std::string> get(const std::string& name, std::size_t bytes_max) = 0;
  // Whether a file of that name is there and not empty.
  virtual Result<bool> has(const std::string& name) = 0;
};

// Told of each step that changes the disk, before it is taken. Crash tests end the process here.
using StepHook = std::function<void(std::string_view step)>;

class DirectoryDisk final : public Disk {
 public:
  // `root` must be there. Makes and empties its directory for temporary files.
  static Result<std::unique_ptr<DirectoryDisk>> open(std::string root, StepHook hook = nullptr);

  // For open(), which prepares the directory.
  DirectoryDisk(std::string root, StepHook hook) : root_(std::move(root)), hook_(std::move(hook)) {}

  Status put(const std::vector<File>& files) override;
  Status put_unsynced(const File& file) override;
  Status sync() override;
  Result<std::string> get(const std::string& name, std::size_t bytes_max) override;
  Result<bool> has(const std::string& name) override;

 private:
  struct Temporary {
    Fd fd;
    std::string path;
    std::string target;
  };
  Result<Temporary> write_temporary(const File& file);
  Status make_parents(const std::string& name);
  void step(std::string_view what, std::string_view name);

  const std::string root_;
  const StepHook hook_;
  std::mutex mutex_;            // Guards made_.
  std::set<std::string> made_;  // Directories known to be there, durably.
};

}  // namespace vouch::store
