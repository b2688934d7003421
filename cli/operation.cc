#include "cli/operation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/recorded.h"
#include "cli/remote/server_option.h"
#include "cli/settings.h"
#include "cli/text.h"
#include "cli/waiting_text.h"
#include "engine/requests/try_command.h"
#include "replay/history.h"
#include "replay/to_json.h"

namespace stele::cli {

Operation::Operation(const Arguments& arguments, const Terminal& terminal)
    : arguments_(arguments),
      terminal_(terminal),
      data_(arguments.Get("--data", kDefaultData)),
      session_(engine_, terminal, arguments) {}

Status Operation::Open(bool goes_on) {
  auto asker = WhoAsks(arguments_);
  if (!asker.has_value()) return std::unexpected(asker.error());
  asker_ = *std::move(asker);
  const auto stubs = ParseStubs(arguments_.All("--stub"));
  if (!stubs.has_value()) return std::unexpected(stubs.error());
  STELE_RETURN_IF_ERROR(RequireData(data_));
  STELE_RETURN_IF_ERROR(engine_.Open(data_, false, &session_));
  goes_on_ = goes_on && !arguments_.Has("--no-wait");
  if (!goes_on) return {};
  engine_.AddExecutors(*stubs, ScriptDirectoriesOf(engine_));
  STELE_RETURN_IF_ERROR(
      engine_.AddWorkers(arguments_, /*lasting=*/false,
                         [this](std::string_view sentence) { session_.Note(sentence); }));
  if (goes_on_ && !arguments_.Has("--quiet"))
    for (const std::string& note :
         UnknownTaskTypes(engine_.shard().options(), engine_.tasks().types()))
      session_.Note(note);
  return {};
}

bool Operation::Send(InstanceId id, const MakeCommand& make) {
  const auto refuse = [&](const Error& error) {
    code_ = std::max(code_, Refuse(terminal_, error));
    return false;
  };
  const auto found = engine_.shard().Find(id);
  if (!found.has_value()) return refuse(found.error());
  Result<model::Command> command =
      make(**found, *engine_.shard().registry().Find((*found)->definition)->definition);
  if (!command.has_value()) return refuse(command.error());
  if (const auto rejection = requests::TryCommand(**found, engine_.shard().registry(),
                                                  engine_.clock().Now(), *command))
    return refuse(*rejection);
  std::vector<InstanceId> children;
  for (const model::StepRun& run : (*found)->runs)
    if (ends_ && run.child) children.push_back(run.child);
  const bool again = std::ranges::find(accepted_, id) != accepted_.end();
  if (goes_on_ && !ends_ && !again) session_.GoOnWith(id, asker_);
  if (goes_on_) session_.Follow(id);
  session_.Await();
  engine_.shard().Send(id, *std::move(command), asker_,
                       [this, id, children](const Result<Position>& answer) {
                         Answered(id, children, answer);
                         session_.Answered();
                       });
  return true;
}

void Operation::Answered(InstanceId id, const std::vector<InstanceId>& children,
                         const Result<Position>& answer) {
  if (!answer.has_value()) {
    code_ = std::max(code_, Refuse(terminal_, answer.error()));
    return;
  }
  accepted_.push_back(id);
  if (!goes_on_) return;
  // What a cancellation undoes.
  if (ends_)
    if (const Status resumed = engine_.shard().ResumeInstance(id, asker_); !resumed.has_value())
      code_ = std::max(code_, Refuse(terminal_, resumed.error()));
  // A child that goes on finds that its parent has ended, and follows it.
  for (const InstanceId child : children) session_.GoOnWith(child, asker_);
}

bool Operation::SendAgain(InstanceId id, const MakeCommand& make) {
  if (--times_ <= 0 || code_ != kExitDone) return false;
  const auto found = engine_.shard().Find(id);
  return found.has_value() && again_(**found) && Send(id, make);
}

int Operation::Run(const std::vector<InstanceId>& instances, const MakeCommand& make,
                   const OperationPlan& plan) {
  ends_ = plan.ends;
  if (ends_) session_.ExpectCancelled();
  times_ = plan.times;
  again_ = plan.again;
  bool sent = false;
  for (const InstanceId id : instances) sent = Send(id, make) || sent;
  if (!sent) return code_;
  if (instances.size() > 1) session_.SayWhich();
  if (!goes_on_) {
    engine_.LeaveBehindInbox();
  } else if (times_ > 1) {
    session_.WhenStill([&, id = instances.front()] { return SendAgain(id, make); });
  }
  session_.Run();
  if (accepted_.empty() && code_ != kExitDone) return code_;
  const int reported =
      goes_on_ ? session_.Report(instances.size() == 1) : ReportRecorded(plan.done);
  return code_ == kExitDone ? reported : code_;
}

// What the instances are now, of commands that only record.
int Operation::ReportRecorded(std::string_view done) {
  std::ranges::sort(accepted_);
  const model::Registry& registry = engine_.shard().registry();
  std::vector<Stand> stands;
  for (const InstanceId id : accepted_) {
    const Result<model::Instance> instance = replay::ReadInstance(engine_.store(), kShard, id);
    if (!instance.has_value()) return Refuse(terminal_, instance.error());
    stands.push_back(StandOf(*instance, registry, NeedsWorkerOf(registry)));
  }
  return ReportStands(arguments_, terminal_, stands, done);
}

Stand StandOf(const model::Instance& instance, const model::Registry& registry,
              const replay::LacksWorker& lacks_worker) {
  const auto& registered = *registry.Find(instance.definition);
  const replay::Standing standing =
      replay::StandingOf(instance, *registered.definition, lacks_worker);
  return {.instance = instance.id,
          .definition = registered.name,
          .version = registered.version,
          .status = StatusWord(instance, standing),
          .waiting_for = StandingToJson(standing)};
}

int ReportStands(const Arguments& arguments, const Terminal& terminal,
                 const std::vector<Stand>& stands, std::string_view done) {
  Array documents;
  for (const Stand& stand : stands) {
    if (!arguments.Has("--json")) {
      if (!arguments.Has("--quiet"))
        terminal.Print(fmt::format("instance {} {}\n", stand.instance.value, done));
      continue;
    }
    documents.push_back(Object{{"instance", static_cast<int64_t>(stand.instance.value)},
                               {"definition", stand.definition},
                               {"version", static_cast<int64_t>(stand.version)},
                               {"status", stand.status},
                               {"waiting_for", stand.waiting_for}});
  }
  if (arguments.Has("--json"))
    terminal.Print(CleanJson(ToPrettyJson(documents.size() == 1 ? documents[0]
                                                                : Value(std::move(documents)))) +
                   "\n");
  return kExitDone;
}

int Operate(const Arguments& arguments, const Terminal& terminal,
            const std::vector<InstanceId>& instances, const MakeFor& make,
            const OperationPlan& plan) {
  if (IsForServer(arguments)) return OperateAtServer(arguments, terminal, instances, make, plan);
  Operation operation(arguments, terminal);
  if (const Status opened = operation.Open(plan.goes_on); !opened.has_value())
    return Refuse(terminal, opened.error());
  return operation.Run(instances,
                       make({.actor = operation.asker().actor,
                             .groups = arguments.All("--group"),
                             .registry = operation.engine().shard().registry()}),
                       plan);
}

Result<std::vector<InstanceId>> InstancesOf(const std::vector<std::string>& operands) {
  std::vector<InstanceId> instances;
  for (const std::string& operand : operands) {
    const Result<InstanceId> id = ParseInstanceId(operand);
    if (!id.has_value()) return std::unexpected(id.error());
    if (std::ranges::find(instances, *id) == instances.end()) instances.push_back(*id);
  }
  return instances;
}

}  // namespace stele::cli
