// `stele logs`: what each attempt printed.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/recorded.h"
#include "cli/text.h"

namespace stele::cli {

int ShowLogs(const Arguments& arguments, const Terminal& terminal) {
  const auto recorded = ReadRecorded(arguments);
  if (!recorded.has_value()) {
    terminal.PrintError(recorded.error());
    return kExitUsage;
  }
  const definition::Definition& definition = *(*recorded)->definition;
  const std::string wanted = arguments.Get("--step");
  if (!wanted.empty() && definition.FindStep(wanted) == nullptr) {
    terminal.PrintError(
        {ErrorCode::kUsage, fmt::format("Expected a step of {} for --step but found \"{}\"",
                                        definition.name, wanted)});
    return kExitUsage;
  }
  for (const replay::StepLine& line : (*recorded)->timeline->lines()) {
    if (!wanted.empty() && definition.step(line.step).id != wanted) continue;
    for (const replay::AttemptLine& attempt : line.attempts) {
      std::string text = terminal.Paint(
          Colour::kBold, fmt::format("{} attempt {}: {}", Clean(line.label), attempt.number,
                                     replay::AttemptStateName(attempt.state)));
      if (!attempt.kind.empty())
        text += Clean(fmt::format(" ({}: {})", attempt.kind, attempt.message));
      text += "\n" + Clean(attempt.log, true);
      if (text.back() != '\n') text += '\n';
      if (attempt.log_truncated) text += "(cut: more was printed than is kept)\n";
      terminal.Print(text);
    }
  }
  return kExitDone;
}

}  // namespace stele::cli
