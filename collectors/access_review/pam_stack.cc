// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/pam_stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace vouch::access {
namespace {

constexpr int kDepthMax = 16;  // As libpam's for substacks.
constexpr std::size_t kEntriesMax = 2000;

PamActions all(int action) {
  PamActions actions;
  actions.fill(action);
  return actions;
}

class Resolver {
 public:
  Resolver(const FindPamSource& find, PamGaps& gaps) : find_(find), gaps_(gaps) {}

  // Adds the rules of a file; of one facility, or of all if `only` is empty.
  void add(const PamSource& source, std::string_view only, int level, int depth) {
    for (const Fault& fault : source.content.faults) {
      gaps_.emplace_back(fmt::format("{}:{}", source.path, fault.line),
                         Error{Errc::invalid, fault.message});
    }
    for (const PamLine& line : source.content.entries) {
      if (!line.facility.empty() && !only.empty() && line.facility != only) continue;
      add_line(source, line, only, level, depth);
    }
  }

  PamStacks take() { return std::move(stacks_); }

 private:
  void add_line(const PamSource& source, const PamLine& line, std::string_view only, int level,
                int depth) {
    if (line.control == "@include") {
      include(source, line, only, level, depth);
    } else if (line.control == "include") {
      include(source, line, line.facility, level, depth);
    } else if (line.control == "substack") {
      push(line.facility, entry(source, line, PamEntry::Kind::substack, level));
      include(source, line, line.facility, level + 1, depth);
    } else {
      push(line.facility, entry(source, line, PamEntry::Kind::module, level));
    }
  }

  void include(const PamSource& source, const PamLine& line, std::string_view only, int level,
               int depth) {
    // Files that include each other several times would grow without end.
    if (is_full_ || ++includes_ > kEntriesMax) return note_full(source.path);
    auto found = depth < kDepthMax ? find_(line.module)
                                   : Error{Errc::too_large, "includes are too deep, or a circle"};
    if (found) return add(**found, only, level, depth + 1);
    gaps_.emplace_back(fmt::format("{}:{}", source.path, line.line), std::move(found).error());
    // libpam gives the failing entry to the most sensitive facility where none is named.
    push(only.empty() ? "auth" : only, entry(source, line, PamEntry::Kind::must_fail, level));
  }

  static PamEntry entry(const PamSource& source, const PamLine& line, PamEntry::Kind kind,
                        int level) {
    PamEntry out;
    out.kind = kind;
    out.control = line.control;
    out.actions = kind == PamEntry::Kind::module ? *pam_actions(line.control) : all(PamAction::bad);
    out.module = line.module;
    out.arguments = line.arguments;
    out.silent = line.silent;
    out.level = level;
    out.source = source.path;
    out.line = line.line;
    return out;
  }

  void push(std::string_view facility, PamEntry entry) {
    PamStack& stack = stacks_[std::string(facility)];
    if (stack.size() < kEntriesMax) return stack.push_back(std::move(entry));
    note_full(entry.source);
  }

  void note_full(const std::string& path) {
    if (!is_full_) {
      gaps_.emplace_back(path, Error{Errc::too_large, "over 2,000 rules or includes"});
    }
    is_full_ = true;
  }

  const FindPamSource& find_;
  PamGaps& gaps_;
  PamStacks stacks_;
  std::size_t includes_ = 0;
  bool is_full_ = false;
};

// Where a stack stands between two modules: libpam's impression and status, and what they were when
// each substack began.
struct Verdict {
  enum Impression : char { undefined, positive, negative };
  Impression impression = undefined;
  bool success = false;
};

struct State {
  std::size_t index = 0;
  int level = 0;
  Verdict now;
  std::vector<Verdict> saved;  // By level.

