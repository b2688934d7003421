// An instance: looking at it, waiting for it, and what operators and other systems ask of it.
//
// Thread: the loop's.
#pragma once

#include "schemas/api.capnp.h"
#include "server/rpc/access.h"
#include "server/rpc/given.h"

namespace stele::server::rpc {

class InstanceServer : public api::Instance::Server {
 public:
  InstanceServer(SharedAccess access, InstanceId id) : access_(std::move(access)), id_(id) {}

  // instance.cc: looking
  kj::Promise<void> status(StatusContext context) override;
  kj::Promise<void> wait(WaitContext context) override;
  kj::Promise<void> steps(StepsContext context) override;
  kj::Promise<void> history(HistoryContext context) override;
  kj::Promise<void> logs(LogsContext context) override;
  kj::Promise<void> follow(FollowContext context) override;
  kj::Promise<void> task(TaskContext context) override;
  kj::Promise<void> records(RecordsContext context) override;

  // instance_past.cc: looking back
  kj::Promise<void> stateAt(StateAtContext context) override;
  kj::Promise<void> diff(DiffContext context) override;
  kj::Promise<void> bisect(BisectContext context) override;
  kj::Promise<void> timeline(TimelineContext context) override;

  // instance_commands.cc: changing
  kj::Promise<void> signal(SignalContext context) override;
  kj::Promise<void> pause(PauseContext context) override;
  kj::Promise<void> resume(ResumeContext context) override;
  kj::Promise<void> cancel(CancelContext context) override;
  kj::Promise<void> terminate(TerminateContext context) override;
  kj::Promise<void> retry(RetryContext context) override;
  kj::Promise<void> retryStep(RetryStepContext context) override;
  kj::Promise<void> skipStep(SkipStepContext context) override;
  kj::Promise<void> rollBack(RollBackContext context) override;
  kj::Promise<void> resolveStep(ResolveStepContext context) override;
  kj::Promise<void> setVariables(SetVariablesContext context) override;
  kj::Promise<void> migrate(MigrateContext context) override;
  kj::Promise<void> fork(ForkContext context) override;

 private:
  template <class Context>
  kj::Promise<void> Send(Context context, Permission permission, const Given& given,
                         const requests::MakeCommand& make);

  const SharedAccess access_;
  const InstanceId id_;
};

}  // namespace stele::server::rpc
