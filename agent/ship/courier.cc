// SPDX-License-Identifier: Apache-2.0
#include "agent/ship/courier.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "agent/ship/air_gap.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "proto/checkpoint.h"
#include "proto/drop_notice.h"
#include "proto/leaf.h"
#include "proto/limits.h"
#include "proto/note.h"
#include "proto/problem.h"
#include "proto/succession.h"
#include "proto/tile.h"

namespace vouch::ship {
namespace {

constexpr std::size_t kFilesMax = 1'000'000;
constexpr std::size_t kSeqDigits = 10;
constexpr std::int64_t kStaleSeconds = 60;  // A receipt that vouchd did not take by then.
constexpr mode_t kReceiptMode = 0640;
constexpr int kSuccessionsMax = 16;
constexpr std::string_view kParcel = ".parcel";
constexpr std::string_view kParcelMediaType = "application/vnd.vouch.parcel+zstd";
constexpr std::string_view kReceipt = ".tlog-proof";
constexpr std::string_view kConsistency = ".consistency";
constexpr std::string_view kContradiction = ".contradiction";
constexpr std::string_view kFork = ".fork";
constexpr std::string_view kRefused = ".refused.json";
constexpr std::string_view kDelivered = ".delivered.json";
constexpr std::string_view kAlertAnswer = ".alert.json";  // The alert courier's.

// The seq in front of a file name; nothing if it has none.
std::optional<std::int64_t> seq_of(std::string_view name) {
  if (name.size() <= kSeqDigits || name[kSeqDigits] != '.') return std::nullopt;
  std::int64_t seq = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + kSeqDigits, seq);
  if (parsed.ec != std::errc{} || parsed.ptr != name.data() + kSeqDigits) return std::nullopt;
  return seq;
}

// The head that a note shows. Its signatures are vouchd's affair.
std::optional<checkpoint::Checkpoint> head_of(std::string_view note) {
  const auto parsed = note::parse_note(note);
  if (!parsed) return std::nullopt;
  auto head = checkpoint::parse_text(parsed->text);
  if (!head) return std::nullopt;
  return *std::move(head);
}

std::int64_t age_seconds(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return std::time(nullptr) - status.st_mtime;
}

Status make_receipts(const CourierPaths& paths) {
  const std::string tmp = paths.receipts + "/tmp";
  if (auto made = make_directories(tmp, 0750); !made) return made;
  auto leftovers = list_directory(tmp, kFilesMax);
  if (!leftovers) return std::move(leftovers).error();
  for (const std::string& name : *leftovers) {
    if (auto removed = remove_file(tmp + "/" + name); !removed) return removed;
  }
  return Ok{};
}

void note_trouble(Pass& pass, std::string message) {
  pass.trouble = true;
  pass.message = std::move(message);
}

}  // namespace

std::string seq_name(std::int64_t seq) {
  return fmt::format("{:010}", seq);
}

Result<std::vector<std::int64_t>> list_parcels(const std::string& directory) {
  auto names = list_directory(directory, kFilesMax);
  if (!names) return std::move(names).error();
  std::vector<std::int64_t> seqs;
  for (const std::string& name : *names) {
    const auto seq = seq_of(name);
    if (seq && name.ends_with(kParcel)) seqs.push_back(*seq);
  }
  std::sort(seqs.begin(), seqs.end());
  return seqs;
}

Result<Courier> Courier::to_store(CourierPaths paths, Transport& transport) {
  if (auto made = make_receipts(paths); !made) return std::move(made).error();
  return Courier(std::move(paths), &transport, "");
}

Result<Courier> Courier::to_directory(CourierPaths paths, std::string directory) {
  if (auto made = make_receipts(paths); !made) return std::move(made).error();
  return Courier(std::move(paths), nullptr, std::move(directory));
}

std::string Courier::path_of(std::int64_t seq, std::string_view suffix) const {
  return paths_.receipts + "/" + seq_name(seq) + std::string(suffix);
}

bool Courier::has(std::int64_t seq, std::string_view suffix) const {
  return file_exists(path_of(seq, suffix));
}

Status Courier::put(std::int64_t seq, std::string_view suffix, std::string_view bytes) {
  return write_file_durable_via(paths_.receipts + "/tmp", path_of(seq, suffix), bytes,
                                kReceiptMode);
}

Status Courier::tidy(const std::vector<std::int64_t>& waiting) {
  auto names = list_directory(paths_.receipts, kFilesMax);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) {
    const auto seq = name.ends_with(kAlertAnswer) ? std::nullopt : seq_of(name);
    if (!seq || std::binary_search(waiting.begin(), waiting.end(), *seq)) continue;
    if (auto removed = remove_file(paths_.receipts + "/" + name); !removed) return removed;
  }
  return Ok{};
}

