// SPDX-License-Identifier: Apache-2.0
// Stacks as libpam builds and runs them. The last test asks libpam itself, with pam_debug.so, whose
// answers are arguments.
#include "collectors/access_review/pam_stack.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::access;

namespace {

// Files in memory.
class Files {
 public:
  Files& file(const std::string& name, std::string_view text) {
    sources_[name] = {"/etc/pam.d/" + name, parse_pam_file(text, PamFile::of_service)};
    return *this;
  }
  FindPamSource find() const {
    return [this](const std::string& name) -> Result<const PamSource*> {
      const auto found = sources_.find(name);
      if (found == sources_.end()) return Error{Errc::not_found, "no such service"};
      return &found->second;
    };
  }
  PamStacks resolve(const std::string& service) {
    gaps.clear();
    auto stacks = resolve_pam_service(service, find(), gaps);
    REQUIRE(stacks);
    std::size_t steps = kPamStepsMax;
    for (auto& [facility, stack] : *stacks) find_mandatory(stack, facility, steps);
    return *std::move(stacks);
  }
  PamGaps gaps;

 private:
  std::map<std::string, PamSource> sources_;
};

bool is_mandatory(const PamStack& stack, std::string_view module) {
  for (const PamEntry& entry : stack) {
    if (entry.module == module) return entry.mandatory;
  }
  FAIL("no such module");
  return false;
}

std::string modules(const PamStack& stack) {
  std::string out;
  for (const PamEntry& entry : stack) out += fmt::format("{}{} ", entry.level, entry.module);
  return out;
}

}  // namespace

TEST_CASE("includes are resolved by facility, substacks have a level", "[pam]") {
  Files files;
  files.file("common", "auth required a.so\naccount required b.so\n");
  files.file("sub", "auth sufficient c.so\nauth required d.so\naccount required e.so\n");
  files.file("svc",
             "auth substack sub\n@include common\naccount include sub\nauth required z.so\n");

  const auto stacks = files.resolve("svc");

  CHECK(files.gaps.empty());
  CHECK(modules(stacks.at("auth")) == "0sub 1c.so 1d.so 0a.so 0z.so ");
  CHECK(modules(stacks.at("account")) == "0b.so 0e.so ");
  CHECK(stacks.at("auth")[1].source == "/etc/pam.d/sub");
  CHECK(stacks.at("auth")[2].line == 2);
}

TEST_CASE("a missing file and a circle of includes fail and are gaps", "[pam]") {
  Files files;
  files.file("svc", "auth include none\nauth sufficient a.so\n");
  files.file("loop", "@include loop\nauth required a.so\n");

  const auto missing = files.resolve("svc");
  REQUIRE(files.gaps.size() == 1);
  CHECK(files.gaps[0].first == "/etc/pam.d/svc:1");
  const auto circle = files.resolve("loop");

  CHECK(missing.at("auth")[0].kind == PamEntry::Kind::must_fail);
  // A required failure comes first: nothing that follows can make up for it.
  CHECK(is_mandatory(missing.at("auth"), "a.so"));
  CHECK(files.gaps.size() == 1);
  CHECK(files.gaps[0].second.code == Errc::too_large);
  CHECK(circle.at("auth").size() == 18);  // Seventeen times the file, and the failure.
}

TEST_CASE("files that include themselves many times stay bounded", "[pam]") {
  Files files;
  std::string text = "auth optional a.so\n";
  for (int i = 0; i < 100; ++i) text += "@include f\n";
  files.file("f", text);

  const auto stacks = files.resolve("f");

  CHECK(stacks.at("auth").size() == 2000);
  CHECK(files.gaps.size() < 2001);
}

