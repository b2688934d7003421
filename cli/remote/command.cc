#include "cli/remote/command.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/json.h"
#include "engine/requests/find_run.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

std::string NameOf(RunId run) {
  return fmt::format("#{}", run.value);
}

std::string TextOf(const Payload& payload) {
  return payload.has_value() ? std::string(payload.text()) : std::string();
}

api::Resolution ResolutionOf(model::Resolution resolution) {
  switch (resolution) {
    case model::Resolution::kRetry:
      return api::Resolution::RETRY;
    case model::Resolution::kSkip:
      return api::Resolution::SKIP;
    case model::Resolution::kFail:
      return api::Resolution::FAIL;
  }
  return api::Resolution::RETRY;
}

class Caller {
 public:
  Caller(Remote& server, const CommandTarget& target) : server_(server), target_(target) {}

  Result<Position> operator()(const model::PauseInstance& command) {
    auto request = Instance().pauseRequest();
    request.setReason(server::rpc::TextOf(command.reason));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::ResumeInstance& command) {
    auto request = Instance().resumeRequest();
    request.setReason(server::rpc::TextOf(command.reason));
    request.setSteps(command.steps);
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::CancelInstance& command) {
    auto request = Instance().cancelRequest();
    request.setCompensate(command.compensate);
    request.setReason(server::rpc::TextOf(command.reason));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::TerminateInstance& command) {
    auto request = Instance().terminateRequest();
    request.setReason(server::rpc::TextOf(command.reason));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::RetryInstance& command) {
    auto request = Instance().retryRequest();
    request.setReason(server::rpc::TextOf(command.reason));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::RetryStep& command) {
    auto request = Instance().retryStepRequest();
    request.setStep(server::rpc::TextOf(NameOf(command.run)));
    request.setReason(server::rpc::TextOf(command.reason));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::SkipStep& command) {
    auto request = Instance().skipStepRequest();
    request.setStep(server::rpc::TextOf(NameOf(command.run)));
    request.setReason(server::rpc::TextOf(command.reason));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::RollBack& command) {
    auto request = Instance().rollBackRequest();
    if (command.from_run) request.setFromStep(server::rpc::TextOf(NameOf(command.from_run)));
    request.setToStep(server::rpc::TextOf(target_.definition.step(command.to_step).id));
    request.setReason(server::rpc::TextOf(command.reason));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::ResolveIncident& command) {
    auto request = Instance().resolveStepRequest();
    request.setStep(server::rpc::TextOf(NameOf(command.run)));
    request.setResolution(ResolutionOf(command.resolution));
    request.setReason(server::rpc::TextOf(command.reason));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::AssignVariables& command) {
    auto request = Instance().setVariablesRequest();
    auto list = request.initVariables(static_cast<unsigned>(command.variables.size()));
    for (unsigned i = 0; i < list.size(); ++i) {
      list[i].setName(server::rpc::TextOf(command.variables[i].name));
      list[i].setValue(server::rpc::TextOf(TextOf(command.variables[i].value)));
    }
    request.setStep(server::rpc::TextOf(NameOf(command.scope)));
    request.setReason(server::rpc::TextOf(command.reason));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::SendSignal& command) {
    auto request = Instance().signalRequest();
    request.setName(server::rpc::TextOf(command.name));
    request.setPayload(server::rpc::TextOf(TextOf(command.payload)));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::MigrateInstance& command) {
    auto request = Instance().migrateRequest();
    request.setVersion(target_.registry.Find(command.definition)->version);
    request.setPlan(server::rpc::TextOf(command.plan));
    request.setReason(server::rpc::TextOf(command.reason));
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::ClaimTask& command) {
    auto request = Task(command.run).claimRequest();
    ShowPerson(request.initBy());
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::ReleaseTask& command) {
    auto request = Task(command.run).unclaimRequest();
    ShowPerson(request.initBy());
    return PositionOf(server_, kj::mv(request));
  }
  Result<Position> operator()(const model::DecideTask& command) {
    const auto send = [&](auto request) {
      ShowPerson(request.initBy());
      request.setVariables(server::rpc::TextOf(TextOf(command.variables)));
      return PositionOf(server_, kj::mv(request));
    };
    const model::StepRun* run = target_.instance.FindRun(command.run);
    auto task = Task(command.run);
    if (target_.definition.step(run->step).task_type != "approval")
      return send(task.completeRequest());
    return command.approved ? send(task.approveRequest()) : send(task.rejectRequest());
  }
  Result<Position> operator()(const model::FailAttempt& command) {
    auto request = Task(command.run).failRequest();
    ShowPerson(request.initBy());
    request.setKind(server::rpc::TextOf(command.kind));
    return PositionOf(server_, kj::mv(request));
  }
  // What engines ask of themselves.
  Result<Position> operator()(const model::StartInstance&) { return NotAsked(); }
  Result<Position> operator()(const model::ForkInstance&) { return NotAsked(); }
  Result<Position> operator()(const model::AdmitInstance&) { return NotAsked(); }
  Result<Position> operator()(const model::CompleteAttempt&) { return NotAsked(); }
  Result<Position> operator()(const model::InterruptAttempt&) { return NotAsked(); }
  Result<Position> operator()(const model::RestartAttempt&) { return NotAsked(); }
  Result<Position> operator()(const model::ElapseTimer&) { return NotAsked(); }
  Result<Position> operator()(const model::CorrelateMessage&) { return NotAsked(); }
  Result<Position> operator()(const model::NoteChild&) { return NotAsked(); }

 private:
  static Result<Position> NotAsked() {
    CHECK(false, "a command that nobody asks a server for");
    return Position();
  }
  api::Instance::Client Instance() {
    auto get = server_.session().instancesRequest().send().getInstances().getRequest();
    get.setId(target_.instance.id.value);
    return get.send().getInstance();
  }
  api::Task::Client Task(RunId run) {
    auto request = Instance().taskRequest();
    request.setStep(server::rpc::TextOf(NameOf(run)));
    return request.send().getTask();
  }
  void ShowPerson(api::Acting::Builder acting) const {
    acting.setComment(server::rpc::TextOf(target_.comment));
    acting.setAsOperator(target_.as_operator);
    if (!target_.asker.is_anybody) return;
    acting.setName(server::rpc::TextOf(target_.asker.name));
    auto groups = acting.initGroups(static_cast<unsigned>(target_.asker.groups.size()));
    for (unsigned i = 0; i < groups.size(); ++i)
      groups.set(i, server::rpc::TextOf(target_.asker.groups[i]));
  }
  // An open run in whose scope the variables are; empty: the instance's own.
  std::string NameOf(ScopeId scope) const {
    const auto found = [&](const std::string& word) {
      const auto named = requests::FindScope(target_.instance, target_.definition, word);
      return named.has_value() && *named == scope;
    };
    if (found("")) return "";
    for (const model::StepRun& run : target_.instance.runs)
      if (const std::string word = cli::NameOf(run.id); found(word)) return word;
    CHECK(false, "a scope {} without an open run", scope.value);
    return "";
  }
  static std::string NameOf(RunId run) { return cli::NameOf(run); }

  Remote& server_;
  const CommandTarget& target_;
};

}  // namespace

Result<Position> SendCommand(Remote& server, const CommandTarget& target,
                             const model::Command& command) {
  return std::visit(Caller(server, target), command);
}

}  // namespace stele::cli
