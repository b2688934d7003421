#include "server/operations/receivers.h"

#include <utility>

#include "engine/model/codec.h"
#include "eventstore/for_each_record.h"
#include "server/operations/limits.h"
#include "server/operations/taken.h"

namespace stele::server {

namespace {

using Receivers = Result<std::vector<InstanceId>>;

Receivers Find(const eventstore::EventStore& store, ShardId shard, Position message) {
  std::vector<InstanceId> found;
  size_t looked_at = 0;
  const auto take = [&](const eventstore::RecordView& record) -> Result<bool> {
    STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
      const auto* received = std::get_if<model::MessageCorrelated>(&event);
      if (received != nullptr && received->message_position == message)
        found.push_back(record.header.instance);
    }));
    return ++looked_at < kMaxReceiverRecords;
  };
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(store.Read(shard, message), take));
  return found;
}

}  // namespace

Promised<std::vector<InstanceId>> ReceiversOf(Desk& desk, const Caller& caller, Position message) {
  if (const Status allowed = desk.Allow(caller, Permission::kRead); !allowed.has_value())
    return Receivers(std::unexpected(allowed.error()));
  // What the message led to is in the inbox.
  return WhenTaken(desk)
      .then([&desk, message](Status durable) -> Promised<std::vector<InstanceId>> {
        if (!durable.has_value()) return Receivers(std::unexpected(durable.error()));
        return desk.Read([store = &desk.store(), shard = desk.engine().shard_id, message] {
          return Find(*store, shard, message);
        });
      })
      .then([&desk, caller](Receivers found) -> Receivers {
        if (!found.has_value()) return found;
        for (const InstanceId instance : *found) {
          const auto state = desk.shard().Find(instance);
          if (!state.has_value()) return std::unexpected(state.error());
          const auto& name = desk.registry().Find((*state)->definition)->name;
          STELE_RETURN_IF_ERROR(desk.Allow(caller, Permission::kRead, name));
        }
        return found;
      });
}

}  // namespace stele::server