TEST_CASE("a module is mandatory if no way leads around it", "[pam]") {
  Files files;
  files.file("debian", "auth required otp.so\n@include common\nauth required late.so\n");
  files.file("common",
             "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n"
             "auth required pam_permit.so\nauth optional pam_cap.so\n");
  files.file("early", "auth sufficient pam_unix.so\nauth required otp.so\n");
  files.file("alone", "auth sufficient otp.so\n@include common\n");
  files.file("substack", "auth substack inner\nauth required otp.so\n");
  files.file("inner", "auth sufficient pam_unix.so\nauth required pam_deny.so\n");
  files.file("include", "auth include inner\nauth required otp.so\n");
  files.file("su", "auth sufficient pam_rootok.so\nauth required pam_wheel.so\n@include common\n");
  files.file("jump", "auth [success=ok default=1] if.so\nauth required otp.so\n@include common\n");

  CHECK(is_mandatory(files.resolve("debian").at("auth"), "otp.so"));
  CHECK(is_mandatory(files.resolve("debian").at("auth"), "late.so"));
  CHECK(is_mandatory(files.resolve("debian").at("auth"), "pam_unix.so"));
  CHECK_FALSE(is_mandatory(files.resolve("debian").at("auth"), "pam_cap.so"));
  CHECK_FALSE(is_mandatory(files.resolve("early").at("auth"), "otp.so"));
  CHECK_FALSE(is_mandatory(files.resolve("alone").at("auth"), "otp.so"));
  CHECK_FALSE(is_mandatory(files.resolve("alone").at("auth"), "pam_unix.so"));
  // `sufficient` ends a substack only, but the whole where it is included.
  CHECK(is_mandatory(files.resolve("substack").at("auth"), "otp.so"));
  CHECK_FALSE(is_mandatory(files.resolve("include").at("auth"), "otp.so"));
  CHECK(is_mandatory(files.resolve("su").at("auth"), "pam_wheel.so"));
  CHECK_FALSE(is_mandatory(files.resolve("jump").at("auth"), "otp.so"));
}

TEST_CASE("the stacks of RPM systems are understood", "[pam]") {
  Files files;
  files.file("system-auth",
             "auth required pam_env.so\nauth required pam_faillock.so preauth silent\n"
             "auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n"
             "auth [default=1 ignore=ignore success=ok] pam_localuser.so\n"
             "auth sufficient pam_unix.so\n"
             "auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n"
             "auth sufficient pam_sss.so forward_pass\nauth required pam_deny.so\n"
             "password requisite pam_pwquality.so local_users_only\n"
             "password [default=1 ignore=ignore success=ok] pam_localuser.so\n"
             "password requisite pam_pwhistory.so use_authtok\n"
             "password sufficient pam_unix.so yescrypt shadow use_authtok\n"
             "password sufficient pam_sss.so use_authtok\npassword required pam_deny.so\n");
  files.file("sshd",
             "auth substack system-auth\nauth [default=1] pam_localuser.so\n"
             "auth required otp.so\nauth optional pam_env.so\n");
  files.file("passwd", "password substack system-auth\n");

  const auto auth = files.resolve("sshd").at("auth");
  const auto password = files.resolve("passwd").at("password");

  CHECK(is_mandatory(auth, "pam_faillock.so"));
  CHECK_FALSE(is_mandatory(auth, "pam_unix.so"));
  // Who is in a directory is led around it.
  CHECK_FALSE(is_mandatory(auth, "otp.so"));
  CHECK(is_mandatory(password, "pam_pwquality.so"));
  CHECK(is_mandatory(password, "pam_pwhistory.so"));
}

TEST_CASE("a module that is not installed never succeeds", "[pam]") {
  Files files;
  files.file("svc", "auth sufficient pam_gone.so\nauth required otp.so\n");
  auto stack = files.resolve("svc").at("auth");
  CHECK_FALSE(is_mandatory(stack, "otp.so"));

  stack[0].installed = false;
  std::size_t steps = kPamStepsMax;
  find_mandatory(stack, "auth", steps);

  CHECK(is_mandatory(stack, "otp.so"));
}

TEST_CASE("the work on a stack is bounded, and nothing is claimed beyond", "[pam]") {
  Files files;
  std::string text = "auth required otp.so\n";
  for (int i = 0; i < 1000; ++i) text += "auth [success=2 ignore=3 default=ignore] a.so\n";
  files.file("svc", text);
  auto stack = files.resolve("svc").at("auth");
  std::size_t steps = 1000;

  find_mandatory(stack, "auth", steps);

  CHECK(steps == 0);
  CHECK_FALSE(stack.back().mandatory);
}

// --- libpam as the judge -------------------------------------------------------------------------

