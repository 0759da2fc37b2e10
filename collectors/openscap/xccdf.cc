// SPDX-License-Identifier: Apache-2.0
#include "collectors/openscap/xccdf.h"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace vouch::openscap {
namespace {

constexpr std::size_t kDepthMax = 200;
constexpr std::size_t kRulesMax = 50'000;
constexpr std::size_t kTextBytesMax = std::size_t{64} << 10;
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
constexpr char kSeparator = '|';  // Between namespace and name.
constexpr std::string_view kNamespaces[] = {"http://checklists.nist.gov/xccdf/1.2|",
                                            "http://checklists.nist.gov/xccdf/1.1|"};

// The name of an element of XCCDF; empty for one of any other language.
std::string_view xccdf_name(std::string_view name) {
  for (const auto prefix : kNamespaces) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return {};
}

std::string attribute(const XML_Char** attributes, std::string_view wanted) {
  for (; *attributes != nullptr; attributes += 2) {
    if (attributes[0] == wanted) return attributes[1];
  }
  return {};
}

// Without white space at the ends, and with single blanks for runs of it.
std::string tidy(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!is_space) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

// A rule of the benchmark: what a result does not repeat.
struct Rule {
  std::string title;
  std::string severity;
  std::set<std::string> identifiers;
};

struct Cleanup {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

}  // namespace

struct XccdfReader::State {
  std::unique_ptr<std::remove_pointer_t<XML_Parser>, Cleanup> parser;
  std::size_t depth = 0;
  std::optional<Error> error;

  // Where the reader is: the depth of the element, 0 outside of one.
  std::size_t rule_depth = 0, test_depth = 0, result_depth = 0;
  std::string rule_id;
  std::set<std::string> result_identifiers;

  // The element whose text is wanted.
  std::size_t text_depth = 0;
  std::string text;
  std::string text_of;

  std::map<std::string, Rule> rules;
  std::size_t tests = 0;
  TestResult test;
  std::vector<std::set<std::string>> identifiers;  // Of each of test.rules.

