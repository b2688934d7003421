// `stele logs`: what each attempt printed.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/recorded.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

// Of its last attempt, what it gave.
bool HasOutput(const replay::StepLine& line, const replay::AttemptLine& attempt) {
  return attempt.state == replay::AttemptState::kCompleted && line.output.has_value() &&
         attempt.number == line.attempts.back().number;
}

Value AttemptToJson(const replay::StepLine& line, const replay::AttemptLine& attempt) {
  Object document{{"step", line.id},
                  {"label", line.label},
                  {"run", static_cast<int64_t>(line.run.value)},
                  {"attempt", static_cast<int64_t>(attempt.number)},
                  {"state", replay::AttemptStateName(attempt.state)},
                  {"started", attempt.started.value},
                  {"ended", attempt.ended ? Value(attempt.ended.value) : Value()}};
  if (!attempt.kind.empty())
    document.Set("error", Object{{"kind", attempt.kind}, {"message", attempt.message}});
  document.Set("log", attempt.log);
  document.Set("log_truncated", attempt.log_truncated);
  if (HasOutput(line, attempt)) document.Set("output", line.output.value());
  return document;
}

// The word is a step's id, or what the lines of one run are headed with, or "STEP#RUN".
bool Names(const std::string& word, const replay::StepLine& line) {
  return word == line.id || word == line.label ||
         (line.run && word == fmt::format("{}#{}", line.id, line.run.value));
}

}  // namespace

int ShowLogs(const Arguments& arguments, const Terminal& terminal) {
  const auto recorded = ReadRecorded(arguments);
  if (!recorded.has_value()) return Refuse(terminal, recorded.error());
  const definition::Definition& definition = *(*recorded)->definition;
  const std::string wanted = arguments.Get("--step");
  const auto& lines = (*recorded)->timeline->lines();
  const auto is_wanted = [&](const replay::StepLine& line) { return Names(wanted, line); };
  if (!wanted.empty() && definition.FindStep(wanted) == nullptr &&
      std::ranges::none_of(lines, is_wanted)) {
    terminal.PrintError(
        {ErrorCode::kUsage, fmt::format("Expected a step of {} for --step but found \"{}\"",
                                        definition.name, wanted)});
    return kExitUsage;
  }
  Array documents;
  bool has_attempts = false;
  for (const replay::StepLine& line : lines) {
    if (!wanted.empty() && !is_wanted(line)) continue;
    for (const replay::AttemptLine& attempt : line.attempts) {
      has_attempts = true;
      if (arguments.Has("--json")) {
        documents.push_back(AttemptToJson(line, attempt));
        continue;
      }
      std::string text = terminal.Paint(
          Colour::kBold, fmt::format("{} attempt {}: {}", Clean(line.label), attempt.number,
                                     replay::AttemptStateName(attempt.state)));
      if (!attempt.kind.empty())
        text += Clean(fmt::format(" ({}: {})", attempt.kind, attempt.message));
      text += "\n" + Clean(attempt.log, true);
      if (text.back() != '\n') text += '\n';
      if (attempt.log_truncated) text += "(cut: more was printed than is kept)\n";
      if (arguments.Has("--outputs") && HasOutput(line, attempt))
        text += "output: " + Inline(line.output.value()) + "\n";
      terminal.Print(text);
    }
  }
  if (!has_attempts)
    terminal.PrintNote(wanted.empty() ? "no attempt has begun: nothing has been printed"
                                      : fmt::format("no attempt of \"{}\" has begun; only tasks "
                                                    "have attempts, and print",
                                                    wanted));
  if (arguments.Has("--json")) terminal.Print(CleanJson(ToPrettyJson(std::move(documents))) + "\n");
  return kExitDone;
}

}  // namespace stele::cli
