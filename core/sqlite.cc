// SPDX-License-Identifier: Apache-2.0
#include "core/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/file.h"
#include "core/sqlite_memory.h"

namespace vouch::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;
constexpr mode_t kDatabaseMode = 0600;
// Of a database file's header (sqlite.org/fileformat2.html).
constexpr std::size_t kHeaderBytes = 100;
constexpr std::size_t kPageBytesAt = 16;
constexpr std::size_t kWriteVersionAt = 18;
constexpr std::size_t kReadVersionAt = 19;
constexpr std::size_t kPageCountAt = 28;
constexpr int kImageTextBytesMax = 1 << 20;

Errc code_of(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      return Errc::unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::corrupt;
    case SQLITE_CONSTRAINT:
      return Errc::exists;
    case SQLITE_CANTOPEN:
      return Errc::not_found;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return Errc::denied;
    case SQLITE_TOOBIG:
      return Errc::too_large;
    default:
      return Errc::other;
  }
}

Error last_error(sqlite3* handle, std::string_view what) {
  return {code_of(sqlite3_extended_errcode(handle)),
          std::string(what) + ": " + sqlite3_errmsg(handle)};
}

std::size_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

// False where the end is missing: SQLite reads what is not there as zeros, and finds no rows.
bool is_whole(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return false;
  const std::size_t said = big_endian(bytes, kPageBytesAt, 2);
  const std::size_t page_bytes = said == 1 ? 65'536 : said;
  return page_bytes != 0 && bytes.size() % page_bytes == 0 &&
         bytes.size() / page_bytes >= big_endian(bytes, kPageCountAt, 4);
}

// A parameter that cannot be bound is a mistake in our own code (a wrong index) or the end of
// memory; going on would run the statement with NULL in its place.
void require_bound(int result) {
  assert(result == SQLITE_OK);
  if (result != SQLITE_OK) std::abort();
}

Result<sqlite3*> open_handle(const std::string& path, int flags) {
  if (auto counted = count_allocations(); !counted) return std::move(counted).error();
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (result != SQLITE_OK) {
    Error error = handle != nullptr ? last_error(handle, "open " + path)
                                    : Error{Errc::unavailable, "open " + path + ": no memory"};
    sqlite3_close_v2(handle);
    return error;
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  return handle;
}

// SQLite would create the file with 0644; its journal files take over the mode of the file. A file
// that is there must not be touched: closing any descriptor of it drops every lock that this
// process holds on it, those of other connections included (sqlite.org/howtocorrupt.html, 2.2).
Status create_private(const std::string& path) {
  const Fd created(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kDatabaseMode));
  if (!created && errno != EEXIST) return errno_error("open " + path, errno);
  return Ok{};
}

}  // namespace

