// The step templates of registered workflows, for definitions that use them by name
// (engine/definition/shared_templates.h). What is registered with them holds their steps: a later
// version of the template changes nothing that runs.
//
// Thread: the registry's.
#pragma once

#include <optional>
#include <string_view>

#include "engine/definition/templates.h"
#include "engine/model/registry.h"

namespace stele::runtime {

class RegisteredTemplates final : public definition::TemplateSource {
 public:
  // `registry` must outlive it.
  explicit RegisteredTemplates(const model::Registry& registry) : registry_(registry) {}

  // Without a version: of the one that new instances start with. With one: of that, in any state.
  std::optional<definition::TemplateText> Find(std::string_view name) const override;

 private:
  const model::Registry& registry_;
};

}  // namespace stele::runtime
