#include "replay/what_if/translate.h"

#include <algorithm>

namespace stele::replay {

namespace {

struct RunReader {
  RunId* operator()(model::RollBack& command) const {
    return command.from_run ? &command.from_run : nullptr;
  }
  RunId* operator()(model::ElapseTimer& command) const {
    return command.run ? &command.run : nullptr;
  }
  template <class Command>
  RunId* operator()(Command& command) const {
    if constexpr (requires { command.run; }) {
      return &command.run;
    } else {
      return nullptr;
    }
  }
};

// A version may order what a step waits for otherwise.
void FindWait(model::CorrelateMessage& command, const model::Instance& instance) {
  const model::StepRun* run = instance.FindRun(command.run);
  if (run == nullptr) return;
  const auto is_it = [&](const model::Wait& wait) {
    return wait.kind == model::WaitKind::kMessage && wait.name == command.name;
  };
  if (command.event < run->waits.size() && is_it(run->waits[command.event])) return;
  const auto found = std::ranges::find_if(run->waits, is_it);
  if (found != run->waits.end()) command.event = static_cast<uint32_t>(found - run->waits.begin());
}

}  // namespace

RunId* RunOf(model::Command& command) {
  return std::visit(RunReader{}, command);
}

bool Translate(model::Command& command, const RunNames& recorded, const RunNames& now,
               const model::Instance& instance) {
  if (RunId* run = RunOf(command)) {
    *run = recorded.CounterpartOf(*run, now);
    if (!*run) return false;
  }
  if (auto* back = std::get_if<model::RollBack>(&command)) {
    const std::optional<StepIndex> step = now.FindStep(recorded.StepName(back->to_step));
    if (!step.has_value()) return false;
    back->to_step = *step;
  } else if (auto* assign = std::get_if<model::AssignVariables>(&command)) {
    const std::optional<ScopeId> scope = recorded.CounterpartOf(assign->scope, now);
    if (!scope.has_value()) return false;
    assign->scope = *scope;
  } else if (auto* correlate = std::get_if<model::CorrelateMessage>(&command)) {
    FindWait(*correlate, instance);
  }
  return true;
}

}  // namespace stele::replay
