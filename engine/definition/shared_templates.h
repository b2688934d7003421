// Step templates that stand in another file's `templates`: a step takes one with
// `use: WORKFLOW/TEMPLATE`, or with `use: WORKFLOW@VERSION/TEMPLATE` from that version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/definition/templates.h"

namespace stele::definition {

struct SharedTemplateName {
  std::string workflow;
  uint32_t version = 0;  // 0: whichever new instances start with
  std::string step;
  bool operator==(const SharedTemplateName&) const = default;
};

// Nothing when the name is none of another file's.
std::optional<SharedTemplateName> ParseSharedTemplateName(std::string_view name);

// The template `name.step` of a workflow's text; nothing when the text has none of that name. Where
// it uses others of the same text, those are named as in `name`.
std::optional<TemplateText> StepTemplateOf(std::string_view text, Syntax syntax,
                                           const SharedTemplateName& name);

}  // namespace stele::definition