  void fail(Errc code, std::string message) {
    if (error) return;
    error = Error{code, std::move(message)};
    XML_StopParser(parser.get(), XML_FALSE);
  }
  void want_text(std::string_view name) {
    text_depth = depth;
    text_of = name;
    text.clear();
  }
  void open(std::string_view name, const XML_Char** attributes);
  void open_in_test(std::string_view name, const XML_Char** attributes);
  void close();
  void take_text();
};

void XccdfReader::State::open(std::string_view qualified, const XML_Char** attributes) {
  if (++depth > kDepthMax) return fail(Errc::too_large, "elements are nested over 200 deep");
  const auto name = xccdf_name(qualified);
  if (name.empty() || text_depth != 0) return;
  if (test_depth != 0) return open_in_test(name, attributes);
  if (name == "TestResult") {
    if (++tests > 1) return fail(Errc::invalid, "there are several results of tests in it");
    test_depth = depth;
    test.started = attribute(attributes, "start-time");
    test.finished = attribute(attributes, "end-time");
    test.benchmark_version = attribute(attributes, "version");
    test.scanner = attribute(attributes, "test-system");
  } else if (name == "Benchmark") {
    if (test.benchmark.empty()) test.benchmark = attribute(attributes, "id");
  } else if (name == "Rule") {
    rule_depth = depth;
    rule_id = attribute(attributes, "id");
    if (rules.size() >= kRulesMax) return fail(Errc::too_large, "more than 50,000 rules");
    rules[rule_id].severity = attribute(attributes, "severity");
  } else if (rule_depth != 0 && depth == rule_depth + 1 && (name == "title" || name == "ident")) {
    want_text(name);
  }
}

void XccdfReader::State::open_in_test(std::string_view name, const XML_Char** attributes) {
  if (name == "rule-result" && depth == test_depth + 1) {
    if (test.rules.size() >= kRulesMax) return fail(Errc::too_large, "more than 50,000 results");
    result_depth = depth;
    RuleResult result;
    result.rule_id = attribute(attributes, "idref");
    result.severity = attribute(attributes, "severity");
    if (result.rule_id.empty()) return fail(Errc::invalid, "a result names no rule");
    test.rules.push_back(std::move(result));
    identifiers.emplace_back();
  } else if (result_depth != 0 && depth == result_depth + 1) {
    if (name == "result" || name == "ident") want_text(name);
  } else if (depth == test_depth + 1) {
    if (name == "profile") test.profile = attribute(attributes, "idref");
    if (name == "benchmark") {
      const auto id = attribute(attributes, "id");
      if (!id.empty()) test.benchmark = id;
    }
    const auto system = attribute(attributes, "system");
    if (name == "score" && (system.empty() || system == "urn:xccdf:scoring:default")) {
      want_text(name);
    }
  }
}

void XccdfReader::State::take_text() {
  std::string tidied = tidy(text);
  if (text_of == "score") {
    test.score = std::move(tidied);
  } else if (text_of == "result") {
    test.rules.back().result = std::move(tidied);
  } else if (text_of == "title") {
    auto& title = rules[rule_id].title;
    if (title.empty()) title = std::move(tidied);  // The first of several languages.
  } else if (!tidied.empty()) {
    auto& taken = result_depth != 0 ? identifiers.back() : rules[rule_id].identifiers;
    taken.insert(std::move(tidied));
  }
}

void XccdfReader::State::close() {
  if (text_depth == depth) {
    take_text();
    text_depth = 0;
  }
  if (result_depth == depth) {
    result_depth = 0;
    if (test.rules.back().result.empty()) fail(Errc::invalid, "a rule has no result");
  }
  if (rule_depth == depth) rule_depth = 0;
  if (test_depth == depth) test_depth = 0;
  --depth;
}

XccdfReader::XccdfReader() : state_(std::make_unique<State>()) {
  state_->parser.reset(XML_ParserCreateNS(nullptr, kSeparator));
  XML_Parser parser = state_->parser.get();
  if (parser == nullptr) return;
  XML_SetUserData(parser, state_.get());
  XML_SetElementHandler(
      parser,
      [](void* user, const XML_Char* name, const XML_Char** attributes) {
        static_cast<State*>(user)->open(name, attributes);
      },
      [](void* user, const XML_Char*) { static_cast<State*>(user)->close(); });
  XML_SetCharacterDataHandler(parser, [](void* user, const XML_Char* text, int size) {
    auto& state = *static_cast<State*>(user);
    if (state.text_depth == 0) return;
    state.text.append(text, static_cast<std::size_t>(size));
    if (state.text.size() > kTextBytesMax) state.fail(Errc::too_large, "a text over 64 KiB");
  });
  XML_SetStartDoctypeDeclHandler(
      parser, [](void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
        static_cast<State*>(user)->fail(Errc::invalid, "a document type is not accepted");
      });
}

XccdfReader::~XccdfReader() = default;

Status XccdfReader::feed(std::string_view bytes) {
  if (state_->parser == nullptr) return Error{Errc::other, "no memory for an XML parser"};
  while (!bytes.empty() && !state_->error) {
    const auto piece = bytes.substr(0, kPieceBytes);
    bytes.remove_prefix(piece.size());
    XML_Parser parser = state_->parser.get();
    if (XML_Parse(parser, piece.data(), static_cast<int>(piece.size()), 0) == XML_STATUS_OK)
      continue;
    state_->fail(Errc::invalid, fmt::format("line {}: {}", XML_GetCurrentLineNumber(parser),
                                            XML_ErrorString(XML_GetErrorCode(parser))));
  }
  if (state_->error) return *state_->error;
  return Ok{};
}

Result<TestResult> XccdfReader::finish() {
  if (state_->error) return *state_->error;
  XML_Parser parser = state_->parser.get();
  if (parser == nullptr || XML_Parse(parser, "", 0, 1) != XML_STATUS_OK) {
    if (state_->error) return *state_->error;
    return Error{Errc::invalid, "the file ends too early, or is no XML"};
  }
  if (state_->tests == 0) return Error{Errc::invalid, "there is no result of a test in it"};
  TestResult test = std::move(state_->test);
  for (std::size_t i = 0; i < test.rules.size(); ++i) {
    RuleResult& result = test.rules[i];
    auto& identifiers = state_->identifiers[i];
    if (const auto rule = state_->rules.find(result.rule_id); rule != state_->rules.end()) {
      result.title = rule->second.title;
      if (result.severity.empty()) result.severity = rule->second.severity;
      identifiers.insert(rule->second.identifiers.begin(), rule->second.identifiers.end());
    }
    result.identifiers.assign(identifiers.begin(), identifiers.end());
  }
  return test;
}

}  // namespace vouch::openscap
