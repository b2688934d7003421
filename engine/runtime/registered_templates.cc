#include "engine/runtime/registered_templates.h"

#include "engine/definition/shared_templates.h"

namespace stele::runtime {

std::optional<definition::TemplateText> RegisteredTemplates::Find(std::string_view name) const {
  const auto shared = definition::ParseSharedTemplateName(name);
  if (!shared) return {};
  const model::RegisteredDefinition* known =
      shared->version == 0 ? registry_.Startable(shared->workflow)
                           : registry_.Version(shared->workflow, shared->version);
  if (known == nullptr) return {};
  return definition::StepTemplateOf(known->source, definition::SyntaxOf(known->file, known->source),
                                    *shared);
}

}  // namespace stele::runtime
