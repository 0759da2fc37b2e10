// SPDX-License-Identifier: Apache-2.0
#include "collectors/command/output.h"

#include <catch2/catch.hpp>

namespace vouch::command {
namespace {

sdk::DeclaredTable pools() {
  sdk::DeclaredTable table;
  sdk::DeclaredColumn name;
  name.name = "name";
  name.is_key = true;
  sdk::DeclaredColumn size;
  size.name = "size";
  size.type = sdk::Type::integer;
  size.null_means = "not known";
  table.columns = {name, size};
  REQUIRE(sdk::resolve_pointers(table));
  return table;
}

struct Got {
  std::vector<std::string> rows;  // "name=size"
  std::vector<std::string> gaps;  // "line: why"
  std::string error;
};

Got read(OutputForm form, std::string_view output) {
  Got got;
  const auto table = pools();
  const auto sink = [&](std::size_t line, const Result<std::vector<sdk::Value>>& values) {
    if (!values) {
      got.gaps.push_back(std::to_string(line) + ": " + values.error().message);
      return;
    }
    const auto* size = std::get_if<std::int64_t>(&(*values)[1]);
    got.rows.push_back(std::get<std::string>((*values)[0]) + "=" +
                       (size == nullptr ? "null" : std::to_string(*size)));
  };
  if (const auto status = read_output(table, form, output, sink); !status) {
    got.error = status.error().message;
  }
  return got;
}

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("JSON lines are rows, and each line that is none is told", "[command]") {
  const auto got =
      read({Format::jsonl}, R"({"name":"a","size":1,"more":[]})"
                            "\n\n[1]\n{\"name\":\"b\"}\n{\"size\":2}\n{\"name\":\"\xff\"}\n"
                            "{\"name\":\"c\",\"size\":\"x\"}\n{\"name\":\"cut");

  CHECK(got.rows == List{"a=1", "b=null"});
  REQUIRE(got.gaps.size() == 5);
  CHECK(got.gaps[0] == "3: is no JSON object");
  CHECK_THAT(got.gaps[1], Catch::Contains("5: column name: its value is missing"));
  CHECK_THAT(got.gaps[2], Catch::StartsWith("6: "));
  CHECK_THAT(got.gaps[3], Catch::Contains("7: column size: expected an integer"));
  CHECK_THAT(got.gaps[4], Catch::StartsWith("8: "));
}

TEST_CASE("tab separated fields are rows by their order", "[command]") {
  const auto got = read({Format::tsv}, "a\t1\nb\t\nc\nd\t2\t3\n\"q\"\t4\n\n\xff\t5\ne\tx\nf\t6");

  CHECK(got.rows == List{"a=1", "b=null", "\"q\"=4", "f=6"});
  REQUIRE(got.gaps.size() == 5);
  CHECK(got.gaps[0] == "3: has 1 fields; 2 are declared");
  CHECK(got.gaps[1] == "4: has 3 fields; 2 are declared");
  CHECK(got.gaps[2] == "6: has 1 fields; 2 are declared");
  CHECK_THAT(got.gaps[3], Catch::Contains("7: column name: expected text in UTF-8"));
  CHECK_THAT(got.gaps[4], Catch::StartsWith("8: column size"));
}

TEST_CASE("quotes of RFC 4180 hold commas, quotes and ends of lines", "[command]") {
  const auto got = read({Format::csv}, "\"a,b\",1\r\n\"c\"\"d\",2\n\"e\nf\",3\ng,\"4\"\r\nh\ni,6");

  CHECK(got.rows == List{"a,b=1", "c\"d=2", "e\nf=3", "g=4", "i=6"});
  CHECK(got.gaps == List{"6: has 1 fields; 2 are declared"});
}

TEST_CASE("after a quote that is not closed nothing can be said", "[command]") {
  CHECK(read({Format::csv}, "a,1\n\"b,2\nc,3\n").error == "line 2: a quote is never closed");
  CHECK(read({Format::csv}, "a,1\n\"b\"x,2\n").error ==
        "line 2: a quoted field goes on after its quote");
}

TEST_CASE("a header must name the declared columns", "[command]") {
  CHECK(read({Format::tsv, true}, "name\tsize\na\t1\n").rows == List{"a=1"});
  CHECK(read({Format::csv, true}, "\"name\",size\r\n").error.empty());
  CHECK_THAT(read({Format::tsv, true}, "size\tname\n1\ta\n").error, Catch::Contains("its header"));
  CHECK_THAT(read({Format::tsv, true}, "name\na\n").error, Catch::Contains("its header"));
  CHECK(read({Format::tsv, true}, "").error == "it has no header");
}

}  // namespace vouch::command
