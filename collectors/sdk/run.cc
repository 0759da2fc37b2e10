// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "collectors/sdk/answer.h"
#include "collectors/sdk/context.h"
#include "collectors/sdk/dead_mounts.h"
#include "collectors/sdk/request.h"
#include "core/escape.h"
#include "core/file.h"
#include "core/json.h"

namespace vouch::sdk {
namespace {

// sysexits(3).
constexpr int kUsage = 64;
constexpr int kSoftware = 70;
constexpr int kWriteFailed = 74;

constexpr std::chrono::milliseconds kMountsDeadlineMax{2000};

int fail(const Collector& collector, int status, std::string_view message) {
  fmt::print(stderr, "{}: {}\n", collector.name, message);
  return status;
}

void print_help(const Collector& collector) {
  fmt::print(
      "{} {}: {}\n\n"
      "  {}                       answer one request line from stdin (the agent does this)\n"
      "  {} --describe            print the manifest: tables, columns, options\n\n"
      "By hand:\n"
      "  --tables NAME[,NAME…]    only these tables (default: all)\n"
      "  --root DIR               examine the tree under DIR, not this host\n"
      "  --option NAME=VALUE      a list is separated by commas\n\n"
      "Tables:\n",
      collector.name, VOUCH_VERSION, collector.title, collector.name, collector.name);
  for (const Table& table : collector.tables) fmt::print("  {:<24} {}\n", table.name, table.title);
  if (!collector.options.empty()) fmt::print("\nOptions:\n");
  for (const Option& option : collector.options) {
    fmt::print("  {:<24} {}\n", option.name, option.title);
  }
}

// One line from stdin; bytes after it are refused. Does not wait for the end of input.
Result<std::string> read_request_line() {
  std::string line;
  char buffer[65536];
  while (line.find('\n') == std::string::npos) {
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("read the request from stdin", errno);
    if (count == 0) break;
    line.append(buffer, static_cast<std::size_t>(count));
    if (line.size() > kRequestBytesMax) return Error{Errc::too_large, "the request is over 8 MiB"};
  }
  const std::size_t end = line.find('\n');
  if (end == std::string::npos)
    return Error{Errc::invalid, "stdin ended before the request line did"};
  if (end + 1 != line.size()) return Error{Errc::invalid, "bytes after the request line"};
  line.pop_back();
  return line;
}

json::Array split_list(std::string_view list) {
  json::Array items;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (comma != 0) items.emplace_back(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return items;
}

// What stdin says before its end. Nobody is waited for at a terminal.
Result<std::string> read_options_line() {
  if (::isatty(STDIN_FILENO) != 0) return std::string();
  auto line = read_all(STDIN_FILENO, kRequestBytesMax, "stdin");
  if (line && line->ends_with('\n')) line->pop_back();
  return line;
}

// The manifest with the tables that the options on stdin declare, if there are any; what is wrong
// with them is an answer, too.
std::string describe_as_configured(const Collector& collector) {
  const auto refusal = [](const Error& error) {
    return json::write(
        json::Object{{"error", json::Object{{"message", escape_invalid(error.message)}}}});
  };
  if (collector.configure == nullptr) return describe(collector);
  const auto line = read_options_line();
  if (!line) return refusal(line.error());
  if (line->empty()) return describe(collector);
  const auto options = parse_options(collector, *line);
  if (!options) return refusal(options.error());
  const auto configured = collector.configure(collector, *options);
  return configured ? describe(*configured) : refusal(configured.error());
}

// The request that an engineer means with options on the command line.
class HandRequest {
 public:
  explicit HandRequest(const Collector& collector) : collector_(collector) {}

  void set_tables(std::string_view list) { tables_ = split_list(list); }

  Status set_root(const std::string& directory) {
    char* resolved = ::realpath(directory.c_str(), nullptr);
    if (resolved == nullptr) return errno_error("--root " + directory, errno);
    root_ = resolved;
    ::free(resolved);
    return Ok{};
  }

  Status set_option(std::string_view assignment) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string_view::npos) return Error{Errc::invalid, "--option wants NAME=VALUE"};
    const std::string name(assignment.substr(0, equals));
    const std::string_view value = assignment.substr(equals + 1);
    for (const Option& option : collector_.options) {
      if (option.name != name) continue;
      switch (option.type) {
        case OptionType::text:
          options_[name] = value;
          return Ok{};
        case OptionType::texts:
          options_[name] = split_list(value);
          return Ok{};
        case OptionType::integer:
        case OptionType::boolean:
        case OptionType::objects:
          break;
      }
      auto parsed = json::parse(value);
      if (!parsed) return std::move(parsed).error().in("--option " + name);
      options_[name] = *std::move(parsed);
      return Ok{};
    }
    return Error{Errc::invalid, "no option " + name + "; --help lists them"};
  }

