// The registry: definitions, and how they are doing.
#include "engine/apply/apply.h"
#include "engine/apply/registry.h"
#include "engine/definition/canonical.h"

namespace stele::apply {

namespace {

struct RegistryApplier {
  model::Registry& registry;
  const RecordContext& record;

  template <class Event>
    requires requires(model::Registry& r, const Event& e, const RecordContext& c) { On(r, e, c); }
  void operator()(const Event& event) const {
    On(registry, event, record);
  }
  // A message that nobody but the shard publishes has no instance; the shard keeps it.
  void operator()(const model::MessagePublished&) const {}
  template <class Event>
  void operator()(const Event&) const {
    CHECK(false, "the registry holds an event of an instance");
  }
};

}  // namespace

void Apply(model::Registry& registry, const model::Event& event, const RecordContext& record) {
  std::visit(RegistryApplier{registry, record}, event);
  registry.seq = registry.seq.Next();
  registry.position = record.position;
}

void On(model::Registry& registry, const model::DefinitionRegistered& event,
        const RecordContext& record) {
  CHECK(event.definition.value == registry.definitions.size() + 1,
        "definition {} follows {} others", event.definition.value, registry.definitions.size());
  definition::LoadResult loaded = definition::ReadCanonical(event.canonical);
  CHECK(loaded.has_value(), "definition {} cannot be read: {}", event.definition.value,
        loaded.error().front().message);
  registry.definitions.push_back({event.definition, event.name, event.version, event.canonical,
                                  event.source, event.file, record.time, *std::move(loaded)});
}

void On(model::Registry& registry, const model::DefinitionStateChanged& event,
        const RecordContext&) {
  const std::optional<model::DefinitionState> state = model::FindDefinitionState(event.state);
  CHECK(event.definition && event.definition.value <= registry.definitions.size() &&
            state.has_value(),
        "definition {} becomes \"{}\"", event.definition.value, event.state);
  model::RegisteredDefinition& definition = registry.definitions[event.definition.value - 1];
  definition.state = *state;
  definition.reason = event.reason;
}

// Nothing comes of it.
void On(model::Registry&, const model::AccessDenied&, const RecordContext&) {}

void On(model::Registry& registry, const model::AlertChanged& event, const RecordContext& record) {
  if (event.firing) {
    registry.alerts[event.rule] = {.since = record.time, .document = event.document};
  } else {
    registry.alerts.erase(event.rule);
  }
}

void On(model::Registry& registry, const model::SettingChanged& event, const RecordContext&) {
  if (event.document.empty()) {
    registry.settings.erase(event.name);
  } else {
    registry.settings[event.name] = event.document;
  }
}

}  // namespace stele::apply
