// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ostream>

#include "agent/cli/ask.h"
#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "agent/ship/curl_transport.h"
#include "agent/vouchd/enrol.h"
#include "agent/vouchd/host_facts.h"
#include "agent/vouchd/host_identity.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/owner.h"
#include "proto/join_string.h"

namespace vouch::cli {
namespace {

// Without what editors, mail and terminals put behind it: blanks, CR and LF.
Result<std::string> line_of(Result<std::string> text) {
  if (!text) return text;
  text->erase(text->find_last_not_of(" \t\r\n") + 1);
  if (text->empty()) return Error{Errc::invalid, "enroll: no join string was given"};
  return text;
}

// The join string, from a file that nobody else can read or from the standard input.
Result<std::string> read_join(const Arguments& arguments, const Output& output) {
  if (arguments.positional.empty()) {
    if (::isatty(STDIN_FILENO) == 1) {
      output.err << "Paste the join string, then press Enter and Ctrl-D.\n" << std::flush;
    }
    return line_of(read_all(STDIN_FILENO, kJoinStringBytesMax, "the join string"));
  }
  const auto& path = arguments.positional[0];
  if (path.starts_with("vouch:")) {
    return Error{
        Errc::denied,
        "a join string is a secret and never an argument: others can see it there. Give it "
        "on the standard input or in a file, and make a new token for this one"};
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno_error("open " + path, errno);
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{Errc::denied, path + ": others can read this secret: chmod 600 it"};
  }
  return line_of(read_file(path, kJoinStringBytesMax));
}

Result<agent::EnrolAnswer> post(const JoinString& join, const std::string& envelope) {
  auto answer = ship::post_enrolment(join, envelope);
  if (!answer) return std::move(answer).error();
  return agent::EnrolAnswer{answer->status, std::move(answer->body), std::move(answer->ca_pem)};
}

// The same chain under another log, since an operator says so.
int run_repin(const Arguments& arguments, const agent::EnrolOptions& options,
              const JoinString& join, const std::string& by, Output& output) {
  const SystemClock clock;
  const auto reason = arguments.value("--reason").value_or("");
  if (reason.empty()) {
    output.note("enroll --repin: say why with --reason TEXT; it goes into the chain");
    return kExitUsage;
  }
  auto report = agent::repin(options, join, clock, post, by, reason);
  if (!report) return output.fail(std::move(report).error().in("enroll --repin"));
  if (output.json) {
    output.write_json(json::Object{{"agent", report->agent},
                                   {"log_before", report->origin_before},
                                   {"log", report->origin},
                                   {"store", report->url}});
    return kExitPass;
  }
  output.out << fmt::format(
      "agent {} now trusts the log {} of {}, in place of {}\n"
      "the chain goes on, and has a record of this; what waits is sent there\n"
      "next: start vouchd\n",
      report->agent, report->origin, report->url, report->origin_before);
  return kExitPass;
}

}  // namespace

int run_enroll(const Arguments& arguments, Output& output) {
  auto text = read_join(arguments, output);
  if (!text) return output.fail(text.error());
  auto join = parse_join_string(*text);
  if (!join) return output.fail(std::move(join).error().in("enroll"));
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto host = agent::read_host_facts(places->config.host);
  if (!host) return output.fail(host.error());

  const auto root = Root::open("/");
  if (!root) return output.fail(root.error());
  // While root still is root: most of what the firmware says is for nobody else.
  json::Object identity = agent::describe_machine(*root);
  const std::string by = user_name();  // While it is known who is behind sudo.
  // vouchd runs as whoever owns the state.
  if (auto done = become_owner_of(places->config.state_dir); !done) {
    return output.fail(done.error());
  }
  const agent::EnrolOptions options{places->config.state_dir, *host, std::move(identity)};
  if (arguments.has("--repin")) return run_repin(arguments, options, *join, by, output);

  const SystemClock clock;
  auto report = agent::enrol(options, *join, clock, post);
  if (!report) return output.fail(std::move(report).error().in("enroll"));
  if (output.json) {
    json::Object object{{"agent", report->agent}, {"log", report->origin}, {"store", report->url}};
    if (!report->predecessor.empty()) object.emplace("predecessor", report->predecessor);
    output.write_json(object);
    return kExitPass;
  }
  output.out << fmt::format(
      "enrolled as {}\nstore {}, log {} (the log's key is the one that the join "
      "string pins)\n",
      report->agent, report->url, report->origin);
  if (!report->predecessor.empty()) {
    output.out << fmt::format(
        "this host was {} before, which is named as its predecessor; its state is set aside\n",
        report->predecessor);
  }
  output.out
      << "next: vouchd starts by itself where the package is installed; elsewhere start it\n";
  return kExitPass;
}

}  // namespace vouch::cli
