// The registry: definitions that were registered.
#include "engine/apply/apply.h"
#include "engine/definition/canonical.h"

namespace stele::apply {

void On(Instance& instance, const model::DefinitionRegistered& event, const RecordContext&) {
  CHECK(false, "instance {} holds the registration of \"{}\"", instance.id.value, event.name);
}

void Apply(model::Registry& registry, const model::Event& event, const RecordContext& record) {
  const auto* registered = std::get_if<model::DefinitionRegistered>(&event);
  CHECK(registered != nullptr, "the registry holds an event of kind {}", event.index());
  CHECK(registered->definition.value == registry.definitions.size() + 1,
        "definition {} follows {} others", registered->definition.value,
        registry.definitions.size());
  definition::LoadResult loaded = definition::ReadCanonical(registered->canonical);
  CHECK(loaded.has_value(), "definition {} cannot be read: {}", registered->definition.value,
        loaded.error().front().message);
  registry.definitions.push_back({registered->definition, registered->name, registered->version,
                                  registered->canonical, registered->source, registered->file,
                                  record.time, *std::move(loaded)});
  registry.seq = registry.seq.Next();
  registry.position = record.position;
}

}  // namespace stele::apply