  Result<std::string> line() {
    if (tables_.empty()) {
      const auto whole = with_configured_tables(collector_, options_);
      if (!whole) return whole.error();
      for (const Table& table : whole->tables) tables_.emplace_back(table.name);
    }
    tables_.emplace_back("gaps");
    return json::write(json::Object{{"protocol", 1},
                                    {"run", "by-hand"},
                                    {"tables", std::move(tables_)},
                                    {"options", std::move(options_)},
                                    {"root", root_}});
  }

 private:
  const Collector& collector_;
  json::Array tables_;
  json::Object options_;
  std::string root_ = "/";
};

bool write_to_stdout(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// The request of the command line; an empty line says that stdin has it.
Result<std::string> parse_arguments(const Collector& collector, int argc, char** argv) {
  if (argc == 1 && ::isatty(STDIN_FILENO) == 0) return std::string();
  HandRequest request(collector);
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (i + 1 == argc)
      return Error{Errc::invalid, fmt::format("{}: unknown, or its value is missing", name)};
    const std::string value = argv[++i];
    if (name == "--tables") {
      request.set_tables(value);
    } else if (name == "--root") {
      if (auto status = request.set_root(value); !status) return status.error();
    } else if (name == "--option") {
      if (auto status = request.set_option(value); !status) return status.error();
    } else {
      return Error{Errc::invalid, fmt::format("unknown option {}; try --help", name)};
    }
  }
  return request.line();
}

int run_guarded(const Collector& collector, int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--describe") {
    return write_to_stdout(describe_as_configured(collector) + "\n") ? 0 : kWriteFailed;
  }
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    print_help(collector);
    return 0;
  }
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    fmt::print("{} {}\n", collector.name, VOUCH_VERSION);
    return 0;
  }
  auto line = parse_arguments(collector, argc, argv);
  if (line && line->empty()) line = read_request_line();
  if (!line) return fail(collector, kUsage, line.error().message);

  const Status status = answer_request(collector, *line, write_to_stdout);
  if (status) return 0;
  return fail(collector, status.error().code == Errc::unavailable ? kWriteFailed : kUsage,
              status.error().message);
}

}  // namespace

Result<Collector> with_configured_tables(const Collector& collector, const json::Object& options) {
  if (collector.configure == nullptr) return collector;
  return collector.configure(collector, options);
}

Status answer_request(const Collector& unconfigured, std::string_view request_line,
                      const LineSink& sink) {
  json::Object options;
  if (unconfigured.configure != nullptr) {
    auto given = parse_options(unconfigured, request_line);
    if (!given) return given.error();
    options = *std::move(given);
  }
  const auto whole = with_configured_tables(unconfigured, options);
  if (!whole) return whole.error();
  const Collector& collector = *whole;
  const auto request = parse_request(collector, request_line);
  if (!request) return request.error();
  auto root = Root::open(request->root);
  if (root) avoid_dead_mounts(*root, std::min(kMountsDeadlineMax, request->deadline / 4));

  Answer answer(collector, *request, sink);
  std::optional<Context> context;
  if (root) context.emplace(*request, *root, answer);
  for (std::size_t index = 0; index < collector.tables.size(); ++index) {
    if (!request->wanted[index]) continue;
    const Table& table = collector.tables[index];
    answer.begin_table(index);
    if (!root) {
      answer.end_table(root.error());
    } else if (context->remaining().count() == 0) {
      answer.end_table(Error{Errc::timeout, "the deadline passed before this table's turn"});
    } else {
      Rows rows(answer, table.name);
      answer.end_table(table.collect(*context, rows));
    }
  }
  return answer.finish();
}

int run(const Collector& collector, int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // A runner that went away is a failed write, not a signal.
  try {
    return run_guarded(collector, argc, argv);
  } catch (const std::exception& exception) {
    return fail(collector, kSoftware, exception.what());
  }
}

}  // namespace vouch::sdk
