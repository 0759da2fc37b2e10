// SPDX-License-Identifier: Apache-2.0
#include "store/import.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/file.h"
#include "core/json.h"
#include "proto/dsse.h"
#include "proto/leaf.h"
#include "proto/limits.h"
#include "proto/names.h"
#include "proto/problem.h"
#include "proto/receipt.h"
#include "proto/statement.h"
#include "store/evidence_files.h"

namespace vouch::store {
namespace {

constexpr std::size_t kAgentsMax = 100'000;
constexpr std::size_t kFilesPerAgentMax = 1'000'000;
constexpr std::size_t kSeqDigitsMax = 16;
constexpr std::size_t kPieceBytes = 1u << 20;
constexpr std::string_view kSuffix = ".parcel";
constexpr int kOk = 200;
constexpr int kCreated = 201;

struct ParcelFile {
  std::int64_t seq = 0;
  std::string stem;  // Its path without the suffix.
};

// By seq; names that are no number are passed over.
Result<std::vector<ParcelFile>> parcels_of(const std::string& folder) {
  auto names = list_directory(folder, kFilesPerAgentMax);
  if (!names) return std::move(names).error();
  std::vector<ParcelFile> files;
  for (const auto& name : *names) {
    if (!name.ends_with(kSuffix)) continue;
    const auto stem = name.substr(0, name.size() - kSuffix.size());
    if (stem.empty() || stem.size() > kSeqDigitsMax ||
        stem.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    files.push_back({std::stoll(stem), folder + "/" + stem});
  }
  std::sort(files.begin(), files.end(),
            [](const ParcelFile& a, const ParcelFile& b) { return a.seq < b.seq; });
  return files;
}

// Whoever filled the stick may have put anything there: a link, a FIFO.
Result<Fd> open_parcel(const std::string& path, std::uint64_t& size) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return errno_error("open " + path, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return errno_error("stat " + path, errno);
  if (!S_ISREG(status.st_mode)) return Error{Errc::invalid, path + ": not a regular file"};
  size = static_cast<std::uint64_t>(status.st_size);
  return fd;
}

Result<Response> post(Handler& handler, const std::string& path) {
  std::uint64_t size = 0;
  auto fd = open_parcel(path, size);
  if (!fd) return std::move(fd).error();
  Request head;
  head.method = "POST";
  head.target = "/v1/parcels";
  head.content_type = "application/vnd.vouch.parcel+zstd";
  head.content_length = size;
  const auto upload = handler.upload(head);
  std::string piece(kPieceBytes, '\0');
  for (bool wanted = true; wanted;) {
    const auto count = ::read(fd->get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("read " + path, errno);
    if (count == 0) break;
    wanted = upload->feed(std::string_view(piece).substr(0, static_cast<std::size_t>(count)));
  }
  std::promise<Response> answer;
  upload->finish([&answer](const ResponseMaker& make) { answer.set_value(make()); });
  return answer.get_future().get();
}

class Import {
 public:
  Import(Handler& handler, IndexReaders& readers, Disk& disk, Receipts& receipts,
         const RefusalSink& sink)
      : handler_(handler), readers_(readers), disk_(disk), receipts_(receipts), sink_(sink) {}

  Status take_agent(const std::string& folder);
  Status write_receipts();
  [[nodiscard]] const ImportCounts& counts() const { return counts_; }

 private:
  struct Taken {
    std::string stem;
    leaf::Bundle bundle;
  };
  Status refuse(const ParcelFile& file, const Response& response);
  Result<std::optional<std::string>> consistency(const leaf::Bundle& bundle);

  Handler& handler_;
  IndexReaders& readers_;
  Disk& disk_;
  Receipts& receipts_;
  const RefusalSink& sink_;
  ImportCounts counts_;
  std::vector<Taken> taken_;
};

// In the shape in which the network's way reports it to the agent.
Status Import::refuse(const ParcelFile& file, const Response& response) {
  ++counts_.refused;
  const auto problem = parse_problem(response.body);
  sink_(file.stem + std::string(kSuffix), response.status,
        problem ? std::string(problem_name(problem->kind)) + ": " + problem->detail : "");
  auto body = json::parse(response.body);
  const json::Object refused{{"seq", file.seq},
                             {"status", std::int64_t{response.status}},
                             {"problem", body ? *body : json::Value(json::Object{})}};
  auto written = write_file_durable(file.stem + ".refused.json", json::write(refused));
  if (!written || !problem) return written;
  const auto proof = problem->members.find("proof");
  const auto* text = proof == problem->members.end() ? nullptr : proof->second.if_string();
  return text == nullptr ? written : write_file_durable(file.stem + ".fork", *text);
}

Status Import::take_agent(const std::string& folder) {
  auto files = parcels_of(folder);
  if (!files) return std::move(files).error();
  for (std::size_t i = 0; i < files->size(); ++i) {
    const auto& file = (*files)[i];
    auto response = post(handler_, file.stem + std::string(kSuffix));
    if (!response) return std::move(response).error();
    if (response->status != kCreated && response->status != kOk) {
      // What follows in the chain cannot be taken without this one.
      counts_.skipped += static_cast<std::int64_t>(files->size() - i - 1);
      return refuse(file, *response);
    }
    ++(response->status == kCreated ? counts_.taken : counts_.known);
    const auto proof = receipt::parse(response->body);
    const auto leaf =
        proof ? leaf::parse(proof->extra.value_or("")) : Result<leaf::Leaf>(proof.error());
    const auto* bundle = leaf ? std::get_if<leaf::Bundle>(&leaf->body) : nullptr;
    if (bundle == nullptr) return Error{Errc::corrupt, "the receipt is not of a bundle"};
    taken_.push_back({file.stem, *bundle});
  }
  return Ok{};
}

// From the checkpoint that the bundle has seen; nothing if it saw none of this log.
Result<std::optional<std::string>> Import::consistency(const leaf::Bundle& bundle) {
  auto index = readers_.lend();
  if (!index) return std::move(index).error();
  auto bytes = read_bundle(disk_, **index, bundle.agent, bundle.seq, bundle.id);
  if (!bytes) return std::move(bytes).error();
  const auto envelope = dsse::parse(*bytes);
  const auto statement =
      envelope ? parse_statement(envelope->payload) : Result<Statement>(envelope.error());
  if (!statement) return statement.error();
  const auto& seen = statement->bundle.log_seen;
  if (!seen || seen->origin != receipts_.origin() || seen->size <= 0) {
    return std::optional<std::string>();
  }
  auto proof = receipts_.consistency(static_cast<std::uint64_t>(seen->size));
  if (!proof) return std::move(proof).error();
  return std::optional<std::string>(*std::move(proof));
}

Status Import::write_receipts() {
  for (const auto& [stem, bundle] : taken_) {
    Request request;
    request.method = "GET";
    request.target = "/v1/receipts/" + bundle.id;
    const auto receipt = handler_.handle(request);
    if (receipt.status != kOk) {
      return Error{Errc::unavailable, stem + ": the receipt cannot be made now; import again"};
    }
    auto written = write_file_durable(stem + ".tlog-proof", receipt.body);
    if (!written) return written;
    auto proof = consistency(bundle);
    if (!proof) return std::move(proof).error().in(stem + ".consistency");
    if (!*proof) continue;
    written = write_file_durable(stem + ".consistency", **proof);
    if (!written) return written;
  }
  return Ok{};
}

}  // namespace

Result<ImportCounts> import_parcels(Handler& handler, IndexReaders& readers, Disk& disk,
                                    Receipts& receipts, const std::string& dir,
                                    const RefusalSink& sink) {
  auto agents = list_directory(dir, kAgentsMax);
  if (!agents) return std::move(agents).error();
  Import import(handler, readers, disk, receipts, sink);
  for (const auto& agent : *agents) {
    if (!is_agent_id(agent)) continue;
    auto taken = import.take_agent(dir + "/" + agent);
    if (!taken) return std::move(taken).error();
  }
  auto written = import.write_receipts();
  if (!written) return std::move(written).error();
  return import.counts();
}

}  // namespace vouch::store
