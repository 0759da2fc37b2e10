// SPDX-License-Identifier: Apache-2.0
// Templates of what people read (docs/alerts.md): text with {name}; {{ and }} are braces. A line
// whose names are all empty is left out. Nothing of a value is ever read as a template.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch::alerts {

enum class TemplateKind { subject, condition };

inline constexpr std::size_t kTemplateBytesMax = 4096;

class Template {
 public:
  // Errc::invalid names the unknown name, or the brace that is not closed.
  static Result<Template> parse(std::string_view text, TemplateKind kind);
  // The template of docs/alerts.md, for a channel that has none of its own.
  static const Template& standard(TemplateKind kind);

  using Lookup = std::function<std::string(std::string_view name)>;
  [[nodiscard]] std::string render(const Lookup& value_of) const;

 private:
  struct Part {
    std::string text;
    bool is_name = false;
  };
  using Line = std::vector<Part>;
  std::vector<Line> lines_;
};

}  // namespace vouch::alerts
