#include "engine/requests/try_command.h"

#include <vector>

#include "engine/decide/decide.h"
#include "engine/model/snapshot.h"
#include "engine/runtime/definition_state.h"

namespace stele::requests {

std::optional<Rejection> TryCommand(const model::Instance& instance,
                                    const model::Registry& registry, TimeUs now,
                                    const model::Command& command) {
  // Deciding applies what it decides; payloads of the copy are its own.
  Result<model::Instance> copy = model::DecodeSnapshot(model::EncodeSnapshot(instance));
  if (!copy.has_value()) return copy.error();
  const auto target = runtime::TargetOf(registry, command);
  if (!target.has_value()) return target.error();
  const decide::Context context{
      *registry.Find(instance.definition)->definition, {instance.position.Next(), now}, *target};
  std::vector<model::Event> events;
  decide::Decider decider;
  return decider.Decide(*copy, command, context, events);
}

}  // namespace stele::requests
