#include "server/operations/taken.h"

#include <utility>

#include "engine/model/command.h"

namespace stele::server {

Promised<void> WhenTaken(Desk& desk) {
  auto answering = desk.Await();
  // The inbox is in order: what is for no instance is refused behind all that came before it, once
  // that is durable.
  desk.shard().Send(InstanceId(), model::AdmitInstance{}, "", std::move(answering.answer));
  return answering.promise.then([](Result<Written> refused) -> Status {
    if (refused.has_value() || refused.error().code == ErrorCode::kUnknownInstance) return {};
    return std::unexpected(refused.error());
  });
}

}  // namespace stele::server