Statement::Statement(Statement&& other) noexcept : statement_(other.statement_) {
  other.statement_ = nullptr;
}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this == &other) return *this;
  sqlite3_finalize(statement_);
  statement_ = other.statement_;
  other.statement_ = nullptr;
  return *this;
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::bind(int index, std::int64_t value) {
  require_bound(sqlite3_bind_int64(statement_, index, value));
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL instead of the empty text.
  const char* data = text.data() != nullptr ? text.data() : "";
  require_bound(
      sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  const char* data = bytes.data() != nullptr ? bytes.data() : "";
  require_bound(sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind_null(int index) {
  require_bound(sqlite3_bind_null(statement_, index));
  return *this;
}

Result<bool> Statement::step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  Error error = last_error(sqlite3_db_handle(statement_), "sqlite");
  sqlite3_reset(statement_);
  return error;
}

Status Statement::run() {
  for (;;) {
    auto row = step();
    if (row && *row) continue;
    reset();
    if (!row) return std::move(row).error();
    return Ok{};
  }
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Statement::text(int column) const {
  const void* data = sqlite3_column_type(statement_, column) == SQLITE_BLOB
                         ? sqlite3_column_blob(statement_, column)
                         : sqlite3_column_text(statement_, column);
  if (data == nullptr) return {};
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return {static_cast<const char*>(data), size};
}

Result<Database> Database::open(const std::string& path) {
  auto created = create_private(path);
  if (!created) return std::move(created).error();
  auto handle = open_handle(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!handle) return std::move(handle).error();
  Database database(*handle);
  auto configured = database.execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
      "PRAGMA trusted_schema=OFF;");
  if (!configured) return std::move(configured).error().in(path);
  return database;
}

Result<Database> Database::open_read_only(const std::string& path) {
  auto handle = open_handle(path, SQLITE_OPEN_READONLY);
  if (!handle) return std::move(handle).error();
  Database database(*handle);
  // Reads the header, so that a damaged file fails here and not at the first query.
  auto readable = database.execute("PRAGMA trusted_schema=OFF; PRAGMA schema_version;");
  if (!readable) return std::move(readable).error().in(path);
  return database;
}

Result<Database> Database::open_untouched(const std::string& path, bool has_log) {
  const std::string uri = "file:" + path + (has_log ? "?readonly_shm=1" : "?immutable=1");
  auto handle = open_handle(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  if (!handle) return std::move(handle).error();
  Database database(*handle);
  // Else the log would be put into the database, and be gone, after the last reader.
  sqlite3_db_config(*handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  auto readable = database.execute("PRAGMA trusted_schema=OFF; PRAGMA schema_version;");
  if (!readable) return std::move(readable).error();
  return database;
}

Result<Database> Database::open_memory() {
  auto handle = open_handle(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!handle) return std::move(handle).error();
  Database database(*handle);
  auto configured = database.execute("PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;");
  if (!configured) return std::move(configured).error();
  return database;
}

Result<Database> Database::open_image(std::string_view bytes) {
  if (!is_whole(bytes)) return Error{Errc::corrupt, "sqlite: no database, or a part of one"};
  auto handle = open_handle(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!handle) return std::move(handle).error();
  Database database(*handle);
  auto* copy = static_cast<unsigned char*>(sqlite3_malloc64(bytes.size()));
  if (copy == nullptr) return Error{Errc::unavailable, "sqlite: no memory"};
  std::memcpy(copy, bytes.data(), bytes.size());
  // "Written and read by a log": there is none in memory, and SQLite would refuse the file.
  for (const std::size_t at : {kWriteVersionAt, kReadVersionAt}) {
    if (copy[at] == 2) copy[at] = 1;
  }
  const auto size = static_cast<sqlite3_int64>(bytes.size());
  // It owns the copy from here on, whatever it answers.
  if (sqlite3_deserialize(*handle, "main", copy, size, size,
                          SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY) !=
      SQLITE_OK) {
    return last_error(*handle, "sqlite");
  }
  sqlite3_limit(*handle, SQLITE_LIMIT_LENGTH, kImageTextBytesMax);
  auto readable = database.execute("PRAGMA trusted_schema=OFF; PRAGMA schema_version;");
  if (!readable) return std::move(readable).error();
  return database;
}

Database::Database(Database&& other) noexcept : handle_(other.handle_) {
  other.handle_ = nullptr;
}

Database& Database::operator=(Database&& other) noexcept {
  if (this == &other) return *this;
  sqlite3_close_v2(handle_);
  handle_ = other.handle_;
  other.handle_ = nullptr;
  return *this;
}

Database::~Database() {
  sqlite3_close_v2(handle_);
}

Status Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return last_error(handle_, "sqlite");
  }
  return Ok{};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result =
      sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), 0, &statement, nullptr);
  if (result != SQLITE_OK) return last_error(handle_, "prepare");
  return Statement(statement);
}

std::int64_t Database::last_insert_rowid() const {
  return sqlite3_last_insert_rowid(handle_);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_);
}

Status Database::transaction(const std::function<Status()>& body) {
  auto begun = execute("BEGIN IMMEDIATE");
  if (!begun) return begun;
  auto done = body();
  if (done) done = execute("COMMIT");
  // Some errors (a full disk) have rolled back already; then there is nothing left to undo.
  if (!done && sqlite3_get_autocommit(handle_) == 0) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  return done;
}

void Database::release_memory() {
  sqlite3_db_release_memory(handle_);
}

Status Database::check() {
  auto statement = prepare("PRAGMA quick_check(1)");
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  const std::string verdict = *row ? statement->text(0) : "no answer";
  if (verdict != "ok") return Error{Errc::corrupt, "sqlite quick_check: " + verdict};
  return Ok{};
}

}  // namespace vouch::sqlite
