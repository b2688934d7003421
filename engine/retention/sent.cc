#include "engine/retention/sent.h"

#include <functional>
#include <set>

#include "engine/model/codec.h"
#include "engine/runtime/board.h"
#include "engine/triggers/occurrences.h"
#include "eventstore/for_each_record.h"

namespace stele::retention {

namespace {

using eventstore::EventStore;

// What instances say of what they were sent.
struct Traces {
  std::set<Position> met;  // records that published messages which they met, or that started them
  std::set<std::string> started;  // their idempotency keys
};

// Messages that started them come behind the trigger.
void AddMessages(const model::TriggerRegistered& trigger, Traces& traces) {
  for (const std::string& key : traces.started)
    if (const auto firing = runtime::FiringOf(key);
        firing.has_value() && firing->first == trigger.trigger)
      if (const auto message = triggers::MessageOf(trigger.kind, firing->second))
        traces.met.insert(*message);
}

Status ForEachEvent(const EventStore& log, ShardId shard, InstanceId instance,
                    const std::function<void(const model::Event&, Position)>& visit) {
  return eventstore::ForEachRecord(
      log.ReadInstance(shard, instance, Seq(1)), [&](const eventstore::RecordView& record) {
        return model::DecodeEach(record.body,
                                 [&](const model::Event& event) { visit(event, record.position); });
      });
}

bool WasSent(const model::Event& event, Position position, const Traces& traces,
             const std::string& key) {
  if (const auto* message = std::get_if<model::MessagePublished>(&event))
    return traces.met.contains(position) || (!key.empty() && message->key == key);
  if (const auto* fired = std::get_if<model::TriggerFired>(&event))
    return traces.started.contains(runtime::FiringKey(fired->trigger, fired->key));
  return false;
}

}  // namespace

Result<Sent> FindSent(const EventStore& log, ShardId shard, std::span<const InstanceId> instances,
                      const std::string& key) {
  Sent sent;
  Traces traces;
  for (const InstanceId instance : instances) {
    const Status read =
        ForEachEvent(log, shard, instance, [&](const model::Event& event, Position position) {
          if (const auto* met = std::get_if<model::MessageCorrelated>(&event)) {
            if (met->message_position) traces.met.insert(met->message_position);
          } else if (const auto* started = std::get_if<model::InstanceStarted>(&event)) {
            if (!started->idempotency_key.empty()) traces.started.insert(started->idempotency_key);
          } else if (const auto* forked = std::get_if<model::InstanceForked>(&event)) {
            if (!forked->idempotency_key.empty()) traces.started.insert(forked->idempotency_key);
          } else if (std::holds_alternative<model::MessagePublished>(event)) {
            sent.published.push_back(position);
          }
        });
    if (!read.has_value() && read.error().code != ErrorCode::kInstanceErased)
      return std::unexpected(read.error());
  }
  if (traces.met.empty() && traces.started.empty() && key.empty()) return sent;
  STELE_RETURN_IF_ERROR(
      ForEachEvent(log, shard, InstanceId(), [&](const model::Event& event, Position position) {
        if (const auto* trigger = std::get_if<model::TriggerRegistered>(&event))
          AddMessages(*trigger, traces);
        if (!WasSent(event, position, traces, key)) return;
        sent.registry.push_back(position);
        if (std::holds_alternative<model::MessagePublished>(event))
          sent.published.push_back(position);
      }));
  return sent;
}

}  // namespace stele::retention
