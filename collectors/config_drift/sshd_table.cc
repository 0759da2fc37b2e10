// SPDX-License-Identifier: Apache-2.0
// The table sshd_effective_config: what `sshd -T` says on the host; what the files say under
// --root, or where sshd refuses to answer (then with a gap: the defaults of its version are
// missing).
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "collectors/config_drift/config_drift.h"
#include "collectors/facts/sshd_config.h"
#include "collectors/facts/sshd_match.h"
#include "collectors/sdk/context.h"
#include "core/digest.h"
#include "core/process.h"

namespace vouch::drift {
namespace {

using facts::SshdConfig;
using sdk::Context;
using sdk::Rows;

constexpr std::string_view kSshd = "/usr/sbin/sshd";
constexpr std::size_t kOutputBytesMax = 1 << 20;
constexpr std::size_t kDefaultsBytesMax = 64 << 10;

// Values of environment variables may be secrets.
std::string shown_value(std::string_view setting, std::string value) {
  return setting == "setenv" ? redact(Redaction::environment, value) : value;
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// As `sshd -T` has it: `Match all` comes before what stands outside.
void add_from_files(Rows& rows, const SshdConfig& config) {
  for (const auto* directive : facts::sshd_in_effect(config, facts::sshd_matches_of_all(config))) {
    const std::string& keyword = directive->keyword;
    if (facts::sshd_keyword_accumulates(keyword) && keyword != "subsystem") {
      for (const std::string& argument : directive->arguments) {
        rows.add({keyword, argument, "files"});
      }
    } else {
      rows.add({keyword, shown_value(keyword, join(directive->arguments)), "files"});
    }
  }
}

// What holds on some connections only is no part of `sshd -T`: one row `match` each.
void add_matches(Rows& rows, const SshdConfig& config) {
  for (const auto& directive : config.directives) {
    if (directive.match.empty()) continue;
    rows.add({"match",
              fmt::format("{}: {} {}", directive.match, directive.keyword,
                          shown_value(directive.keyword, join(directive.arguments))),
              "files"});
  }
}

Result<Exit> ask_sshd(Context& context, std::vector<std::string> arguments) {
  Command command;
  command.argv = {std::string(kSshd), "-T"};
  std::move(arguments.begin(), arguments.end(), std::back_inserter(command.argv));
  command.environment = default_environment();
  command.deadline = context.remaining();
  command.output_bytes_max = kOutputBytesMax;
  return run_process(command);
}

Status add_from_sshd(Context& context, Rows& rows) {
  auto exit = ask_sshd(context, {});
  // A Match of LocalAddress, LocalPort or RDomain makes sshd ask for them: those of no connection.
  if (exit && exit->standard_error.find("connection test specification") != std::string::npos) {
    exit = ask_sshd(context, {"-C", "laddr=0.0.0.0,lport=65535,rdomain="});
  }
  if (!exit) return exit.error();
  if (exit->how != Exit::How::exited || exit->code != 0) {
    const std::string reason =
        exit->standard_error.substr(0, exit->standard_error.find_first_of("\r\n"));
    return Error{Errc::tool_failed, "sshd -T: " + reason};
  }
  std::string_view text = exit->standard_output;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::string_view setting = line.substr(0, line.find(' '));
    if (setting.empty()) continue;
    const std::string_view value = line.substr(std::min(line.size(), setting.size() + 1));
    rows.add({setting, shown_value(setting, std::string(value)), "sshd -T"});
  }
  return Ok{};
}

// `sshd -T` knows nothing of options on the daemon's command line.
void note_command_line(Context& context, Rows& rows) {
  for (const std::string path : {"/etc/default/ssh", "/etc/sysconfig/sshd"}) {
    const auto text = context.root().read(path, kDefaultsBytesMax);
    if (!text) continue;
    for (const std::string_view name : {"SSHD_OPTS=", "OPTIONS="}) {
      std::size_t at = text->starts_with(name) ? 0 : text->find(fmt::format("\n{}", name));
      if (at == std::string::npos) continue;
      at = text->find('=', at) + 1;
      const std::size_t end = std::min(text->find('\n', at), text->size());
      if (text->substr(at, end - at).find_first_not_of("\"' \t\r") == std::string::npos) continue;
      rows.gap(path, {Errc::unsupported, "options on sshd's command line are not evaluated"});
    }
  }
}

// All that `sshd -T` depends on, by its stat.
std::string token_of(Context& context, const SshdConfig& config) {
  std::string state = "sshd 2";
  std::vector<std::string> inputs = config.files;
  inputs.emplace_back(kSshd);
  inputs.emplace_back("/etc/default/ssh");
  inputs.emplace_back("/etc/sysconfig/sshd");
  for (const std::string& path : inputs) {
    const auto status = context.root().stat(path);
    state += '\n' + path;
    if (!status) continue;
    state += fmt::format(" {} {} {} {} {}.{} {}.{}", status->st_dev, status->st_ino,
                         status->st_mode, status->st_size, status->st_mtim.tv_sec,
                         status->st_mtim.tv_nsec, status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
  }
  return sha256_hex(state);
}

Status collect(Context& context, Rows& rows) {
  const bool is_installed = context.root().exists(kSshd);
  const auto config = facts::read_sshd_config(context.root());
  if (!config && config.error().code != Errc::not_found) return config.error();
  if (!is_installed) {
    if (!config) return Ok{};  // No sshd: nothing is the whole truth.
    if (context.is_host()) {
      return Error{Errc::not_found, fmt::format("{} is configured but not installed", kSshd)};
    }
  }
  const SshdConfig files = config ? *config : SshdConfig{};
  note_command_line(context, rows);
  if (context.is_host()) {
    if (rows.unchanged(token_of(context, files))) return Ok{};
    const Status answered = add_from_sshd(context, rows);
    if (!answered) {
      rows.gap("sshd -T", answered.error());
      add_from_files(rows, files);
    }
  } else {
    add_from_files(rows, files);
  }
  for (const auto& [object, error] : files.gaps) rows.gap(object, error);
  add_matches(rows, files);
  return Ok{};
}

}  // namespace

sdk::Table sshd_effective_config_table() {
  return {.name = "sshd_effective_config",
          .title = "sshd's settings in effect; `match` for those of some connections only",
          .columns = {sdk::text("setting", "Keyword, lower case").key(), sdk::occurrence(),
                      sdk::text("value", "Value"), sdk::text("source", "sshd -T, or files")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect};
}

}  // namespace vouch::drift
