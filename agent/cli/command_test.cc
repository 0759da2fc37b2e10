// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/command.h"

#include <catch2/catch.hpp>

#include <sstream>

#include "agent/cli/rows.h"

namespace vouch::cli {
namespace {

struct Ran {
  int code = 0;
  std::string out;
  std::string err;
};

Ran run(const std::vector<std::string>& words) {
  std::ostringstream out;
  std::ostringstream err;
  Output output{out, err, {100, false}};
  const int code = run_vouch(words, output);
  return {code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("what is typed wrong is refused with what would be right", "[command]") {
  struct Wrong {
    std::vector<std::string> words;
    const char* message;
  };
  const auto wrong = GENERATE(values<Wrong>({
      {{"chekc"}, "there is no command \"chekc\"; did you mean `vouch check`?"},
      {{"frobnicate"}, "see `vouch help`"},
      {{"policy"}, "did you mean `vouch policy test`?"},
      {{"check", "--frame", "x"}, "check: no option --frame; see `vouch help check`"},
      {{"check", "--root"}, "--root needs a value: --root DIR"},
      {{"check", "--root", "/a", "--root=/b"}, "--root is given twice"},
      {{"check", "--all=yes"}, "--all takes no value"},
      {{"check", "--format", "xml"}, "--format is table or json, not xml"},
      {{"check", "-x"}, "options are written --name, not -x"},
      {{"collect"}, "collect: it needs NAME"},
      {{"collect", "a", "b"}, "\"b\" is one argument too many"},
      {{"query"}, "it needs SQL, or --tables"},
      {{"verify", "/", "--from", "2026-01-01T00:00:00Z"}, "--from and --to go together"},
      {{"verify", "/", "--from", "today", "--to", "tomorrow"},
       "times such as 2026-01-01T00:00:00Z"},
  }));
  CAPTURE(wrong.words);

  const auto ran = run(wrong.words);

  CHECK(ran.code == kExitUsage);
  CHECK(ran.out.empty());
  CHECK_THAT(ran.err, Catch::StartsWith("vouch: ") && Catch::Contains(wrong.message));
}

TEST_CASE("options come in either form, and -- ends them", "[command]") {
  const Command command{"x", "", "",
                        "",  "", {{"--root", "DIR", "", false}, {"--pack", "P", "", true}},
                        0,   9,  nullptr};
  const std::vector<std::string> words{"a", "--root=/r", "--pack", "p", "--pack=q", "--", "--root"};

  auto arguments = parse_arguments(command, words);

  REQUIRE(arguments);
  CHECK(arguments->value("--root") == "/r");
  CHECK(arguments->values("--pack") == std::vector<std::string>{"p", "q"});
  CHECK(arguments->positional == std::vector<std::string>{"a", "--root"});
  CHECK_FALSE(arguments->value("--none"));
}

TEST_CASE("help names every command, and each has an example", "[command]") {
  const auto overview = run({"help"});
  CHECK(overview.code == 0);
  for (const auto& command : commands()) {
    CAPTURE(command.name);
    CHECK_THAT(overview.out, Catch::Contains(std::string(command.name)));
    std::vector<std::string> words{"help"};
    std::istringstream names{std::string(command.name)};
    for (std::string word; names >> word;) words.push_back(word);
    const auto help = run(words);
    CHECK(help.code == 0);
    CHECK_THAT(help.out, Catch::Contains("Example:\n  ") &&
                             Catch::Contains("vouch " + std::string(command.name)) &&
                             Catch::Contains("--format table|json"));
    words.erase(words.begin());
    words.emplace_back("--help");
    CHECK(run(words).out == help.out);
  }
  CHECK(run({}).code == kExitUsage);
  CHECK(run({"--version"}).out == run({"version"}).out);
}

TEST_CASE("each kind of error has its exit code", "[command]") {
  CHECK(exit_code(Errc::not_found) == 66);
  CHECK(exit_code(Errc::invalid) == 65);
  CHECK(exit_code(Errc::denied) == 77);
  CHECK(exit_code(Errc::unavailable) == 69);
  CHECK(exit_code(Errc::other) == 70);
  CHECK(run({"verify", "/nonexistent/x"}).code == 66);
  CHECK(run({"check", "--config", "/nonexistent/x"}).code == 66);
}

TEST_CASE("a message cannot drive the terminal", "[command]") {
  const auto ran = run({"\x1b[2Jx"});

  CHECK(ran.code == kExitUsage);
  CHECK(ran.err.find('\x1b') == std::string::npos);
}

TEST_CASE("prose is broken at blanks and keeps every word", "[rows]") {
  const TerminalStyle style{20, false};

  CHECK(wrapped("one two three\nfour five six", "  ", style) ==
        "  one two three four\n  five six\n");
  CHECK(wrapped("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b", "", style) ==
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb\n");
  CHECK(wrapped("", "  ", style).empty());
  CHECK(indented("a\n\nb", "  ") == "  a\n\n  b\n");
}

}  // namespace vouch::cli
