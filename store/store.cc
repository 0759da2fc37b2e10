// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "core/log.h"
#include "proto/policy_file.h"
#include "proto/signing_key.h"
#include "proto/succession.h"
#include "store/certificates.h"
#include "store/compat.h"
#include "store/fleet_alerts.h"
#include "store/layout.h"
#include "store/succeed.h"

namespace vouch::store {
namespace {

constexpr std::size_t kSmallFileBytesMax = 64u << 10;
constexpr std::int64_t kReceiveBytesMax = std::int64_t{512} << 20;  // Blobs in memory, all uploads.
constexpr std::int64_t kHeadBytesMax = std::int64_t{128} << 20;  // Large envelopes, not yet known.
constexpr WallSeconds kRenewBefore = WallSeconds{30} * 86400;
constexpr mode_t kSecretMode = 0600;
constexpr mode_t kPublicMode = 0644;
constexpr mode_t kPrivateDirectoryMode = 0700;

std::string at(const std::string& dir, std::string_view name) {
  return dir + "/" + std::string(name);
}

std::string without_newline(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::vector<std::string> server_names(const Settings& settings) {
  std::vector<std::string> names{settings.host};
  for (const char* name : {"localhost", "127.0.0.1", "::1"}) {
    if (settings.host != name) names.emplace_back(name);
  }
  return names;
}

Status write_server_certificate(const std::string& dir, const Certificate& ca,
                                const Settings& settings, const Clock& clock) {
  auto server = make_server_certificate(ca, server_names(settings), clock.wall_ms() / 1000);
  if (!server) return std::move(server).error();
  auto written = write_file_durable(at(dir, layout::kServerKey), server->key, kSecretMode);
  if (!written) return written;
  return write_file_durable(at(dir, layout::kServerCertificate), server->certificate, kPublicMode);
}

Status make_certificates(const std::string& dir, const Settings& settings, const Clock& clock) {
  auto made = make_directories(at(dir, "tls"));
  if (!made || !settings.own_ca) return made;
  auto ca = make_ca(settings.origin, clock.wall_ms() / 1000);
  if (!ca) return std::move(ca).error();
  auto written = write_file_durable(at(dir, layout::kCaKey), ca->key, kSecretMode);
  if (!written) return written;
  written = write_file_durable(at(dir, layout::kCaCertificate), ca->certificate, kPublicMode);
  if (!written) return written;
  return write_server_certificate(dir, *ca, settings, clock);
}

Status require_empty(const std::string& dir) {
  auto names = list_directory(dir, 1);
  if (!names && names.error().code == Errc::not_found) return make_directories(dir, 0750);
  if (!names || !names->empty()) {
    return Error{Errc::exists, dir + ": not empty; name a new directory"};
  }
  return Ok{};
}

}  // namespace

struct Store::Parts {
  Parts(Fd lock_in, Settings settings_in, note::VerifierKey vkey_in, SigningKey key_in,
        std::unique_ptr<DirectoryDisk> disk_in, Index index_in, const std::string& index_path,
        Quota quota, std::vector<EarlierLog> earlier)
      : lock(std::move(lock_in)),
        settings(std::move(settings_in)),
        vkey(std::move(vkey_in)),
        key(std::move(key_in)),
        disk(std::move(disk_in)),
        index(std::move(index_in)),
        readers(index_path),
        receipts(*disk, settings.origin, std::move(earlier)),
        quotas(quota),
        memory(kReceiveBytesMax),
        heads(kHeadBytesMax) {}

