// What the log itself is asked: histories, subscriptions.
#include <fmt/format.h>

#include "base/json.h"
#include "engine/embed/core.h"
#include "engine/model/beginning.h"
#include "replay/history.h"
#include "replay/to_json.h"

namespace stele::embed {

Result<std::string> Engine::History(uint64_t instance) {
  const Result<std::vector<Core::Version>> versions = core_->Versions();
  if (!versions.has_value()) return std::unexpected(versions.error());
  const Visit visit(*core_->door());
  if (!visit.entered()) return RefuseStopped();
  std::string lines;
  const definition::Definition* definition = nullptr;
  const auto name_by = [&](DefinitionId id) {
    definition =
        id.value <= versions->size() ? (*versions)[id.value - 1].definition.get() : nullptr;
  };
  const stele::Status read = replay::ReadHistory(
      core_->store(), ShardId(), InstanceId(instance), [&](const replay::HistoryEntry& entry) {
        if (const DefinitionId runs = model::DefinitionBehind(entry.event)) name_by(runs);
        lines += ToJson(Value(replay::ToJson(entry, definition))) + "\n";
      });
  if (!read.has_value()) return std::unexpected(ToError(read.error()));
  return lines;
}

Result<uint64_t> Engine::Subscribe(uint64_t instance, std::function<void(const Event&)> receive) {
  return Subscribe(Interest{.instance = instance}, std::move(receive));
}

Result<uint64_t> Engine::Subscribe(const Interest& interest,
                                   std::function<void(const Event&)> receive) {
  if (!receive)
    return Refuse(ErrorCode::kInvalidInput, "Expected a function to call but found none");
  return core_->Ask<uint64_t>([&, core = core_.get()](const Core::Reply<uint64_t>& reply) {
    const InstanceId id(interest.instance);
    if (id)
      if (const auto found = core->shard().Find(id); !found.has_value())
        return reply(std::unexpected(ToError(found.error())));
    const Position next = core->store().NextPosition(ShardId());
    if (interest.from > next.value)
      return reply(
          Refuse(ErrorCode::kInvalidInput,
                 fmt::format("Expected a position of the log, or the next one, {}, but found {}",
                             next.value, interest.from)));
    const uint64_t number = core->feed().Subscribe(
        id, interest.from == 0 ? next : Position(interest.from), std::move(receive));
    // What was decided before is not told of; it may not be durable yet.
    core->shard().WhenDurable([core](const stele::Result<Position>&) { core->feed().WakeAll(); });
    reply(number);
  });
}

Status Engine::Unsubscribe(uint64_t subscription) {
  const bool waits = !core_->OnLoop() && !core_->OnOwnThread();
  const Visit visit(*core_->door());
  // One that is told its last while the engine stops may leave, too.
  if (!visit.entered() && !core_->OnOwnThread()) return RefuseStopped();
  if (core_->feed().Unsubscribe(subscription, waits)) return {};
  return Refuse(ErrorCode::kInvalidInput,
                fmt::format("Expected a subscription but found no {}", subscription));
}

}  // namespace stele::embed
