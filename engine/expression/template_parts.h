// A string of a template, cut into literal text, expressions and secrets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/expression/program.h"

namespace stele::expression {

// One of the three.
struct TemplatePart {
  std::string text;                        // literal, escapes resolved
  std::shared_ptr<const Program> program;  // null: none
  std::string secret;                      // the name; empty: none
};

struct TemplateString {
  // Empty when the string is literal as it stands, without so much as an escape.
  std::vector<TemplatePart> parts;
};

Result<TemplateString> SplitTemplate(std::string_view text);

}  // namespace stele::expression