Result<Pass> Courier::pass() {
  auto waiting = list_parcels(paths_.outbox);
  if (!waiting) return std::move(waiting).error();
  if (auto tidied = tidy(*waiting); !tidied) return std::move(tidied).error();
  base_ = read_file(paths_.outbox + "/log_seen", note::kNoteBytesMax).value_or("");
  Pass pass;
  pass.parcels = waiting->size();
  for (const std::int64_t seq : *waiting) {
    Status done = Ok{};
    if (transport_ == nullptr) {
      done = copy(seq, pass);
    } else if (has(seq, kReceipt)) {
      done = review(seq, pass);
    } else {
      done = send(seq, pass);
    }
    if (!done) return std::move(done).error();
    if (pass.trouble) return pass;  // The chain is in order: later ones wait too.
    ++pass.delivered;
  }
  return pass;
}

Status Courier::send(std::int64_t seq, Pass& pass) {
  auto parcel =
      read_file(paths_.outbox + "/" + seq_name(seq) + std::string(kParcel), kParcelBytesMax);
  if (!parcel && parcel.error().code == Errc::not_found) return Ok{};  // Acknowledged meanwhile.
  if (!parcel) return std::move(parcel).error();
  if (auto told = send_notice(seq, pass); !told || pass.trouble) return told;
  auto answer =
      transport_->post("/v1/parcels", kParcelMediaType, *parcel, receipt::kReceiptBytesMax);
  if (!answer) {
    note_trouble(pass, answer.error().message);
    return Ok{};
  }
  if (answer->status != 200 && answer->status != 201) return take_refusal(seq, *answer, pass);
  log::info("bundle " + std::to_string(seq) + " received by the store",
            {{"event", "delivered"}, {"seq", std::to_string(seq)}});
  return take_receipt(seq, answer->body, pass);
}

// What vouchd says is lost of a bundle, before the bundle. Saying it again changes nothing.
Status Courier::send_notice(std::int64_t seq, Pass& pass) {
  const auto notice =
      read_file(paths_.outbox + "/drops/" + seq_name(seq) + ".json", drop_notice::kNoticeBytesMax);
  if (!notice && notice.error().code == Errc::not_found) return Ok{};
  if (!notice) return notice.error();
  auto answer =
      transport_->post("/v1/drops", "application/json", *notice, receipt::kReceiptBytesMax);
  if (!answer) {
    note_trouble(pass, answer.error().message);
  } else if (answer->status != 200 && answer->status != 201) {
    note_trouble(pass, fmt::format("drop notice of bundle {}: status {}", seq, answer->status));
    pass.retry_after_s = answer->retry_after_s;
  }
  return Ok{};
}

Status Courier::take_receipt(std::int64_t seq, const std::string& receipt, Pass& pass) {
  const auto parsed = receipt::parse(receipt);
  if (!parsed) {
    note_trouble(pass, "the store's receipt: " + parsed.error().message);
    return Ok{};
  }
  const auto from = head_of(base_);
  const auto to = head_of(parsed->checkpoint);
  if (from && to && from->origin != to->origin) {
    if (auto done = fetch_successions(from->origin, to->origin); !done) return done;
  }
  if (auto written = write_proof(seq, parsed->checkpoint, pass); !written) return written;
  if (auto written = put(seq, kReceipt, receipt); !written) return written;
  base_ = parsed->checkpoint;
  return remove_file(path_of(seq, kRefused));
}

// The notes by which one log became the other, each named after the log that it ends. vouchd checks
// their signatures; without them it believes no receipt of the new log.
Status Courier::fetch_successions(const std::string& from, const std::string& to) {
  std::string origin = from;
  for (int i = 0; i < kSuccessionsMax && origin != to; ++i) {
    const std::string name = origin.substr(origin.rfind('/') + 1);
    auto answer = transport_->get("/v1/successions/" + name, note::kNoteBytesMax);
    if (!answer || answer->status != 200) break;
    const auto parsed = note::parse_note(answer->body);
    const auto said = parsed ? succession::parse_text(parsed->text)
                             : Result<succession::Statement>(parsed.error());
    if (!said || said->end.origin != origin) break;
    const std::string path = paths_.receipts + "/succession." + name;
    auto written =
        write_file_durable_via(paths_.receipts + "/tmp", path, answer->body, kReceiptMode);
    if (!written) return written;
    origin = said->successor.name;
  }
  if (origin != to) log::warn("the store's log is now " + to + "; no succession note leads there");
  return Ok{};
}

