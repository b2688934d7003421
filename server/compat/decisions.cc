#include "server/compat/decisions.h"

#include <fmt/format.h>

namespace stele::server::compat {

requests::MakeCommand CompletionOf(RunId run, const requests::Person& person,
                                   const Payload& variables) {
  return
      [run, person, variables](const model::Instance& instance,
                               const definition::Definition& definition) -> Result<model::Command> {
        const std::string step = fmt::format("#{}", run.value);
        const auto found = requests::FindTask(instance, definition, step);
        if (!found.has_value()) return std::unexpected(found.error());
        const model::StepRun& task = *instance.FindRun(*found);
        if (requests::CheckKind(definition, task, requests::TaskKind::kManual).has_value())
          return requests::Complete(step, person, variables)(instance, definition);
        const Value* approved = variables.value().Find("approved");
        const bool rejects = approved != nullptr && approved->is_bool() && !approved->as_bool();
        return (rejects ? requests::Reject : requests::Approve)(step, person, variables)(
            instance, definition);
      };
}

}  // namespace stele::server::compat