  // In the order in which each needs those before it.
  Fd lock;
  Settings settings;
  note::VerifierKey vkey;
  SigningKey key;
  std::unique_ptr<DirectoryDisk> disk;
  Index index;
  IndexReaders readers;
  Receipts receipts;
  QuotaBook quotas;
  ByteBudget memory;
  ByteBudget heads;
  std::unique_ptr<TreeLog> log;
  std::unique_ptr<Filer> filer;
  std::unique_ptr<Committer> committer;
  std::unique_ptr<FleetAlerts> alerts;
  std::unique_ptr<Caretaker> caretaker;
  std::unique_ptr<IngestContext> ingest;
  std::unique_ptr<EnrolContext> enrol;
  std::unique_ptr<DropContext> drops;
  std::unique_ptr<Api> api;
};

Store::Store(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Store::~Store() = default;
Handler& Store::handler() {
  return *parts_->api;
}
const Settings& Store::settings() const {
  return parts_->settings;
}
Result<ImportCounts> Store::import(const std::string& parcels, const RefusalSink& sink) {
  return import_parcels(*parts_->api, parts_->readers, *parts_->disk, parts_->receipts, parcels,
                        sink);
}
void Store::stop() {
  parts_->caretaker->stop();
  parts_->committer->stop();
}
Status Store::tend() {
  auto done = parts_->caretaker->note_silence();
  if (done) done = parts_->caretaker->carry_out_orders();
  return done ? parts_->caretaker->tell() : done;
}
Result<OrderAnswer> Store::carry_out(const Order& order) {
  return parts_->caretaker->carry_out(order);
}

Status Store::init(const std::string& dir, const Settings& settings, const Clock& clock) {
  if (!note::is_key_name(settings.origin) || settings.origin == succession::kTag) {
    return Error{Errc::invalid, "origin \"" + settings.origin +
                                    "\": a name without scheme, white space or \"+\", as in "
                                    "store.example.com/log1"};
  }
  auto empty = require_empty(dir);
  if (!empty) return empty;
  auto made = make_directories(at(dir, "private"), kPrivateDirectoryMode);
  if (!made) return made;
  auto key = SigningKey::generate();
  if (!key) return std::move(key).error();
  auto vkey = note::make_vkey(settings.origin, note::KeyType::log, *key);
  if (!vkey) return std::move(vkey).error();
  auto saved = key->save(at(dir, layout::kLogKey));
  if (!saved) return saved;
  saved =
      write_file_durable(at(dir, layout::kLogVkey), note::write_vkey(*vkey) + "\n", kPublicMode);
  if (!saved) return saved;
  auto certificates = make_certificates(dir, settings, clock);
  if (!certificates) return certificates;

  auto disk = DirectoryDisk::open(dir);
  if (!disk) return std::move(disk).error();
  auto index = Index::open(at(dir, layout::kDatabase));
  if (!index) return std::move(index).error();
  auto account = index->add_account("local", "admin", clock.wall_ms());
  if (!account) return account;
  auto created = TreeLog::create(*index, **disk, *vkey, *key);
  if (!created) return created;
  // Last: a directory without settings is not a store yet.
  return write_file_durable(at(dir, layout::kSettings), write_settings(settings));
}

Result<std::unique_ptr<Store>> Store::open(const std::string& dir, const Clock& clock,
                                           StoreOptions options) {
  auto settings = read_settings(dir);
  if (!settings) return std::move(settings).error();
  auto lock = lock_directory(dir);
  if (!lock) return std::move(lock).error();
  const std::string index_path = at(dir, layout::kDatabase);
  auto index = Index::open(index_path);
  if (!index) return std::move(index).error();
  auto finished = finish_succession(dir, *index);
  if (finished) settings = read_settings(dir);  // A succession changes the origin.
  if (!finished) return std::move(finished).error();
  if (!settings) return std::move(settings).error();
  auto earlier = index->earlier_logs();
  if (!earlier) return std::move(earlier).error();
  auto vkey = read_vkey(dir);
  if (!vkey) return std::move(vkey).error();
  auto key = SigningKey::load(at(dir, layout::kLogKey));
  if (!key) return std::move(key).error();
  auto disk = DirectoryDisk::open(dir, options.hook);
  if (!disk) return std::move(disk).error();
  auto recovered = Filer::recover(*index, **disk);
  if (!recovered) return std::move(recovered).error();

  auto parts = std::make_unique<Parts>(*std::move(lock), *std::move(settings), *std::move(vkey),
                                       *std::move(key), *std::move(disk), *std::move(index),
                                       index_path, options.quota, *std::move(earlier));
  auto log =
      TreeLog::open(parts->index, *parts->disk, parts->receipts, clock, parts->vkey, parts->key);
  if (!log) return std::move(log).error();
  const Compat compat = compat_of_this_release();
  auto note = write_compat_note(compat, parts->vkey, parts->key);
  if (!note) return std::move(note).error();
  parts->log = std::make_unique<TreeLog>(*std::move(log));
  parts->filer = std::make_unique<Filer>(*parts->disk);
  parts->committer = std::make_unique<Committer>(parts->index, *parts->log, *parts->filer,
                                                 parts->receipts.base(), options.hook);
  auto repin_below = parts->receipts.repin_below();
  if (!repin_below) return std::move(repin_below).error();
  parts->ingest = std::make_unique<IngestContext>(IngestContext{clock,
                                                                *parts->disk,
                                                                parts->readers,
                                                                parts->receipts,
                                                                *parts->committer,
                                                                parts->quotas,
                                                                parts->memory,
                                                                parts->heads,
                                                                {compat, *std::move(note)},
                                                                parts->settings.late_after_s * 1000,
                                                                *repin_below});
  parts->enrol = std::make_unique<EnrolContext>(
      EnrolContext{clock, parts->readers, parts->receipts, *parts->committer,
                   note::write_vkey(parts->vkey), policy_text(parts->vkey, parts->settings)});
  parts->drops = std::make_unique<DropContext>(DropContext{
      clock, parts->readers, parts->receipts, *parts->committer, parts->quotas, parts->heads});
  parts->api = std::make_unique<Api>(*parts->ingest, *parts->enrol, *parts->drops);
  const WallMs grace_ms = parts->settings.overdue_grace_s * 1000;
  parts->caretaker =
      std::make_unique<Caretaker>(clock, parts->readers, *parts->committer, grace_ms);
  if (!options.alert_rules.empty()) {
    auto alerts = FleetAlerts::open(
        {dir, parts->settings.origin, parts->settings.host, options.alert_rules, grace_ms}, clock);
    if (!alerts) return std::move(alerts).error();
    parts->alerts = *std::move(alerts);
    parts->caretaker->tells(*parts->alerts, *parts->disk);
  }
  if (options.timer) parts->caretaker->start();
  return std::make_unique<Store>(std::move(parts));
}

Result<Fd> lock_directory(const std::string& dir) {
  const std::string path = at(dir, layout::kLock);
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kSecretMode));
  if (!lock) return errno_error("open " + path, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{Errc::exists, dir + ": another vouch-store has it open; stop that one first"};
  }
  return lock;
}

Status renew_certificate(const std::string& dir, const Settings& settings, const Clock& clock) {
  if (!settings.own_ca) return Ok{};
  auto current = read_file(at(dir, layout::kServerCertificate), kSmallFileBytesMax);
  if (current) {
    auto expiry = certificate_expiry(*current);
    if (!expiry) return std::move(expiry).error().in(at(dir, layout::kServerCertificate));
    if (*expiry > clock.wall_ms() / 1000 + kRenewBefore) return Ok{};
  }
  auto certificate = read_file(at(dir, layout::kCaCertificate), kSmallFileBytesMax);
  if (!certificate) return std::move(certificate).error();
  auto key = read_file(at(dir, layout::kCaKey), kSmallFileBytesMax);
  if (!key) return std::move(key).error();
  log::info("renewing the server's certificate");
  return write_server_certificate(dir, {*certificate, *key}, settings, clock);
}

Result<Settings> read_settings(const std::string& dir) {
  const std::string path = at(dir, layout::kSettings);
  auto text = read_file(path, kSmallFileBytesMax);
  if (!text) {
    if (text.error().code != Errc::not_found) return std::move(text).error();
    return Error{Errc::not_found, dir + ": not a store; make one with `vouch-store init --dir " +
                                      dir + " --origin NAME`"};
  }
  auto settings = parse_settings(*text);
  if (!settings) return std::move(settings).error().in(path);
  return settings;
}

Result<note::VerifierKey> read_vkey(const std::string& dir) {
  const std::string path = at(dir, layout::kLogVkey);
  auto text = read_file(path, kSmallFileBytesMax);
  if (!text) return std::move(text).error();
  auto vkey = note::parse_vkey(without_newline(*std::move(text)));
  if (!vkey) return std::move(vkey).error().in(path);
  return vkey;
}

std::string policy_text(const note::VerifierKey& vkey, const Settings& settings) {
  policy_file::Policy policy;
  policy.logs.push_back({vkey, settings.url()});
  policy.quorum = "none";
  return policy_file::write(policy);
}

}  // namespace vouch::store
