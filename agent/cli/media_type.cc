// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/media_type.h"

#include <array>
#include <utility>

#include "core/json.h"

namespace vouch::cli {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array<Pair, 4> kByBeginning{{{"%PDF-", "application/pdf"},
                                            {"\x89PNG\r\n\x1a\n", "image/png"},
                                            {"\xff\xd8\xff", "image/jpeg"},
                                            {"<?xml", "application/xml"}}};
constexpr std::array<Pair, 9> kByEnding{
    {{".md", "text/markdown"},
     {".csv", "text/csv"},
     {".html", "text/html"},
     {".json", "application/json"},
     {".yaml", "application/yaml"},
     {".eml", "message/rfc822"},
     {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
     {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
     {".odt", "application/vnd.oasis.opendocument.text"}}};

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
