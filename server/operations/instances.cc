#include "server/operations/instances.h"

#include <fmt/format.h>

#include "engine/requests/definitions.h"
#include "projections/pace.h"

namespace stele::server {

namespace {

// Asked again when so many records were written: much less than views may be behind.
constexpr uint64_t kPaceEveryRecords = 256;

bool LacksWorker(const ServedEngine& engine, std::string_view type) {
  return tasks::WorkerPool::Serves(engine.tasks->Find(type)) && !engine.workers->MayRun(type);
}

}  // namespace

Instances::Instances(Desk& desk) : desk_(desk) {
  lacks_worker_ = [&engine = desk.engine()](const definition::Step& step) {
    return LacksWorker(engine, step.task_type);
  };
}

std::vector<std::string> Instances::LackingWorkers() const {
  std::vector<std::string> lacking;
  for (const std::string& type : desk_.engine().tasks->types())
    if (LacksWorker(desk_.engine(), type)) lacking.push_back(type);
  return lacking;
}

Status Instances::RefuseLag() {
  const Position next = desk_.store().NextPosition(desk_.engine().shard_id);
  if (next < ask_pace_at_) return {};
  if (projections::Pace(*desk_.engine().projector).MayStart()) {
    ask_pace_at_ = next.Plus(kPaceEveryRecords);
    return {};
  }
  return Fail(ErrorCode::kBackPressure,
              fmt::format("Expected views that are at most {} records behind the log but found "
                          "more; try again later",
                          projections::kMaxViewLagRecords));
}

Promised<Started> Instances::Start(const Caller& caller, StartRequest request) {
  if (const Status allowed = desk_.Allow(caller, Permission::kStart, request.definition);
      !allowed.has_value())
    return Result<Started>(std::unexpected(allowed.error()));
  if (const Status fits = RefuseLag(); !fits.has_value())
    return Result<Started>(std::unexpected(fits.error()));
  const auto definition = desk_.FindDefinition(caller, request.definition, request.version, true);
  if (!definition.has_value()) return Result<Started>(std::unexpected(definition.error()));
  model::StartInstance start;
  start.definition = (*definition)->id;
  start.input = std::move(request.input);
  start.variables = std::move(request.variables);
  start.business_key = std::move(request.business_key);
  start.idempotency_key = std::move(request.idempotency_key);
  start.tags = std::move(request.tags);
  start.priority = request.priority;
  start.deadline = request.deadline;
  start.paused = request.paused;
  start.trace_parent = std::move(request.trace_parent);
  auto answering = desk_.Await();
  const InstanceId last = desk_.shard().last_instance();
  const InstanceId id =
      desk_.shard().Start(std::move(start), AskerOf(caller), std::move(answering.answer),
                          {.unique_business_key = request.unique});
  return answering.promise.then([id, last](Result<Written> written) -> Result<Started> {
    if (!written.has_value()) return std::unexpected(written.error());
    return Started{written->position, id, id <= last};
  });
}

Result<const model::Instance*> Instances::Find(InstanceId instance) {
  if (!instance)
    return Fail(ErrorCode::kUnknownInstance, "Expected an instance's number but found 0");
  return desk_.shard().Find(instance);
}

Desk::Target Instances::TargetOf(InstanceId instance) {
  const auto found = Find(instance);
  if (!found.has_value()) return {{}, instance};
  return {desk_.registry().Find((*found)->definition)->name, instance};
}

Result<std::string> Instances::Allow(const Caller& caller, Permission permission,
                                     InstanceId instance) {
  // Who may do it with no definition at all is not told whether there is such an instance.
  const auto found = Find(instance);
  if (!found.has_value()) {
    STELE_RETURN_IF_ERROR(desk_.Allow(caller, permission, {}, instance));
    return std::unexpected(found.error());
  }
  const std::string& name = desk_.registry().Find((*found)->definition)->name;
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, permission, name, instance));
  return name;
}

Promised<Written> Instances::Send(const Caller& caller, Permission permission, InstanceId instance,
                                  const requests::MakeCommand& make) {
  const auto refuse = [](const Error& error) { return Result<Written>(std::unexpected(error)); };
  if (const auto allowed = Allow(caller, permission, instance); !allowed.has_value())
    return refuse(allowed.error());
  const auto found = Find(instance);
  if (!found.has_value()) return refuse(found.error());
  auto command = make(**found, *desk_.registry().Find((*found)->definition)->definition);
  if (!command.has_value()) return refuse(command.error());
  auto answering = desk_.Await();
  desk_.shard().Send(instance, *std::move(command), AskerOf(caller), std::move(answering.answer));
  return kj::mv(answering.promise);
}

Promised<InstanceStatus> Instances::Show(InstanceId instance) {
  const auto found = Find(instance);
  if (!found.has_value()) return Result<InstanceStatus>(std::unexpected(found.error()));
  auto answering = desk_.Await();
  auto status = StatusOf(**found, *desk_.registry().Find((*found)->definition), lacks_worker_);
  desk_.shard().WhenDurable(std::move(answering.answer));
  return answering.promise.then(
      [status = std::move(status)](Result<Written> durable) mutable -> Result<InstanceStatus> {
        if (!durable.has_value()) return std::unexpected(durable.error());
        return std::move(status);
      });
}

Promised<InstanceStatus> Instances::Get(const Caller& caller, InstanceId instance) {
  if (const auto allowed = Allow(caller, Permission::kRead, instance); !allowed.has_value())
    return Result<InstanceStatus>(std::unexpected(allowed.error()));
  return Show(instance);
}

Promised<InstanceStatus> Instances::Ended(InstanceId instance) {
  const auto [place, is_new] = ends_.try_emplace(instance, nullptr);
  if (is_new) {
    auto ended = kj::newPromiseAndFulfiller<Shared>();
    place->second = ended.promise.fork();
    const auto fulfiller =
        std::make_shared<kj::Own<kj::PromiseFulfiller<Shared>>>(kj::mv(ended.fulfiller));
    desk_.shard().WatchEnd(instance, [this, fulfiller](const model::Instance& state) {
      ends_.erase(state.id);
      (*fulfiller)
          ->fulfill(std::make_shared<const InstanceStatus>(
              StatusOf(state, *desk_.registry().Find(state.definition), lacks_worker_)));
    });
  }
  return place->second.addBranch().then(
      [](const Shared& ended) { return Result<InstanceStatus>(*ended); });
}

Promised<InstanceStatus> Instances::Wait(const Caller& caller, InstanceId instance,
                                         int64_t patience_us) {
  if (const auto allowed = Allow(caller, Permission::kRead, instance); !allowed.has_value())
    return Result<InstanceStatus>(std::unexpected(allowed.error()));
  const auto found = Find(instance);
  if (!found.has_value()) return Result<InstanceStatus>(std::unexpected(found.error()));
  if (patience_us <= 0 || model::HasEnded((*found)->status)) return Show(instance);
  // As it is, when it takes longer, or the server closes.
  auto late = desk_.timer().afterDelay(patience_us * kj::MICROSECONDS);
  return Ended(instance).exclusiveJoin(
      late.exclusiveJoin(desk_.WhenClosed()).then([this, instance] { return Show(instance); }));
}

Promised<Written> Instances::Publish(const Caller& caller, model::MessagePublished message) {
  if (const Status allowed = desk_.Allow(caller, Permission::kSignal); !allowed.has_value())
    return Result<Written>(std::unexpected(allowed.error()));
  auto answering = desk_.Await();
  desk_.shard().Publish(std::move(message), AskerOf(caller), std::move(answering.answer));
  return kj::mv(answering.promise);
}

}  // namespace stele::server
