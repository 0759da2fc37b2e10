// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <ostream>

#include "agent/cli/command.h"
#include "agent/cli/verify_report.h"
#include "core/clock.h"
#include "core/encoding.h"
#include "core/file.h"
#include "policies/engine/replay.h"
#include "policies/engine/slots.h"
#include "proto/limits.h"
#include "proto/verify/verifier.h"

namespace vouch::cli {
namespace {

constexpr std::size_t kSmallFileBytesMax = 256u << 10;  // Policy, receipt, key.
constexpr std::size_t kRootsBytesMax = 4u << 20;        // A system's bundle of roots fits.

// The DER of a PEM public key.
Result<std::string> spki_from_pem(std::string_view pem, const std::string& file) {
  constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----";
  constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";
  const auto begin = pem.find(kBegin);
  const auto end = pem.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return Error{Errc::invalid, file + ": no \"BEGIN PUBLIC KEY\" block: expected a PEM file"};
  }
  std::string base64;
  for (const char c : pem.substr(begin + kBegin.size(), end - begin - kBegin.size())) {
    if (c != '\n' && c != '\r') base64 += c;
  }
  auto der = base64_decode(base64);
  if (!der) return std::move(der).error().in(file);
  return der;
}

Result<verify::Options> read_options(const Arguments& arguments) {
  verify::Options options;
  if (const auto file = arguments.value("--policy")) {
    auto text = read_file(*file, kSmallFileBytesMax);
    if (!text) return std::move(text).error();
    options.policy = *std::move(text);
  }
  const auto from = arguments.value("--from");
  const auto to = arguments.value("--to");
  if (from.has_value() != to.has_value()) {
    return Error{Errc::invalid, "verify: --from and --to go together"};
  }
  if (from) {
    const auto begin = parse_second(*from);
    const auto end = parse_second(*to);
    if (!begin || !end || *begin >= *end) {
      return Error{Errc::invalid,
                   "verify: --from TIME --to TIME: times such as 2026-01-01T00:00:00Z, in order"};
    }
    options.period = verify::Period{*begin * 1000, *end * 1000};
  }
  return options;
}

Result<std::optional<verify::TimeStampRoots>> read_roots(const Arguments& arguments) {
  const auto file = arguments.value("--tsa-ca");
  if (!file) return std::optional<verify::TimeStampRoots>();
  const auto pem = read_file(*file, kRootsBytesMax);
  if (!pem) return pem.error();
  auto roots = verify::TimeStampRoots::from_pem(*pem);
  if (!roots) return std::move(roots).error().in(*file);
  return std::optional(*std::move(roots));
}

Result<verify::ParcelInput> read_parcel_input(const std::string& path, const Arguments& arguments) {
  verify::ParcelInput input;
  auto parcel = read_file(path, kParcelBytesMax);
  if (!parcel) return std::move(parcel).error();
  input.parcel = *std::move(parcel);
  for (const auto& file : arguments.values("--receipt")) {
    auto receipt = read_file(file, kSmallFileBytesMax);
    if (!receipt) return std::move(receipt).error();
    input.receipts.push_back(*std::move(receipt));
  }
  if (const auto file = arguments.value("--consistency")) {
    auto proof = read_file(*file, kSmallFileBytesMax);
    if (!proof) return std::move(proof).error();
    input.consistency = *std::move(proof);
  }
  if (const auto file = arguments.value("--key")) {
    auto pem = read_file(*file, kSmallFileBytesMax);
    if (!pem) return std::move(pem).error();
    auto spki = spki_from_pem(*pem, *file);
    if (!spki) return std::move(spki).error();
    input.spki = *std::move(spki);
  }
  return input;
}

void print(const verify::Verdict& verdict, policy::SlotCounter* slots, Output& output) {
  std::optional<policy::SlotReport> report;
  // One parcel says nothing about a period; an unverified log says nothing at all.
  if (slots != nullptr && verdict.mode == verify::Mode::full && verdict.failures.empty()) {
    report = slots->finish(verdict.hosts);
  }
  if (output.json) {
    auto json = verify::to_json(verdict);
    if (report) json.if_object()->emplace("judgements", policy::to_json(*report));
    output.write_json(json);
    return;
  }
  output.out << verify::write_text(verdict);
  if (report) output.out << slots_as_text(*report, output.style);
}

}  // namespace

int run_verify(const Arguments& arguments, Output& output) {
  const auto& path = arguments.positional[0];
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return output.fail(errno_error("verify " + path, errno));
  auto options = read_options(arguments);
  if (!options) {
    const int code = output.fail(options.error());
    return options.error().code == Errc::invalid ? kExitUsage : code;
  }
  const auto roots = read_roots(arguments);
  if (!roots) return output.fail(roots.error());
  options->time_stamp_roots = *roots ? &**roots : nullptr;
  const bool replay = arguments.has("--replay");
  policy::PolicySets sets;
  const auto replayer = policy::make_replayer(sets);
  policy::SlotCounter slots(sets, options->period);
  if (replay) {
    options->replayer = replayer.get();
    options->sink = &slots;
  }

  verify::Verdict verdict;
  if (S_ISDIR(info.st_mode)) {
    if (arguments.has("--receipt") || arguments.has("--key") || arguments.has("--consistency")) {
      output.note("--receipt, --consistency and --key are for a parcel: a store has its own");
    }
    verdict = verify::verify_store(verify::DirectoryFiles(path), *options);
  } else {
    auto input = read_parcel_input(path, arguments);
    if (!input) return output.fail(input.error());
    verdict = verify::verify_parcel(*input, *options);
  }
  print(verdict, replay ? &slots : nullptr, output);
  switch (verdict.standing()) {
    case verify::Standing::verified:
      return kExitPass;
    case verify::Standing::engine_differs:
      return kExitNotJudged;
    case verify::Standing::failed:
      return kExitFail;
  }
  return kExitFail;
}

}  // namespace vouch::cli
