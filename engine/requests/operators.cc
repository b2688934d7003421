#include "engine/requests/operators.h"

#include <fmt/format.h>

#include <utility>

#include "engine/model/names.h"
#include "engine/requests/definitions.h"
#include "engine/requests/find_run.h"

namespace stele::requests {

namespace {

using definition::Definition;
using model::Instance;
using model::RunState;
using model::StepRun;

// Of the instance as a whole, whatever it is at.
MakeCommand Always(model::Command command) {
  return [command = std::move(command)](const Instance&, const Definition&) { return command; };
}

bool AwaitsOperator(const StepRun& run) {
  return run.state == RunState::kParked;
}

bool AwaitsRetry(const StepRun& run) {
  return run.state == RunState::kBackoff || AwaitsOperator(run);
}

}  // namespace

MakeCommand Pause(std::string reason) {
  return Always(model::PauseInstance{std::move(reason)});
}

MakeCommand Resume(std::string reason, uint32_t steps) {
  return Always(model::ResumeInstance{std::move(reason), steps});
}

MakeCommand Cancel(bool compensate, std::string reason) {
  return Always(model::CancelInstance{compensate, std::move(reason)});
}

MakeCommand Terminate(std::string reason) {
  return Always(model::TerminateInstance{std::move(reason)});
}

MakeCommand Retry(std::string reason) {
  return Always(model::RetryInstance{std::move(reason)});
}

MakeCommand RetryStep(std::string step, std::string reason) {
  return [step = std::move(step), reason = std::move(reason)](
             const Instance& instance, const Definition& definition) -> Result<model::Command> {
    const Result<RunId> run =
        FindOpenRun(instance, definition, step, "waiting for a retry or an operator", AwaitsRetry);
    if (!run.has_value()) return std::unexpected(run.error());
    return model::RetryStep{*run, reason};
  };
}

MakeCommand SkipStep(std::string step, std::string reason) {
  return [step = std::move(step), reason = std::move(reason)](
             const Instance& instance, const Definition& definition) -> Result<model::Command> {
    const Result<RunId> run = FindOpenRun(instance, definition, step);
    if (!run.has_value()) return std::unexpected(run.error());
    return model::SkipStep{*run, reason};
  };
}

MakeCommand RollBack(std::string from_step, std::string to_step, std::string reason) {
  return
      [from_step = std::move(from_step), to_step = std::move(to_step), reason = std::move(reason)](
          const Instance& instance, const Definition& definition) -> Result<model::Command> {
        const definition::Step* to = definition.FindStep(to_step);
        if (to == nullptr)
          return Fail(ErrorCode::kUnknownRun,
                      fmt::format("Expected a step of \"{}\" to go back to but found \"{}\"",
                                  definition.name, to_step));
        model::RollBack command{RunId(), definition.IndexOf(*to), reason};
        if (from_step.empty()) return command;
        const Result<RunId> from = FindOpenRun(instance, definition, from_step);
        if (!from.has_value()) return std::unexpected(from.error());
        command.from_run = *from;
        return command;
      };
}

Result<model::Resolution> ParseResolution(std::string_view word) {
  for (const auto resolution :
       {model::Resolution::kRetry, model::Resolution::kSkip, model::Resolution::kFail})
    if (model::EnumName(resolution) == word) return resolution;
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected retry, skip or fail but found \"{}\"", word));
}

MakeCommand Resolve(std::string step, std::string word, std::string reason) {
  return [step = std::move(step), word = std::move(word), reason = std::move(reason)](
             const Instance& instance, const Definition& definition) -> Result<model::Command> {
    const Result<model::Resolution> resolution = ParseResolution(word);
    if (!resolution.has_value()) return std::unexpected(resolution.error());
    const Result<RunId> run =
        FindOpenRun(instance, definition, step, "waiting for an operator", AwaitsOperator);
    if (!run.has_value()) return std::unexpected(run.error());
    return model::ResolveIncident{*run, *resolution, reason};
  };
}

MakeCommand AssignVariables(std::vector<model::NamedPayload> variables, std::string scope,
                            std::string reason) {
  return [variables = std::move(variables), scope = std::move(scope), reason = std::move(reason)](
             const Instance& instance, const Definition& definition) -> Result<model::Command> {
    const Result<ScopeId> found = FindScope(instance, definition, scope);
    if (!found.has_value()) return std::unexpected(found.error());
    return model::AssignVariables{*found, variables, reason};
  };
}

MakeCommand Signal(std::string name, Payload payload) {
  return Always(model::SendSignal{std::move(name), std::move(payload)});
}

MakeCommand Migrate(const model::Registry& registry, uint32_t version, std::string plan,
                    std::string reason) {
  return [&registry, version, plan = std::move(plan), reason = std::move(reason)](
             const Instance&, const Definition& definition) -> Result<model::Command> {
    const auto target = FindDefinition(registry, definition.name, version, /*startable=*/false);
    if (!target.has_value()) return std::unexpected(target.error());
    return model::MigrateInstance{(*target)->id, plan, reason};
  };
}

}  // namespace stele::requests
