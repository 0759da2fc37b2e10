// SPDX-License-Identifier: Apache-2.0
// A SQLite connection and its statements: the only place that includes sqlite3.h, apart from the
// policy engine's sandbox. One connection is used by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace vouch::sqlite {

// A prepared statement. Parameters are bound by position from 1; columns are read from 0.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_null(int index);

  // True: a row is there. False: done. Errors as sqlite3_step: SQLITE_FULL, BUSY and IOERR are
  // Errc::unavailable, CORRUPT and NOTADB Errc::corrupt, CONSTRAINT Errc::exists.
  Result<bool> step();
  // Steps to the end, then resets; for statements without rows.
  Status run();
  void reset();  // Also clears the bindings.

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;  // Text or blob, all its bytes.

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_;
};

class Database {
 public:
  // Opens or creates the file: WAL, synchronous=FULL, foreign keys on, 5 s busy timeout, mode 0600.
  // A damaged file is Errc::corrupt (quick_check is not run here; see check()).
  static Result<Database> open(const std::string& path);
  static Result<Database> open_read_only(const std::string& path);
  // A file of others, in a directory that may be another's image: no file is made beside it and no
  // lock taken. `has_log`: there is a log ("-wal") with something in it, which is read, too, if its
  // index ("-shm") is there.
  static Result<Database> open_untouched(const std::string& path, bool has_log);
  static Result<Database> open_memory();
  // The bytes of a database file that others wrote, read-only and in memory. One in WAL mode is
  // read without its log; a text over 1 MiB is refused.
  static Result<Database> open_image(std::string_view bytes);

  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  // Runs one or more statements without parameters or rows. Never with outside text.
  Status execute(const std::string& sql);
  // Prepares; the statement must not outlive the database.
  Result<Statement> prepare(std::string_view sql);
  [[nodiscard]] std::int64_t last_insert_rowid() const;
  [[nodiscard]] std::int64_t changes() const;
  // Runs `body` between BEGIN IMMEDIATE and COMMIT; any error, of body or of COMMIT, rolls back.
  Status transaction(const std::function<Status()>& body);
  // Gives back the memory of pages that are read again when they are needed.
  void release_memory();
  Status check();  // PRAGMA quick_check; Errc::corrupt says what is wrong.
  [[nodiscard]] sqlite3* handle() const { return handle_; }

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_;
};

}  // namespace vouch::sqlite
