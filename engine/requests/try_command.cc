#include "engine/requests/try_command.h"

#include <variant>
#include <vector>

#include "engine/decide/decide.h"
#include "engine/model/snapshot.h"

namespace stele::requests {

std::optional<Rejection> TryCommand(const model::Instance& instance,
                                    const model::Registry& registry, TimeUs now,
                                    const model::Command& command) {
  // Deciding applies what it decides; payloads of the copy are its own.
  Result<model::Instance> copy = model::DecodeSnapshot(model::EncodeSnapshot(instance));
  if (!copy.has_value()) return copy.error();
  const auto* migrate = std::get_if<model::MigrateInstance>(&command);
  const auto* target = migrate == nullptr ? nullptr : registry.Find(migrate->definition);
  const decide::Context context{*registry.Find(instance.definition)->definition,
                                {instance.position.Next(), now},
                                target == nullptr ? nullptr : target->definition.get()};
  std::vector<model::Event> events;
  decide::Decider decider;
  return decider.Decide(*copy, command, context, events);
}

}  // namespace stele::requests
