#include "cli/operation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/recorded.h"
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
  auto actor = ActorOf(arguments_);
  if (!actor.has_value()) return std::unexpected(actor.error());
  actor_ = *std::move(actor);
  const auto stubs = ParseStubs(arguments_.All("--stub"));
  if (!stubs.has_value()) return std::unexpected(stubs.error());
  if (!HasData(data_))
    return Fail(ErrorCode::kStoreNotFound,
                fmt::format("Expected the data of earlier runs in {} but found none; --data names "
                            "another directory",
                            data_));
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

std::optional<Rejection> Operation::Try(const model::Instance& instance,
                                        const model::Command& command) {
  return requests::TryCommand(instance, engine_.shard().registry(), engine_.clock().Now(), command);
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
  if (const auto rejection = Try(**found, *command)) return refuse(*rejection);
  std::vector<InstanceId> children;
  for (const model::StepRun& run : (*found)->runs)
    if (ends_ && run.child) children.push_back(run.child);
  const bool again = std::ranges::find(accepted_, id) != accepted_.end();
  if (goes_on_ && !ends_ && !again) session_.GoOnWith(id, actor_);
  if (goes_on_) session_.Follow(id);
  session_.Await();
  engine_.shard().Send(id, *std::move(command), actor_,
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
    if (const Status resumed = engine_.shard().ResumeInstance(id, actor_); !resumed.has_value())
      code_ = std::max(code_, Refuse(terminal_, resumed.error()));
  // A child that goes on finds that its parent has ended, and follows it.
  for (const InstanceId child : children) session_.GoOnWith(child, actor_);
}

void Operation::EndsInstances() {
  ends_ = true;
  session_.ExpectCancelled();
}

void Operation::Repeat(int64_t times, std::function<bool(const model::Instance&)> goes_on) {
  times_ = times;
  goes_on_again_ = std::move(goes_on);
}

bool Operation::SendAgain(InstanceId id, const MakeCommand& make) {
  if (--times_ <= 0 || code_ != kExitDone) return false;
  const auto found = engine_.shard().Find(id);
  return found.has_value() && goes_on_again_(**found) && Send(id, make);
}

int Operation::Run(const std::vector<InstanceId>& instances, const MakeCommand& make,
                   std::string_view done) {
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
  const int reported = goes_on_ ? session_.Report(instances.size() == 1) : ReportRecorded(done);
  return code_ == kExitDone ? reported : code_;
}

// What the instances are now, of commands that only record.
int Operation::ReportRecorded(std::string_view done) {
  std::ranges::sort(accepted_);
  Array documents;
  for (const InstanceId id : accepted_) {
    const Result<model::Instance> instance = replay::ReadInstance(engine_.store(), kShard, id);
    if (!instance.has_value()) return Refuse(terminal_, instance.error());
    const auto* registered = engine_.shard().registry().Find(instance->definition);
    const replay::Standing standing = replay::StandingOf(*instance, *registered->definition,
                                                         NeedsWorkerOf(engine_.shard().registry()));
    if (!arguments_.Has("--json")) {
      if (!arguments_.Has("--quiet"))
        terminal_.Print(fmt::format("instance {} {}\n", id.value, done));
      continue;
    }
    documents.push_back(Object{{"instance", static_cast<int64_t>(id.value)},
                               {"definition", registered->name},
                               {"version", static_cast<int64_t>(registered->version)},
                               {"status", StatusWord(*instance, standing)},
                               {"waiting_for", StandingToJson(standing)}});
  }
  if (arguments_.Has("--json"))
    terminal_.Print(CleanJson(ToPrettyJson(documents.size() == 1 ? documents[0]
                                                                 : Value(std::move(documents)))) +
                    "\n");
  return kExitDone;
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