namespace {

struct PamMessage {
  int style;
  const char* text;
};
struct PamResponse {
  char* text;
  int code;
};
struct PamConversation {
  int (*ask)(int, const PamMessage**, PamResponse**, void*);
  void* data;
};

int answer_nothing(int count, const PamMessage** /*messages*/, PamResponse** out, void* /*data*/) {
  *out =
      static_cast<PamResponse*>(std::calloc(static_cast<std::size_t>(count), sizeof(PamResponse)));
  return 0;
}

// libpam, opened at run time: its headers are not needed to build.
class LibPam {
 public:
  LibPam() : handle_(::dlopen("libpam.so.0", RTLD_NOW)) {
    if (handle_ == nullptr) return;
    start_ = reinterpret_cast<Start>(::dlsym(handle_, "pam_start_confdir"));
    authenticate_ = reinterpret_cast<Call>(::dlsym(handle_, "pam_authenticate"));
    end_ = reinterpret_cast<Call>(::dlsym(handle_, "pam_end"));
  }
  bool is_usable() const { return start_ != nullptr && authenticate_ && end_; }
  bool authenticate(const std::string& service, const std::string& directory) const {
    const PamConversation conversation{answer_nothing, nullptr};
    void* pam = nullptr;
    if (start_(service.c_str(), "nobody", &conversation, directory.c_str(), &pam) != 0) {
      return false;
    }
    const int result = authenticate_(pam, 0);
    end_(pam, result);
    return result == 0;
  }

 private:
  using Start = int (*)(const char*, const char*, const PamConversation*, const char*, void**);
  using Call = int (*)(void*, int);
  void* handle_ = nullptr;
  Start start_ = nullptr;
  Call authenticate_ = nullptr;
  Call end_ = nullptr;
};

// Random rules with the answer of each as pam_debug.so's argument. libpam looks for what is
// included in /etc/pam.d whatever the service's directory: so it is named by its path.
std::string random_rules(std::mt19937& random, int depth, const std::string& directory) {
  static const std::vector<std::string> kControls{
      "required",
      "requisite",
      "sufficient",
      "optional",
      "[success=1 default=ignore]",
      "[success=2 default=bad]",
      "[default=reset]",
      "[success=ok default=die]",
      "[success=done auth_err=1 default=ok]",
      "[success=ok]",
      "[ignore=1 default=ok]",
      "[success=ok new_authtok_reqd=ok perm_denied=done default=ignore]"};
  static const std::vector<std::string> kAnswers{"success", "success",     "auth_err",
                                                 "ignore",  "perm_denied", "new_authtok_reqd"};
  const auto pick = [&](const auto& list) { return list[random() % list.size()]; };
  std::string text;
  const int count = 1 + static_cast<int>(random() % 5);
  for (int i = 0; i < count; ++i) {
    if (depth < 3 && random() % 4 == 0) {
      text += fmt::format("auth {} {}/f{}\n", random() % 2 == 0 ? "substack" : "include", directory,
                          depth + 1);
    } else {
      text += fmt::format("auth {} pam_debug.so auth={}\n", pick(kControls), pick(kAnswers));
    }
  }
  return text;
}

}  // namespace

TEST_CASE("stacks run as in libpam itself", "[pam]") {
  const LibPam pam;
  sdk::TestTree tree;
  tree.file("/probe", "auth required pam_debug.so auth=success\n").file("/other", "");
  if (!pam.is_usable() || !pam.authenticate("probe", tree.path())) {
    WARN("skipped: no libpam with pam_start_confdir, or no pam_debug.so");
    return;
  }
  std::mt19937 random(4711);  // The same stacks on every machine.
  int successes = 0;
  for (int round = 0; round < 500; ++round) {
    Files files;
    std::string rules;
    for (int i = 3; i >= 0; --i) {
      const std::string text = random_rules(random, i, tree.path());
      files.file(fmt::format("{}/f{}", tree.path(), i), text);
      rules += text + "--\n";
      tree.file(fmt::format("/f{}", i), text);
    }
    const auto stack = files.resolve(tree.path() + "/f0").at("auth");
    std::vector<std::size_t> answers;
    for (const PamEntry& entry : stack) {
      rules += fmt::format("\n{}{} {}", entry.level, entry.control, fmt::join(entry.arguments, ""));
      answers.push_back(entry.arguments.empty() ? PamAnswer::success
                                                : *pam_answer(entry.arguments[0].substr(5)));
    }
    const bool real = pam.authenticate("f0", tree.path());
    successes += real ? 1 : 0;
    CAPTURE(round, rules);
    CHECK(pam_stack_succeeds(stack, answers) == real);
    for (std::size_t i = 0; i < stack.size(); ++i) {
      const bool failed = answers[i] == PamAnswer::auth_err || answers[i] == PamAnswer::perm_denied;
      if (stack[i].mandatory && failed) CHECK_FALSE(real);
    }
  }
  CHECK(successes > 50);
}
