// SPDX-License-Identifier: Apache-2.0
// `policy test`, `config check` and `version`: what can be said without looking at the host.
#include <fmt/format.h>
#include <sys/utsname.h>

#include <ostream>

#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "core/file.h"
#include "policies/engine/evaluate.h"
#include "policies/engine/policy_test.h"
#include "policies/engine/register.h"
#include "policies/engine/waiver.h"

namespace vouch::cli {
namespace {

constexpr std::size_t kTablesBytesMax = 1u << 20;

Result<policy::Catalog> tables_for_tests(const Arguments& arguments, const Places& places) {
  const auto file = arguments.value("--tables");
  if (!file) return load_tables(places);
  auto text = read_file(*file, kTablesBytesMax);
  if (!text) return std::move(text).error();
  return policy::load_catalog(*text, *file);
}

json::Value as_json(const policy::PolicyTestReport& report) {
  json::Array problems;
  for (const auto& problem : report.problems) {
    json::Object object{
        {"where", problem.where}, {"check", problem.check}, {"message", problem.message}};
    if (!problem.ref.empty()) object.emplace("ref", problem.ref);
    problems.emplace_back(std::move(object));
  }
  return json::Object{{"checks", static_cast<std::int64_t>(report.checks)},
                      {"tests", static_cast<std::int64_t>(report.tests)},
                      {"mutations", static_cast<std::int64_t>(report.mutations)},
                      {"problems", std::move(problems)}};
}

// Mappings speak of all controls: they are compared where all packs are tested.
Result<std::vector<std::string>> mapping_problems(const Places& places,
                                                  const policy::PackSet& packs) {
  std::vector<std::string> problems;
  if (places.policies.empty()) return problems;
  auto library = load_frameworks(places);
  if (!library) return std::move(library).error();
  for (const auto& mapping : library->mappings) {
    const auto* framework = library->framework(mapping.framework);
    if (framework == nullptr) {
      problems.push_back(
          fmt::format("{}:1:1: there is no framework {}", mapping.file_name, mapping.framework));
      continue;
    }
    for (auto& problem : policy::check_mapping(mapping, *framework, packs)) {
      problems.push_back(std::move(problem));
    }
  }
  return problems;
}

// Reads all that a configuration names. The first thing wrong is the answer.
Status check_configuration(const Places& places, std::size_t& checks) {
  auto packs = load_packs(places);
  if (!packs) return std::move(packs).error();
  checks = packs->checks().size();
  auto collectors = load_collectors(places);
  if (!collectors) return std::move(collectors).error();
  auto registers = policy::load_registers(places.config.registers);
  if (!registers) return std::move(registers).error();
  if (places.config.waivers.empty()) return Ok{};
  auto text = read_file(places.config.waivers, policy::kPackBytesMax);
  if (!text) return std::move(text).error();
  auto waivers = policy::load_waivers(*text, places.config.waivers);
  if (!waivers) return std::move(waivers).error();
  for (const auto& waiver : *waivers) {
    if (packs->find_check(waiver.check_id) == nullptr) {
      return Error{Errc::invalid, fmt::format("{}: waiver {} is for check {}, which no pack has",
                                              places.config.waivers, waiver.id, waiver.check_id)};
    }
  }
  return Ok{};
}

}  // namespace

int run_policy_test(const Arguments& arguments, Output& output) {
  // Named files stand for themselves; without any, the packs in force.
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  if (!arguments.positional.empty()) places->config.packs = arguments.positional;
  auto tables = tables_for_tests(arguments, *places);
  if (!tables) return output.fail(tables.error());
  auto packs = load_packs(*places);
  if (!packs) return output.fail(packs.error());
  if (packs->checks().empty()) {
    return output.fail({Errc::not_found, fmt::format("no pack with a check in {}",
                                                     fmt::join(places->config.packs, ", "))});
  }
  auto report = policy::run_policy_tests(*packs, *tables);
  if (arguments.positional.empty() && places->config_file.empty()) {
    auto problems = mapping_problems(*places, *packs);
    if (!problems) return output.fail(problems.error());
    for (auto& problem : *problems) {
      const auto space = problem.find(": ");
      report.problems.push_back(
          {problem.substr(0, space), "mapping", "", problem.substr(space + 2)});
    }
  }
  if (output.json) {
    output.write_json(as_json(report));
  } else {
    for (const auto& problem : report.problems) {
      output.out << fmt::format("{}: {}: {}\n", printable(problem.where),
                                coloured(problem.check, Colour::red, output.style),
                                printable(problem.message));
    }
    output.out << fmt::format(
        "{} checks, {} tests, {} mutations: {}\n", report.checks, report.tests, report.mutations,
        report.problems.empty()       ? std::string("all hold")
        : report.problems.size() == 1 ? std::string("1 problem")
                                      : fmt::format("{} problems", report.problems.size()));
  }
  return report.problems.empty() ? kExitPass : kExitFail;
}

int run_config_check(const Arguments& arguments, Output& output) {
  Arguments named = arguments;
  if (!arguments.positional.empty()) named.options["--config"] = {arguments.positional[0]};
  auto places = find_places(named);
  std::size_t checks = 0;
  Status status = Ok{};
  if (!places) {
    status = places.error();
  } else if (places->config_file.empty()) {
    return output.fail(
        {Errc::not_found, fmt::format("there is no {}: name a file", kDefaultConfig)});
  } else {
    status = check_configuration(*places, checks);
  }
  if (!status) {
    const int code = output.fail(status.error());
    return code == kExitNoInput && !places ? code : kExitConfig;
  }
  if (output.json) {
    output.write_json(
        json::Object{{"file", places->config_file},
                     {"collectors", static_cast<std::int64_t>(places->config.collectors.size())},
                     {"checks", static_cast<std::int64_t>(checks)}});
  } else {
    output.out << fmt::format("{}: good: {} collectors, {} checks\n",
                              printable(places->config_file), places->config.collectors.size(),
                              checks);
  }
  return kExitPass;
}

int run_version(const Arguments&, Output& output) {
  if (output.json) {
    output.write_json(
        json::Object{{"version", VOUCH_VERSION}, {"engine", policy::engine_string()}});
  } else {
    output.out << fmt::format("vouch {}\nengine {}\n", VOUCH_VERSION, policy::engine_string());
  }
  return kExitPass;
}

}  // namespace vouch::cli
