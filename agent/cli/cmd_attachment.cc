// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <ostream>

#include "agent/cli/ask.h"
#include "agent/cli/media_type.h"
#include "agent/vouchd/attachments.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/owner.h"
#include "proto/names.h"

namespace vouch::cli {
namespace {

Result<json::Object> make_request(const Arguments& arguments, std::string_view bytes) {
  const std::string& path = arguments.positional[0];
  const std::string file = arguments.value("--name").value_or(path.substr(path.rfind('/') + 1));
  if (!is_file_name(file)) {
    return Error{Errc::invalid, printable(file) + ": no file name: give one with --name"};
  }
  json::Array controls;
  for (const auto& control : arguments.values("--control")) controls.emplace_back(control);
  if (controls.empty()) {
    return Error{Errc::invalid, "say for which control it is evidence: --control ID"};
  }
  json::Object request{
      {"command", "attach"},
      {"file", file},
      {"sha256", sha256_hex(bytes)},
      {"media_type",
       arguments.value("--media-type").value_or(std::string(media_type_of(file, bytes)))},
      {"title", arguments.value("--title").value_or(file)},
      {"by", user_name()},
      {"controls", std::move(controls)}};
  if (const auto day = arguments.value("--effective")) request["effective"] = *day;
  if (const auto day = arguments.value("--expires")) request["expires"] = *day;
  if (const auto days = arguments.value("--every")) {
    std::int64_t number = 0;
    const auto read = std::from_chars(days->data(), days->data() + days->size(), number);
    if (read.ec != std::errc() || read.ptr != days->data() + days->size()) {
      return Error{Errc::invalid, "--every: expected a number of days"};
    }
    request["cadence_days"] = number;
  }
  return request;
}

// Where vouchd finds it: only it may, as its owner. Returns the file.
Result<std::string> leave(const std::string& state_dir, const std::string& sha256,
                          std::string_view bytes) {
  if (auto become = become_owner_of(state_dir); !become) return std::move(become).error();
  const std::string directory = state_dir + "/" + std::string(agent::kIncoming);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error(directory, errno);
  }
  std::string path = directory + "/" + sha256;
  if (auto written = write_file_durable(path, bytes, 0600); !written) {
    return std::move(written).error();
  }
  return path;
}

}  // namespace

int run_attachment_add(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto bytes = read_file(arguments.positional[0], agent::kDocumentBytesMax);
  if (!bytes) return output.fail(bytes.error());
  auto request = make_request(arguments, *bytes);
  if (!request) {
    output.note("attachment add: " + request.error().message);
    return kExitUsage;
  }
  const std::string sha256 = *request->at("sha256").if_string();
  auto left = leave(places->config.state_dir, sha256, *bytes);
  if (!left) return output.fail(left.error());
  auto answer = ask_daemon(*places, *request);
  if (!answer) {
    if (auto removed = remove_file(*left); !removed) output.note(removed.error().message);
    return fail_daemon(answer.error(), *places, output);
  }
  const auto* document = answer->find("attachment");
  if (document == nullptr) return output.fail({Errc::invalid, "vouchd's answer has no attachment"});
  if (output.json) {
    output.write_json(*document);
    return kExitPass;
  }
  const std::string due = cell(*document, "due");
  output.out << fmt::format(
      "{} ({} bytes, sha256 {}) is attached, and part of the chain\n{}\n",
      printable(cell(*document, "file")), cell(*document, "size"), sha256.substr(0, 12),
      due.empty() ? "it is never due again: --expires or --every would say when"
                  : "due again at " + due);
  return kExitPass;
}

int run_attachment_list(const Arguments& arguments, Output& output) {
  return run_list(arguments,
                  {"attachments",
                   "no document is attached: `vouch attachment add FILE --control ID`",
                   {"file", "title", "controls", "due", "by", "sha256"}},
                  output);
}

}  // namespace vouch::cli
