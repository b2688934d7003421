// What changes an instance: each makes a command of the instance as it is.
#include <fmt/format.h>

#include "base/json.h"
#include "engine/requests/operators.h"
#include "server/rpc/answer.h"
#include "server/rpc/call_meter.h"
#include "server/rpc/instance.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

namespace {

// As requests::Resolve wants it.
Result<std::string> WordOf(api::Resolution resolution) {
  switch (resolution) {
    case api::Resolution::RETRY:
      return "retry";
    case api::Resolution::SKIP:
      return "skip";
    case api::Resolution::FAIL:
      return "fail";
  }
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("resolution: Expected retry, skip or fail but found the number {}",
                          static_cast<int>(resolution)));
}

}  // namespace

template <class Context>
kj::Promise<void> InstanceServer::Send(Context context, Permission permission, const Given& given,
                                       const requests::MakeCommand& make) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(access_->operations().instances.Send(access_->caller(), permission, id_, make),
                [context](const Written& written) mutable {
                  context.getResults().setPosition(written.position.value);
                });
}

kj::Promise<void> InstanceServer::signal(SignalContext context) {
  Given given;
  std::string name = given.Name(context.getParams().getName(), "name");
  Payload payload = given.Json(context.getParams().getPayload(), "payload");
  return Send(context, Permission::kSignal, given,
              requests::Signal(std::move(name), std::move(payload)));
}

kj::Promise<void> InstanceServer::pause(PauseContext context) {
  Given given;
  std::string reason = given.Text(context.getParams().getReason(), "reason");
  return Send(context, Permission::kOperate, given, requests::Pause(std::move(reason)));
}

kj::Promise<void> InstanceServer::resume(ResumeContext context) {
  Given given;
  std::string reason = given.Text(context.getParams().getReason(), "reason");
  return Send(context, Permission::kOperate, given,
              requests::Resume(std::move(reason), context.getParams().getSteps()));
}

kj::Promise<void> InstanceServer::cancel(CancelContext context) {
  Given given;
  std::string reason = given.Text(context.getParams().getReason(), "reason");
  return Send(context, Permission::kOperate, given,
              requests::Cancel(context.getParams().getCompensate(), std::move(reason)));
}

kj::Promise<void> InstanceServer::terminate(TerminateContext context) {
  Given given;
  std::string reason = given.Text(context.getParams().getReason(), "reason");
  return Send(context, Permission::kOperate, given, requests::Terminate(std::move(reason)));
}

kj::Promise<void> InstanceServer::retry(RetryContext context) {
  Given given;
  std::string reason = given.Text(context.getParams().getReason(), "reason");
  return Send(context, Permission::kOperate, given, requests::Retry(std::move(reason)));
}

kj::Promise<void> InstanceServer::retryStep(RetryStepContext context) {
  Given given;
  std::string step = given.Name(context.getParams().getStep(), "step");
  std::string reason = given.Text(context.getParams().getReason(), "reason");
  return Send(context, Permission::kOperate, given,
              requests::RetryStep(std::move(step), std::move(reason)));
}

kj::Promise<void> InstanceServer::skipStep(SkipStepContext context) {
  Given given;
  std::string step = given.Name(context.getParams().getStep(), "step");
  std::string reason = given.Text(context.getParams().getReason(), "reason");
  return Send(context, Permission::kOperate, given,
              requests::SkipStep(std::move(step), std::move(reason)));
}

kj::Promise<void> InstanceServer::rollBack(RollBackContext context) {
  const auto params = context.getParams();
  Given given;
  std::string from = given.Name(params.getFromStep(), "fromStep");
  std::string to = given.Name(params.getToStep(), "toStep");
  std::string reason = given.Text(params.getReason(), "reason");
  return Send(context, Permission::kOperate, given,
              requests::RollBack(std::move(from), std::move(to), std::move(reason)));
}

kj::Promise<void> InstanceServer::resolveStep(ResolveStepContext context) {
  const auto params = context.getParams();
  Given given;
  std::string step = given.Name(params.getStep(), "step");
  std::string reason = given.Text(params.getReason(), "reason");
  const auto word = WordOf(params.getResolution());
  if (!word.has_value()) return Refuse(word.error());
  return Send(context, Permission::kOperate, given,
              requests::Resolve(std::move(step), *word, std::move(reason)));
}

kj::Promise<void> InstanceServer::setVariables(SetVariablesContext context) {
  const auto params = context.getParams();
  Given given;
  std::vector<model::NamedPayload> variables = given.Variables(params.getVariables());
  std::string step = given.Name(params.getStep(), "step");
  std::string reason = given.Text(params.getReason(), "reason");
  return Send(context, Permission::kOperate, given,
              requests::AssignVariables(std::move(variables), std::move(step), std::move(reason)));
}

kj::Promise<void> InstanceServer::migrate(MigrateContext context) {
  const auto params = context.getParams();
  Given given;
  const Payload plan = given.JsonObject(params.getPlan(), "plan");
  std::string reason = given.Text(params.getReason(), "reason");
  return Send(context, Permission::kOperate, given,
              requests::Migrate(access_->operations().desk.registry(), params.getVersion(),
                                std::string(plan.text()), std::move(reason)));
}

kj::Promise<void> InstanceServer::fork(ForkContext context) {
  Given given;
  given.Add(access_->Check());
  ForkRequest request = given.Fork(context.getParams());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(access_->operations().forks.Fork(access_->caller(), id_, std::move(request)),
                [context, access = access_](const Forked& forked) mutable {
                  Show(forked.started, context.getResults().initStarted());
                  context.getResults().setInstance(kj::heap<Measured<InstanceServer>>(
                      access->options().calls, access, forked.started.instance));
                  context.getResults().setAt(forked.at.value);
                });
}

}  // namespace stele::server::rpc
