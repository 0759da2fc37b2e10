// SPDX-License-Identifier: Apache-2.0
#include "collectors/openscap/openscap.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "collectors/openscap/scan.h"
#include "collectors/sdk/context.h"
#include "collectors/sdk/declared.h"

namespace vouch::openscap {
namespace {

using sdk::Context;
using sdk::Rows;

// A directory that is gone with this object.
struct Scratch {
  Scratch() {
    std::string name = "/tmp/vouch-openscap-XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string path;  // Empty: it could not be made.
};

std::string source_of(const Context& context) {
  const auto results = context.text_option("results", "");
  return results.empty() ? context.text_option("data_stream", "") : results;
}

Result<Scan> make_scan(Context& context) {
  const auto results = context.text_option("results", "");
  Evaluation evaluation{context.text_option("data_stream", ""), context.text_option("profile", ""),
                        context.cache_dir()};
  if (results.empty() == evaluation.data_stream.empty()) {
    return Error{Errc::not_found, "name a data_stream to evaluate, or a file of results (options)"};
  }
  if (!source_of(context).starts_with('/')) {
    return Error{Errc::invalid, "data_stream and results are absolute paths"};
  }
  if (!results.empty()) return read_results(context.root(), results);
  if (!context.is_host()) {
    return Error{Errc::unsupported, "oscap is not run for an image: name a file of results in it"};
  }
  if (evaluation.profile.starts_with('-')) {
    return Error{Errc::invalid, "profile: expected the id of a profile"};
  }
  if (auto able = can_evaluate(); !able) return able.error();
  if (!evaluation.directory.empty()) {
    return evaluate(context.root(), evaluation, context.remaining());
  }
  context.log("info", "no directory was granted: the ARF is not kept");
  const Scratch scratch;
  if (scratch.path.empty()) return Error{Errc::other, "a directory cannot be made in /tmp"};
  evaluation.directory = scratch.path;
  return evaluate(context.root(), evaluation, context.remaining());
}

const Result<Scan>& scan_of(Context& context) {
  return context.once([&]() -> Result<Scan> { return make_scan(context); });
}

Status collect_results(Context& context, Rows& rows) {
  const auto& scan = scan_of(context);
  if (!scan) return scan.error();
  for (const RuleResult& rule : scan->test.rules) {
    const bool has_title = !rule.title.empty();
    rows.add({rule.rule_id, rule.result, rule.severity.empty() ? "unknown" : rule.severity,
              has_title ? sdk::Cell(rule.title) : sdk::Cell(nullptr),
              fmt::format("{}", fmt::join(rule.identifiers, ","))});
  }
  return Ok{};
}

Status collect_runs(Context& context, Rows& rows) {
  const auto& scan = scan_of(context);
  if (!scan) return scan.error();
  const TestResult& test = scan->test;
  const auto text = [](const std::string& value) {
    return value.empty() ? sdk::Cell(nullptr) : sdk::Cell(value);
  };
  const auto time = [](const std::string& value) {
    const auto second = sdk::parse_rfc3339(value);
    return second ? sdk::Cell(*second) : sdk::Cell(nullptr);
  };
  rows.add({source_of(context), test.benchmark, text(test.benchmark_version), text(test.profile),
            text(test.scanner), time(test.started), time(test.finished), text(test.score),
            text(scan->data_stream_sha256), scan->results_sha256});
  return Ok{};
}

sdk::Table results_table() {
  return {.name = "openscap_results",
          .title = "What each rule of the benchmark says, those that were not selected, too",
          .columns = {sdk::text("rule_id", "Rule").key(), sdk::occurrence(),
                      sdk::text("result",
                                "pass, fail, error, unknown, notapplicable, notchecked, "
                                "notselected, informational, fixed"),
                      sdk::text("severity", "unknown, info, low, medium, high"),
                      sdk::text("title", "Of the rule").nullable("the file does not have the rule"),
                      sdk::text("identifiers", "CCE and others; sorted, separated by commas")},
          .collect = collect_results};
}

sdk::Table runs_table() {
  return {.name = "openscap_runs",
          .title = "The evaluation whose results they are",
          .columns = {sdk::bytes("source", "Data stream, or file of results").key(),
                      sdk::text("benchmark", "Id of the benchmark"),
                      sdk::text("benchmark_version", "Its version").nullable("not said"),
                      sdk::text("profile", "Id of the profile").nullable("the default one"),
                      sdk::text("scanner", "CPE name of what evaluated").nullable("not said"),
                      sdk::time("started", "Begin").nullable("not said, or without a time zone"),
                      sdk::time("finished", "End").nullable("not said, or without a time zone"),
                      sdk::text("score", "By the default system, as written").nullable("none"),
                      sdk::text("data_stream_sha256", "Digest of the data stream")
                          .nullable("a file of results was read"),
                      sdk::text("results_sha256", "Digest of the ARF, or of the file")},
          .is_volatile = true,
          .collect = collect_runs};
}

}  // namespace

sdk::Collector make_openscap() {
  sdk::Collector collector;
  collector.name = "openscap";
  collector.title = "Results of SCAP benchmarks, by oscap or from its files";
  collector.interval_s = 86400;
  collector.deadline_s = 1800;
  collector.needs_cache_dir = true;
  collector.options = {
      {.name = "data_stream",
       .type = sdk::OptionType::text,
       .title = "SCAP data stream that oscap evaluates, where no vouch-collect stands "
                "between; changeable by root alone"},
      {.name = "profile",
       .type = sdk::OptionType::text,
       .title = "Id of its profile; default: the benchmark's default profile"},
      {.name = "results",
       .type = sdk::OptionType::text,
       .title = "File of results (XCCDF or ARF) to read, instead of running oscap"}};
  collector.tables = {results_table(), runs_table()};
  return collector;
}

}  // namespace vouch::openscap
