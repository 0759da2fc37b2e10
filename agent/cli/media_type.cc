// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/media_type.h"

#include <array>
#include <utility>

#include "core/json.h"

namespace vouch::cli {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;
using namespace std::string_view_literals;

constexpr std::array<Pair, 4> kByBeginning{{{"%PDF-"sv, "application/pdf"sv},
                                            {"\x89PNG\r\n\x1a\n"sv, "image/png"sv},
                                            {"\xff\xd8\xff"sv, "image/jpeg"sv},
                                            {"<?xml"sv, "application/xml"sv}}};
constexpr std::array<Pair, 9> kByEnding{
    {{".md"sv, "text/markdown"sv},
     {".csv"sv, "text/csv"sv},
     {".html"sv, "text/html"sv},
     {".json"sv, "application/json"sv},
     {".yaml"sv, "application/yaml"sv},
     {".eml"sv, "message/rfc822"sv},
     {".docx"sv, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"sv},
     {".xlsx"sv, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"sv},
     {".odt"sv, "application/vnd.oasis.opendocument.text"sv}}};

}  // namespace

std::string_view media_type_of(std::string_view name, std::string_view bytes) {
  for (const auto& [beginning, type] : kByBeginning) {
    if (bytes.starts_with(beginning)) return type;
  }
  for (const auto& [ending, type] : kByEnding) {
    if (name.ends_with(ending)) return type;
  }
  return json::is_valid_utf8(bytes) ? "text/plain" : "application/octet-stream";
}

}  // namespace vouch::cli
