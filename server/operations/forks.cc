#include "server/operations/forks.h"

#include <optional>
#include <utility>

#include "engine/requests/definitions.h"

namespace stele::server {

Promised<Forked> Forks::Fork(const Caller& caller, InstanceId origin, ForkRequest request) {
  const auto refuse = [](const Error& error) { return Result<Forked>(std::unexpected(error)); };
  const auto name = instances_.Allow(caller, Permission::kOperate, origin);
  if (!name.has_value()) return refuse(name.error());
  if (const Status allowed = desk_.Allow(caller, Permission::kStart, *name, origin);
      !allowed.has_value())
    return refuse(allowed.error());
  const auto point = std::make_shared<std::optional<requests::ForkPoint>>();
  const auto read = [point, &store = desk_.store(), shard = desk_.engine().shard_id,
                     at = request.at](replay::TimeMachine& machine) -> Result<Object> {
    auto found = requests::ReadForkPoint(machine, store, shard, at);
    if (!found.has_value()) return std::unexpected(found.error());
    *point = *std::move(found);
    return Object();
  };
  return histories_.machines()
      .With(origin, /*long_question=*/false, read)
      .then([this, point, caller, request = std::move(request)](
                const Result<Object>& found) mutable -> Promised<Forked> {
        if (!found.has_value()) return Result<Forked>(std::unexpected(found.error()));
        return ForkAt(caller, **point, std::move(request));
      });
}

Promised<Forked> Forks::ForkAt(const Caller& caller, const requests::ForkPoint& point,
                               ForkRequest request) {
  const auto refuse = [](const Error& error) { return Result<Forked>(std::unexpected(error)); };
  auto fork = requests::ForkAt(point);
  if (!fork.has_value()) return refuse(fork.error());
  if (request.version != 0) {
    const std::string& name = desk_.registry().Find(point.definition)->name;
    const auto target = desk_.FindDefinition(caller, name, request.version, /*startable=*/false);
    if (!target.has_value()) return refuse(target.error());
    if ((*target)->id != point.definition) fork->definition = (*target)->id;
  }
  fork->variables = std::move(request.variables);
  fork->plan = fork->definition ? std::move(request.plan) : std::string();
  fork->business_key = std::move(request.business_key);
  fork->deadline = request.deadline;
  fork->idempotency_key = std::move(request.idempotency_key);
  fork->paused = request.paused;
  fork->ends_origin = request.resets;
  fork->reason = std::move(request.reason);
  fork->trace_parent = std::move(request.trace_parent);
  requests::KeepForReset(point, *fork);
  auto answering = desk_.Await();
  const InstanceId last = desk_.shard().last_instance();
  const InstanceId id =
      desk_.shard().Fork(*std::move(fork), AskerOf(caller), std::move(answering.answer),
                         {.unique_business_key = request.unique});
  return answering.promise.then(
      [id, last, at = point.seq](Result<Written> written) -> Result<Forked> {
        if (!written.has_value()) return std::unexpected(written.error());
        return Forked{{written->position, id, id <= last}, at};
      });
}

}  // namespace stele::server
