// What people do about their tasks: claim, release, approve, reject, complete, fail.
#include "engine/requests/people.h"

#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/operation.h"

namespace stele::cli {

namespace {

using definition::Definition;
using model::Instance;
using model::StepRun;
using requests::TaskKind;

// Who acts: whoever asks.
requests::Person PersonOf(const Arguments& arguments, const Asking& asking) {
  return {.name = asking.actor,
          .groups = asking.groups,
          .comment = arguments.Get("--comment"),
          .as_operator = arguments.Has("--as-operator")};
}

// Runs what `make` makes for the person, for the one instance.
template <class Make>
int RunForTask(const Arguments& arguments, const Terminal& terminal, OperationPlan plan,
               Make make) {
  const auto instances = InstancesOf({arguments.operands()[0]});
  if (!instances.has_value()) return Refuse(terminal, instances.error());
  plan.is_of_person = true;
  if (plan.comment.empty()) plan.comment = arguments.Get("--comment");
  return Operate(
      arguments, terminal, *instances,
      [&](const Asking& asking) { return make(PersonOf(arguments, asking)); }, plan);
}

int Hold(const Arguments& arguments, const Terminal& terminal,
         MakeCommand (*make)(std::string, requests::Person), std::string_view verb) {
  const std::string& step = arguments.operands()[1];
  return RunForTask(arguments, terminal,
                    {.done = fmt::format("has its task \"{}\" {}", step, verb)},
                    [&](requests::Person person) { return make(step, std::move(person)); });
}

// What was filled in, as an object; absent when nothing was.
Result<Payload> FilledIn(const Arguments& arguments, const Definition& definition,
                         const StepRun& run) {
  const BodyIndex body = definition.step(run.step).body;
  const auto variables = GivenVariables(arguments.All("--var"), "--var NAME=VALUE",
                                        definition.bodies[body.value].variables);
  if (!variables.has_value()) return std::unexpected(variables.error());
  if (variables->empty()) return Payload();
  Object object;
  for (const model::NamedPayload& variable : *variables)
    object.Set(variable.name, variable.value.value());
  return Payload::FromValue(std::move(object));
}

// A task of the other kind is for another command, which is named.
Status CheckCommand(const Definition& definition, const StepRun& run, TaskKind kind) {
  const Status fits = requests::CheckKind(definition, run, kind);
  if (fits.has_value()) return fits;
  return Fail(fits.error().code,
              fits.error().message + (kind == TaskKind::kManual
                                          ? "; use \"stele approve\" or \"stele reject\""
                                          : "; use \"stele complete\" or \"stele fail\""));
}

using Decide = MakeCommand (*)(std::string step, requests::Person person, Payload filled_in);

int DecideTask(const Arguments& arguments, const Terminal& terminal, TaskKind kind, Decide decide,
               std::string_view verb) {
  const std::string& step = arguments.operands()[1];
  const auto make = [&](const requests::Person& person) {
    return [&, person](const Instance& instance,
                       const Definition& definition) -> Result<model::Command> {
      const Result<RunId> id = requests::FindTask(instance, definition, step);
      if (!id.has_value()) return std::unexpected(id.error());
      const StepRun& run = *instance.FindRun(*id);
      STELE_RETURN_IF_ERROR(CheckCommand(definition, run, kind));
      Result<Payload> filled = FilledIn(arguments, definition, run);
      if (!filled.has_value()) return std::unexpected(filled.error());
      return decide(step, person, *std::move(filled))(instance, definition);
    };
  };
  return RunForTask(arguments, terminal,
                    {.goes_on = true, .done = fmt::format("has \"{}\" {}", step, verb)}, make);
}

}  // namespace

int Claim(const Arguments& arguments, const Terminal& terminal) {
  return Hold(arguments, terminal, requests::Claim, "claimed");
}

int Release(const Arguments& arguments, const Terminal& terminal) {
  return Hold(arguments, terminal, requests::Release, "released");
}

int Approve(const Arguments& arguments, const Terminal& terminal) {
  return DecideTask(arguments, terminal, TaskKind::kApproval, requests::Approve, "approved");
}

int Reject(const Arguments& arguments, const Terminal& terminal) {
  return DecideTask(arguments, terminal, TaskKind::kApproval, requests::Reject, "rejected");
}

int CompleteTask(const Arguments& arguments, const Terminal& terminal) {
  return DecideTask(arguments, terminal, TaskKind::kManual, requests::Complete, "completed");
}

int FailTask(const Arguments& arguments, const Terminal& terminal) {
  const std::string& step = arguments.operands()[1];
  const std::string comment = arguments.Get(arguments.Has("--comment") ? "--comment" : "--reason");
  const auto make = [&](requests::Person person) {
    person.comment = comment;
    return requests::FailTask(step, std::move(person), arguments.Get("--kind", "failed"));
  };
  return RunForTask(
      arguments, terminal,
      {.goes_on = true, .done = fmt::format("has \"{}\" failed", step), .comment = comment}, make);
}

}  // namespace stele::cli
