// Starts: a request of the public header to a command, and the id back.
#include <fmt/format.h>

#include "engine/embed/core.h"
#include "engine/requests/definitions.h"

namespace stele::embed {

void Engine::Core::Start(const StartRequest& request, const std::optional<Value>& input,
                         const std::optional<Value>& variables, const Reply<Started>& reply) {
  TakeUpTypes();
  if (!views_->MayStart(options_.max_view_lag))
    return reply(std::unexpected(
        ToError({ErrorCode::kBackPressure,
                 fmt::format("Expected views that are at most {} records behind the log but found "
                             "more; try again later, or raise max_view_lag",
                             options_.max_view_lag)})));
  const auto definition = requests::FindDefinition(shard_->registry(), request.definition,
                                                   request.version, /*startable=*/true);
  if (!definition.has_value()) return reply(std::unexpected(ToError(definition.error())));
  model::StartInstance start;
  start.definition = (*definition)->id;
  if (input.has_value()) start.input = Payload::FromValue(*input);
  start.variables = ToVariables(variables);
  start.business_key = request.business_key;
  start.idempotency_key = request.idempotency_key;
  start.tags = request.tags;
  start.priority = request.priority;
  start.deadline = TimeUs(request.deadline_us);
  start.paused = request.paused;
  start.trace_parent = request.trace_parent;
  // The answer may come before Start returns, but only as a refusal.
  auto id = std::make_shared<InstanceId>();
  *id = shard_->Start(std::move(start), asker(),
                      [id, reply](const stele::Result<Position>& answer) {
                        if (!answer.has_value())
                          return reply(std::unexpected(ToError(answer.error())));
                        reply(Started{{answer->value}, id->value});
                      },
                      {.unique_business_key = request.unique});
}

Result<Started> Engine::Start(StartRequest request) {
  const auto input = ParseObject(request.input, "input");
  if (!input.has_value()) return std::unexpected(input.error());
  const auto variables = ParseObject(request.variables, "variables");
  if (!variables.has_value()) return std::unexpected(variables.error());
  return core_->Ask<Started>(
      [&](const Core::Reply<Started>& reply) { core_->Start(request, *input, *variables, reply); });
}

void Engine::StartAsync(StartRequest request, std::function<void(Result<Started>)> started) {
  auto input = ParseObject(request.input, "input");
  auto variables = ParseObject(request.variables, "variables");
  // The engine does not go before it has answered.
  const auto visit = std::make_shared<Visit>(*core_->door());
  core_->post().Post([core = core_.get(), request = std::move(request), input = std::move(input),
                      variables = std::move(variables), started = std::move(started), visit] {
    const auto reply = [core, started, visit](const Result<Started>& result) {
      try {
        started(result);
      } catch (...) {
        core->Tell("Expected the answer to a start to return but it threw");
      }
    };
    if (!visit->entered()) return reply(RefuseStopped());
    if (!input.has_value()) return reply(std::unexpected(input.error()));
    if (!variables.has_value()) return reply(std::unexpected(variables.error()));
    core->Start(request, *input, *variables, reply);
  });
}

Result<Instance> Engine::Wait(uint64_t instance, std::chrono::microseconds timeout) {
  return core_->Wait(instance, timeout);
}

Result<Instance> Engine::GetStatus(uint64_t instance) {
  return core_->Ask<Instance>([core = core_.get(), instance](const Core::Reply<Instance>& reply) {
    core->Show(InstanceId(instance), reply);
  });
}

}  // namespace stele::embed
