// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/pam_config.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace vouch::access {
namespace {

constexpr int kJumpMax = 10'000;

// By number, as in libpam's pam_tokens.h.
constexpr std::array<std::string_view, kPamAnswers> kAnswerNames{"success",
                                                                 "open_err",
                                                                 "symbol_err",
                                                                 "service_err",
                                                                 "system_err",
                                                                 "buf_err",
                                                                 "perm_denied",
                                                                 "auth_err",
                                                                 "cred_insufficient",
                                                                 "authinfo_unavail",
                                                                 "user_unknown",
                                                                 "maxtries",
                                                                 "new_authtok_reqd",
                                                                 "acct_expired",
                                                                 "session_err",
                                                                 "cred_unavail",
                                                                 "cred_expired",
                                                                 "cred_err",
                                                                 "no_module_data",
                                                                 "conv_err",
                                                                 "authtok_err",
                                                                 "authtok_recover_err",
                                                                 "authtok_lock_busy",
                                                                 "authtok_disable_aging",
                                                                 "try_again",
                                                                 "ignore",
                                                                 "abort",
                                                                 "authtok_expired",
                                                                 "module_unknown",
                                                                 "bad_item",
                                                                 "conv_again",
                                                                 "incomplete"};

constexpr std::string_view kSpace = " \t\r\n\f\v";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string one_spaced(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(kSpace);
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find_first_of(kSpace));
    text.remove_prefix(word.size());
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

struct Word {
  std::string text;
  bool bracketed = false;
};

// A word, or what stands in brackets; `\]` is a bracket inside. A bracket that does not end takes
// the rest of the line, as in libpam.
std::optional<Word> take_word(std::string_view& rest) {
  const std::size_t start = rest.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return {};
  rest.remove_prefix(start);
  Word word;
  if (!rest.starts_with('[')) {
    const std::string_view plain = rest.substr(0, rest.find_first_of(kSpace));
    rest.remove_prefix(plain.size());
    word.text = std::string(plain);
    return word;
  }
  word.bracketed = true;
  rest.remove_prefix(1);
  while (!rest.empty() && rest[0] != ']') {
    if (rest.starts_with("\\]")) rest.remove_prefix(1);
    word.text += rest[0];
    rest.remove_prefix(1);
  }
  if (!rest.empty()) rest.remove_prefix(1);
  return word;
}

// The next line: comments cut, continued lines joined. `number` is moved to the line after it.
std::string take_line(std::string_view& text, int& number) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    const bool is_comment = line.find('#') != std::string_view::npos;
    line = line.substr(0, line.find('#'));
    const std::size_t last = line.find_last_not_of(" \t\r");
    line = line.substr(0, last == std::string_view::npos ? 0 : last + 1);
    if (is_comment || !line.ends_with('\\')) return out.append(line);
    out.append(line.substr(0, line.size() - 1)).append(" ");
  }
  return out;
}

bool is_facility(std::string_view name) {
  return name == "auth" || name == "account" || name == "password" || name == "session";
}

bool is_include(std::string_view control) {
  return control == "include" || control == "substack";
}

// The rest of a line after the service. Empty: it is right; else what is wrong.
std::string_view parse_rule(std::string_view rest, PamLine& out) {
  auto facility = take_word(rest);
  if (facility && lower(facility->text) == "@include") {
    const auto target = take_word(rest);
    if (!target) return "includes nothing";
    out.control = "@include";
    out.module = target->text;
    return {};
  }
  std::string name = facility ? lower(facility->text) : "";
  out.silent = name.starts_with('-');
  if (out.silent) name.erase(0, 1);
  if (!is_facility(name)) return "names no facility";
  out.facility = name;

  const auto control = take_word(rest);
  if (!control) return "has no control value";
  out.control = control->bracketed ? "[" + one_spaced(control->text) + "]" : lower(control->text);
  const auto module = take_word(rest);
  if (!module) return "has no module";
  out.module = module->text;
  while (auto argument = take_word(rest)) out.arguments.push_back(std::move(argument->text));
  if (!is_include(out.control) && !pam_actions(out.control)) return "has an unknown control value";
  return {};
}

std::optional<int> parse_action(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, int>, 6> kNames{
      {{"ignore", PamAction::ignore},
       {"ok", PamAction::ok},
       {"done", PamAction::done},
       {"bad", PamAction::bad},
       {"die", PamAction::die},
       {"reset", PamAction::reset}}};
  for (const auto& [name, action] : kNames) {
    if (text == name) return action;
  }
  int jump = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), jump);
  if (failure != std::errc{} || end != text.data() + text.size()) return {};
  if (jump <= 0 || jump > kJumpMax) return {};
  return jump;
}

std::string_view plain_control(std::string_view control) {
  if (control == "required") return "success=ok new_authtok_reqd=ok ignore=ignore default=bad";
  if (control == "requisite") return "success=ok new_authtok_reqd=ok ignore=ignore default=die";
  if (control == "sufficient") return "success=done new_authtok_reqd=done default=ignore";
  if (control == "optional") return "success=ok new_authtok_reqd=ok default=ignore";
  return {};
}

}  // namespace

Parsed<PamLine> parse_pam_file(std::string_view text, PamFile kind) {
  Parsed<PamLine> parsed;
  int number = 0;
  while (!text.empty()) {
    const int first = number + 1;
    const std::string line = take_line(text, number);
    std::string_view rest = line;
    if (rest.find_first_not_of(kSpace) == std::string_view::npos) continue;
    PamLine rule;
    rule.line = first;
    if (kind == PamFile::pam_conf) rule.service = lower(take_word(rest)->text);
    const std::string_view problem = parse_rule(rest, rule);
    if (!problem.empty()) {
      parsed.faults.push_back({first, std::string(problem)});
    } else {
      parsed.entries.push_back(std::move(rule));
    }
  }
  return parsed;
}

std::optional<std::size_t> pam_answer(std::string_view name) {
  const auto found = std::find(kAnswerNames.begin(), kAnswerNames.end(), name);
  if (found == kAnswerNames.end()) return {};
  return static_cast<std::size_t>(found - kAnswerNames.begin());
}

std::optional<PamActions> pam_actions(std::string_view control) {
  PamActions actions;
  actions.fill(PamAction::undefined);
  if (control.starts_with('[') && control.ends_with(']') && control.size() >= 2) {
    control = control.substr(1, control.size() - 2);
  } else {
    control = plain_control(control);
    if (control.empty()) return {};
  }
  while (auto word = take_word(control)) {
    const std::size_t equals = word->text.find('=');
    if (equals == std::string::npos) return {};
    const auto action = parse_action(std::string_view(word->text).substr(equals + 1));
    if (!action) return {};
    const std::string name = word->text.substr(0, equals);
    if (name == "default") {
      // Of what stands before it alone is nothing overwritten.
      std::replace(actions.begin(), actions.end(), int{PamAction::undefined}, *action);
      continue;
    }
    const auto answer = pam_answer(name);
    if (!answer) return {};
    actions[*answer] = *action;
  }
  return actions;
}

}  // namespace vouch::access
