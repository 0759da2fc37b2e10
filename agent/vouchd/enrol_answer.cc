// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/enrol_answer.h"

#include <sys/utsname.h>

#include "core/encoding.h"
#include "core/file.h"
#include "proto/problem.h"

namespace vouch::agent {
namespace {

constexpr std::size_t kOsReleaseBytesMax = 64u << 10;

std::string os_name() {
  const auto text = read_file("/etc/os-release", kOsReleaseBytesMax);
  if (!text) return "Linux";
  const std::string_view mark = "PRETTY_NAME=\"";
  const auto at = text->find(mark);
  if (at == std::string::npos) return "Linux";
  const auto begin = at + mark.size();
  return text->substr(begin, text->find('"', begin) - begin);
}

Error refusal(const EnrolAnswer& answer, const std::string& state_dir) {
  const auto problem = parse_problem(answer.body);
  if (!problem) {
    return {Errc::denied, "the store answered with status " + std::to_string(answer.status)};
  }
  if (problem->kind == ProblemKind::token) {
    return {Errc::denied,
            "the store does not take this join string: unknown, used up or expired; ask for a new "
            "one (vouch-store token create)"};
  }
  if (problem->kind == ProblemKind::agent_exists) {
    return {Errc::denied, "the store refused: " + problem->detail +
                              "; use the join string of the first try again, or move " + state_dir +
                              " away to begin as a new agent"};
  }
  return {Errc::denied, "the store refused: " + std::string(problem_name(problem->kind)) +
                            (problem->detail.empty() ? "" : ": " + problem->detail)};
}

Status write_store_files(const std::string& state_dir, const JoinString& join,
                         const std::string& ca_pem) {
  json::Object store{{"url", join.url()}};
  if (!ca_pem.empty()) {
    const std::string path = state_dir + "/" + std::string(kStoreCaFile);
    if (auto written = write_file_durable(path, ca_pem, 0644); !written) return written;
    store["ca"] = std::string(kStoreCaFile);
  }
  return write_file_durable(state_dir + "/" + std::string(kStoreFile), json::write(store) + "\n",
                            0644);
}

}  // namespace

json::Object describe_host(const EnrolOptions& options) {
  json::Object host = options.identity;
  host["name"] = options.host.host;
  host["os"] = os_name();
  struct utsname names {};
  if (uname(&names) == 0) {
    host["kernel"] = std::string(names.release);
    host["architecture"] = std::string(names.machine);
  }
  return host;
}

Result<enrolment::Enrolled> ask_store(const std::string& state_dir, const JoinString& join,
                                      const std::string& envelope,
                                      const enrolment::Request& request,
                                      const PostEnrolment& post) {
  auto answer = post(join, envelope);
  if (!answer) return std::move(answer).error().in("enrol at " + join.url());
  if (answer->status != 200 && answer->status != 201) return refusal(*answer, state_dir);
  auto response = enrolment::parse_response(answer->body);
  if (!response) return Error{Errc::denied, "the store's answer: " + response.error().message};
  auto enrolled = enrolment::check_response(*response, join, request);
  if (!enrolled) {
    return Error{Errc::denied, "the store's answer does not hold: " + enrolled.error().message};
  }
  if (auto written = write_store_files(state_dir, join, answer->ca_pem); !written) {
    return std::move(written).error();
  }
  return enrolled;
}

AcceptedCheckpoint checkpoint_of(const enrolment::Enrolled& enrolled) {
  const auto& head = enrolled.receipt.checkpoint.checkpoint;
  return {{head.origin, static_cast<std::int64_t>(head.size), base64_encode(head.root),
           enrolled.receipt.checkpoint.log_signature},
          enrolled.receipt.checkpoint.note};
}

}  // namespace vouch::agent
