// What operators and people do to instances at a server.
#include "cli/operation.h"

#include <algorithm>

#include "cli/commands.h"
#include "cli/remote/asker.h"
#include "cli/remote/command.h"
#include "cli/remote/following.h"
#include "engine/requests/try_command.h"

namespace stele::cli {

namespace {

class RemoteOperation {
 public:
  RemoteOperation(Remote& server, const Asker& asker, const Arguments& arguments,
                  const Terminal& terminal, const OperationPlan& plan)
      : server_(server),
        asker_(asker),
        arguments_(arguments),
        terminal_(terminal),
        plan_(plan),
        goes_on_(plan.goes_on && !arguments.Has("--no-wait")),
        left_(plan.times),
        following_(server, terminal, arguments) {}

  int Run(const std::vector<InstanceId>& instances, const MakeFor& make_for) {
    const auto registry = following_.Registry();
    if (!registry.has_value()) return Refuse(terminal_, registry.error());
    const MakeCommand make =
        make_for({.actor = asker_.name, .groups = asker_.groups, .registry = **registry});
    if (plan_.ends) following_.ExpectCancelled();
    if (instances.size() > 1) following_.SayWhich();
    for (const InstanceId id : instances) Send(id, make);
    if (accepted_.empty()) return code_;
    if (!goes_on_) {
      const int reported = ReportRecorded();
      return code_ == kExitDone ? reported : code_;
    }
    if (left_ > 1)
      following_.WhenStill([&, id = instances.front()] { return SendAgain(id, make); });
    following_.Run();
    const int reported = following_.Report(instances.size() == 1);
    return code_ == kExitDone ? reported : code_;
  }

 private:
  bool Send(InstanceId id, const MakeCommand& make) {
    const auto refuse = [&](const Error& error) {
      code_ = std::max(code_, Refuse(terminal_, error));
      return false;
    };
    const auto now = following_.Look(id);
    if (!now.has_value()) return refuse(now.error());
    const Result<model::Command> command = make(*now->instance, *now->definition);
    if (!command.has_value()) return refuse(command.error());
    const model::Registry& registry = **following_.Registry();
    if (const auto rejection =
            requests::TryCommand(*now->instance, registry, clock_.Now(), *command))
      return refuse(*rejection);
    const auto sent = SendCommand(server_,
                                  {.instance = *now->instance,
                                   .definition = *now->definition,
                                   .registry = registry,
                                   .asker = asker_,
                                   .comment = plan_.comment,
                                   .as_operator = arguments_.Has("--as-operator")},
                                  *command);
    if (!sent.has_value()) return refuse(sent.error());
    if (std::ranges::find(accepted_, id) == accepted_.end()) accepted_.push_back(id);
    if (!goes_on_) return true;
    following_.Follow(id);
    if (plan_.ends)
      for (const model::StepRun& run : now->instance->runs)
        if (run.child) following_.Carry(run.child);
    return true;
  }

  bool SendAgain(InstanceId id, const MakeCommand& make) {
    if (--left_ <= 0 || code_ != kExitDone) return false;
    const auto now = following_.Look(id);
    return now.has_value() && plan_.again(*now->instance) && Send(id, make);
  }

  // What the instances are now, of commands that only record.
  int ReportRecorded() {
    std::ranges::sort(accepted_);
    std::vector<Stand> stands;
    for (const InstanceId id : accepted_) {
      const auto now = following_.Look(id);
      if (!now.has_value()) return Refuse(terminal_, now.error());
      stands.push_back(StandOf(*now->instance, **following_.Registry(), following_.NeedsWorker()));
    }
    return ReportStands(arguments_, terminal_, stands, plan_.done);
  }

  Remote& server_;
  const Asker& asker_;
  const Arguments& arguments_;
  const Terminal& terminal_;
  const OperationPlan& plan_;
  const bool goes_on_;  // and is waited for
  int64_t left_;
  SystemClock clock_;
  Following following_;
  std::vector<InstanceId> accepted_;
  int code_ = kExitDone;
};

}  // namespace

int OperateAtServer(const Arguments& arguments, const Terminal& terminal,
                    const std::vector<InstanceId>& instances, const MakeFor& make,
                    const OperationPlan& plan) {
  if (const Status fits = CheckAtServer(arguments, plan.is_of_person); !fits.has_value())
    return Refuse(terminal, fits.error());
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return Refuse(terminal, server.error());
  const auto asker = AskerOf(arguments, **server);
  if (!asker.has_value()) return Refuse(terminal, asker.error());
  return RemoteOperation(**server, *asker, arguments, terminal, plan).Run(instances, make);
}

}  // namespace stele::cli