// From base_ to the checkpoint of the receipt; or, if the log shows another past, the proof of it.
Status Courier::write_proof(std::int64_t seq, const std::string& note, Pass& pass) {
  const auto from = head_of(base_);
  const auto to = head_of(note);
  if (!from || !to || from->origin != to->origin || from->size == 0 || from->size > to->size) {
    return Ok{};
  }
  receipt::Contradiction contradiction{{from->size, {}}, note};
  if (from->size == to->size) {
    if (from->root == to->root) return Ok{};
    return put(seq, kContradiction, receipt::write_contradiction(contradiction));
  }
  tile::TileTree tree(
      [this](const std::string& path) -> Result<std::string> {
        auto answer = transport_->get("/v1/" + path, tile::kEntriesBytesMax);
        if (!answer) return std::move(answer).error();
        if (answer->status == 404) return Error{Errc::not_found, path};
        if (answer->status != 200) {
          return Error{Errc::unavailable, path + ": status " + std::to_string(answer->status)};
        }
        return std::move(answer->body);
      },
      to->size);
  auto proof = tree.consistency(from->size);
  if (!proof) {
    log::warn("no consistency proof: " + proof.error().message);
    return Ok{};  // vouchd says that it needs one, and a later pass tries again.
  }
  if (merkle::verify_consistency(from->size, to->size, *proof, from->root, to->root)) {
    return put(seq, kConsistency, receipt::write_consistency({from->size, *std::move(proof)}));
  }
  auto full = tree.full_consistency(from->size);
  if (!full) return Ok{};
  contradiction.consistency.proof = *std::move(full);
  if (!merkle::contradicts(from->size, to->size, contradiction.consistency.proof, from->root,
                           to->root)) {
    note_trouble(pass, "the store's tiles do not give its checkpoint");
    return Ok{};
  }
  return put(seq, kContradiction, receipt::write_contradiction(contradiction));
}

Status Courier::review(std::int64_t seq, Pass& pass) {
  auto text = read_file(path_of(seq, kReceipt), receipt::kReceiptBytesMax);
  const auto parsed = text ? receipt::parse(*text) : Result<receipt::TlogProof>(text.error());
  const auto entry = parsed && parsed->extra ? leaf::parse(*parsed->extra)
                                             : Result<leaf::Leaf>(Error{Errc::invalid, "none"});
  const auto* bundle = entry ? std::get_if<leaf::Bundle>(&entry->body) : nullptr;
  if (bundle == nullptr) return send(seq, pass);

  const auto from = head_of(base_);
  const auto to = head_of(parsed->checkpoint);
  const auto proof_text = read_file(path_of(seq, kConsistency), receipt::kReceiptBytesMax);
  const auto proof = proof_text ? receipt::parse_consistency(*proof_text)
                                : Result<receipt::Consistency>(proof_text.error());
  const bool continues = !from || !to || from->size == 0 || *from == *to ||
                         (proof && proof->old_size == from->size && from->size < to->size);
  if (continues && age_seconds(path_of(seq, kReceipt)) < kStaleSeconds) {
    base_ = parsed->checkpoint;
    return Ok{};
  }
  auto answer = transport_->get("/v1/receipts/" + bundle->id, receipt::kReceiptBytesMax);
  if (!answer) {
    note_trouble(pass, answer.error().message);
    return Ok{};
  }
  if (answer->status != 200) return send(seq, pass);
  return take_receipt(seq, answer->body, pass);
}

Status Courier::take_refusal(std::int64_t seq, const HttpAnswer& answer, Pass& pass) {
  const bool later = answer.status == 429 || answer.status >= 500;
  auto body = json::parse(answer.body);
  const bool is_object = body && body->if_object() != nullptr;
  const auto problem = parse_problem(answer.body);
  const std::string name = problem ? std::string(problem_name(problem->kind)) : "no problem named";
  note_trouble(pass, fmt::format("bundle {}: status {}, {}", seq, answer.status, name));
  pass.retry_after_s = answer.retry_after_s;
  if (later) return Ok{};
  const json::Object refused{{"seq", seq},
                             {"status", std::int64_t{answer.status}},
                             {"problem", is_object ? *body : json::Value(json::Object{})}};
  if (problem && problem->kind == ProblemKind::chain) {
    const auto proof = problem->members.find("proof");
    const auto* text = proof == problem->members.end() ? nullptr : proof->second.if_string();
    if (text != nullptr) {
      if (auto written = put(seq, kFork, *text); !written) return written;
    }
  }
  return put(seq, kRefused, json::write(refused));
}

Status Courier::copy(std::int64_t seq, Pass& pass) {
  if (has(seq, kDelivered)) return Ok{};
  auto copied =
      copy_parcel(paths_.outbox + "/" + seq_name(seq) + std::string(kParcel), seq, directory_);
  if (!copied && copied.error().code == Errc::not_found) return Ok{};  // Acknowledged meanwhile.
  if (!copied && copied.error().code == Errc::unavailable) {
    note_trouble(pass, copied.error().message);
    return Ok{};
  }
  if (!copied) return std::move(copied).error();
  log::info("bundle " + std::to_string(seq) + " copied to " + copied->path,
            {{"event", "delivered"}, {"seq", std::to_string(seq)}});
  return put(seq, kDelivered, json::write(json::Object{{"seq", seq}, {"sha256", copied->sha256}}));
}

std::int64_t backoff_ms(int failures, std::optional<std::int64_t> retry_after_s,
                        std::uint64_t random) {
  constexpr std::int64_t kMsMax = 3600 * 1000;
  constexpr int kDoublingsMax = 12;
  const std::int64_t ceiling =
      std::min(kMsMax, std::int64_t{1000} << std::clamp(failures, 0, kDoublingsMax));
  const auto jitter = static_cast<std::int64_t>(random % (static_cast<std::uint64_t>(ceiling) + 1));
  return std::max(jitter, std::min(retry_after_s.value_or(0) * 1000, kMsMax));
}

}  // namespace vouch::ship