  [[nodiscard]] std::string key() const {
    std::string out = fmt::format("{} {} {}{}", index, level, int{now.impression}, now.success);
    for (const Verdict& verdict : saved) {
      out += fmt::format(" {}{}", int{verdict.impression}, verdict.success);
    }
    return out;
  }
};

// The first entry behind `index` that is no deeper than `level`: what a jump counts as one module.
std::size_t skip_one(const PamStack& stack, std::size_t index, int level) {
  ++index;
  while (index + 1 < stack.size() && stack[index + 1].level > level) ++index;
  return index;
}

void jump(const PamStack& stack, State& state, int count) {
  const int level = stack[state.index].level;
  while (count > 0 && state.index + 1 < stack.size() && stack[state.index + 1].level >= level) {
    state.index = skip_one(stack, state.index, level);
    --count;
  }
  if (count > 0) state.now = {Verdict::negative, false};  // Beyond the end.
}

// Ends the innermost substack, or the whole.
void decide(const PamStack& stack, State& state) {
  const int level = stack[state.index].level;
  while (state.index + 1 < stack.size() && stack[state.index + 1].level >= level) ++state.index;
}

// libpam's _pam_dispatch_aux(), for one module. The state is then before the next one.
void step(const PamStack& stack, State& state, std::size_t answer) {
  const PamEntry& entry = stack[state.index];
  if (entry.level > state.level) {
    state.saved.resize(static_cast<std::size_t>(entry.level) + 1);
    state.saved[static_cast<std::size_t>(entry.level)] = state.now;
  }
  state.level = entry.level;
  if (entry.kind != PamEntry::Kind::substack) {
    const int action = entry.actions[answer];
    Verdict& now = state.now;
    if (action == PamAction::reset) {
      const auto level = static_cast<std::size_t>(entry.level);
      now = level < state.saved.size() ? state.saved[level] : Verdict{};
    } else if (action == PamAction::ok || action == PamAction::done) {
      const bool is_open = now.impression == Verdict::undefined ||
                           (now.impression == Verdict::positive && now.success);
      if (is_open) now = {Verdict::positive, answer == PamAnswer::success};
      if (action == PamAction::done && now.impression == Verdict::positive) decide(stack, state);
    } else if (action == PamAction::bad || action == PamAction::die) {
      now = {Verdict::negative, false};
      if (action == PamAction::die) decide(stack, state);
    } else if (action > 0) {
      jump(stack, state, action);
    } else if (action == PamAction::undefined) {
      now = {Verdict::negative, false};
    }
  }
  ++state.index;
}

bool succeeds(const State& state) {
  return state.now.impression == Verdict::positive && state.now.success;
}

// The answers that a module may give, one of each kind that the stack treats alike.
std::vector<std::size_t> possible_answers(const PamEntry& entry, std::string_view facility) {
  const std::string_view name = pam_module_name(entry.module);
  if (entry.kind == PamEntry::Kind::must_fail) return {PamAnswer::perm_denied};
  if (entry.kind == PamEntry::Kind::substack) return {PamAnswer::success};
  if (!entry.installed) return {PamAnswer::module_unknown};
  if (name == "pam_permit.so") return {PamAnswer::success};
  const bool asks_if_local = name == "pam_localuser.so" || name == "pam_usertype.so";
  if (asks_if_local && facility == "password") return {PamAnswer::success};
  if (name == "pam_deny.so" || name == "pam_rootok.so") return {PamAnswer::auth_err};
  std::vector<std::size_t> answers = {PamAnswer::success, PamAnswer::ignore};
  std::set<int> seen;
  for (std::size_t i = 1; i < 30; ++i) {  // The last two ask to be called again.
    if (i != PamAnswer::ignore && seen.insert(entry.actions[i]).second) answers.push_back(i);
  }
  return answers;
}

// A module that has no opinion is no failure: pam_u2f with nouserok ignores who has no key.
bool is_failure(std::size_t answer) {
  return answer != PamAnswer::success && answer != PamAnswer::new_authtok_reqd &&
         answer != PamAnswer::ignore;
}

// True if the stack may succeed although the module of entry `without` does not, or if that could
// not be settled within the budget.
bool may_succeed_without(const PamStack& stack, std::size_t without,
                         const std::vector<std::vector<std::size_t>>& answers,
                         std::size_t& steps_left) {
  std::vector<State> open(1);
  std::set<std::string> seen;
  while (!open.empty()) {
    const State state = std::move(open.back());
    open.pop_back();
    if (state.index >= stack.size()) {
      if (succeeds(state)) return true;
      continue;
    }
    for (const std::size_t answer : answers[state.index]) {
      if (steps_left == 0) return true;
      --steps_left;
      if (state.index == without && !is_failure(answer)) continue;
      State next = state;
      step(stack, next, answer);
      if (seen.insert(next.key()).second) open.push_back(std::move(next));
    }
  }
  return false;
}

}  // namespace

Result<PamStacks> resolve_pam_service(const std::string& service, const FindPamSource& find,
                                      PamGaps& gaps) {
  const auto source = find(service);
  if (!source) return source.error();
  Resolver resolver(find, gaps);
  resolver.add(**source, "", 0, 0);
  return resolver.take();
}

bool pam_stack_succeeds(const PamStack& stack, const std::vector<std::size_t>& answers) {
  State state;
  while (state.index < stack.size()) step(stack, state, answers.at(state.index));
  return succeeds(state);
}

void find_mandatory(PamStack& stack, std::string_view facility, std::size_t& steps_left) {
  std::vector<std::vector<std::size_t>> answers;
  for (const PamEntry& entry : stack) {
    answers.push_back(possible_answers(entry, facility));
  }
  for (std::size_t i = 0; i < stack.size(); ++i) {
    stack[i].mandatory = stack[i].kind == PamEntry::Kind::module &&
                         !may_succeed_without(stack, i, answers, steps_left);
  }
}

std::string_view pam_module_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace vouch::access
