// `stele debug`: a debugger over an instance's history, on a terminal or by a script.
#include <fmt/format.h>

#include <iostream>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/debug/commands.h"
#include "cli/debug/program.h"
#include "cli/debug/screen.h"
#include "cli/given.h"
#include "cli/moment.h"
#include "cli/open_data.h"
#include "cli/source.h"
#include "cli/text.h"
#include "engine/definition/load.h"
#include "engine/definition/places.h"

namespace stele::cli {

namespace {

constexpr size_t kMostScriptBytes = size_t{1} << 20;

// Lines of the file that the version was registered from which the instance runs in the end.
StepsOfLine StepsOfLineIn(replay::Debugger& debugger, const model::Registry& registry) {
  const Result<replay::Moment> moment = debugger.machine().At(debugger.last());
  if (!moment.has_value()) return nullptr;
  const model::RegisteredDefinition* registered = registry.Find(moment->state.definition);
  if (registered == nullptr || registered->source.empty()) return nullptr;
  const std::shared_ptr<const definition::Definition> definition = registered->definition;
  auto lines = definition::LinesOfSteps(*definition, registered->source,
                                        definition::SyntaxOf(registered->file, registered->source));
  return [definition, lines = std::move(lines)](uint32_t line) {
    std::vector<std::string> steps;
    for (const StepIndex step : definition::StepsAtLine(lines, line))
      steps.push_back(definition->step(step).id);
    return steps;
  };
}

Result<std::string> ReadScript(const std::string& path) {
  if (path != "-") return ReadGivenFile(path, kMostScriptBytes);
  std::string text(kMostScriptBytes + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::cin.gcount()));
  if (text.size() > kMostScriptBytes)
    return Fail(
        ErrorCode::kUsage,
        fmt::format("Expected at most {} bytes of commands but found more", kMostScriptBytes));
  return text;
}

Value AnswerToJson(std::string_view command, const replay::Debugger& debugger,
                   const Answer& answer) {
  Object document{{"command", Value(command)},
                  {"seq", static_cast<int64_t>(debugger.at().value)},
                  {"from", static_cast<int64_t>(debugger.from().value)}};
  if (answer.stop.has_value()) {
    static constexpr std::string_view kReasons[] = {"moved",     "breakpoint",  "begin",    "end",
                                                    "not_found", "interrupted", "no_inside"};
    document.Set("stop", Value(kReasons[static_cast<size_t>(answer.stop->reason)]));
    Array breakpoints;
    for (const uint32_t number : answer.stop->breakpoints)
      breakpoints.emplace_back(static_cast<int64_t>(number));
    if (!breakpoints.empty()) document.Set("breakpoints", std::move(breakpoints));
  }
  Array lines;
  for (const Line& line : answer.lines) {
    std::string text = PlainText({line});
    text.pop_back();
    lines.emplace_back(std::move(text));
  }
  document.Set("lines", std::move(lines));
  return document;
}

// One command a line; the first that cannot be done ends it.
int RunScript(std::string_view script, DebugCommands& commands, const replay::Debugger& debugger,
              const Terminal& terminal, bool json) {
  size_t number = 0;
  for (std::string_view rest = script; !rest.empty() && !commands.wants_to_quit();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    ++number;
    const Result<Answer> answer = commands.Run(line);
    if (!answer.has_value()) {
      const Error& error = answer.error();
      return Refuse(terminal, {error.code, fmt::format("Line {}: {}", number, error.message)});
    }
    if (json) {
      const bool is_said = answer->stop.has_value() || !answer->lines.empty();
      if (is_said)
        terminal.Print(CleanJson(ToJson(AnswerToJson(Clean(line), debugger, *answer))) + "\n");
    } else {
      terminal.Print(PlainText(answer->lines));
    }
  }
  return kExitDone;
}

int RunProgram(Source& source, replay::Debugger& debugger, DebugCommands& commands,
               const Terminal& terminal) {
  const auto screen = Screen::Open();
  if (!screen.has_value()) return Refuse(terminal, screen.error());
  DebugProgram(**screen, debugger, commands, [&] { return source.ConnectAgain(); }).Run();
  return kExitDone;
}

}  // namespace

int Debug(const Arguments& arguments, const Terminal& terminal) {
  const Result<InstanceId> id = ParseInstanceId(arguments.operands()[0]);
  if (!id.has_value()) return Refuse(terminal, id.error());
  std::string script;
  if (arguments.Has("--commands")) {
    Result<std::string> read = ReadScript(arguments.Get("--commands"));
    if (!read.has_value()) return Refuse(terminal, read.error());
    script = *std::move(read);
    // The mark that some editors put before a text in UTF-8 is none of it.
    if (script.starts_with("\xEF\xBB\xBF")) script.erase(0, 3);
  } else if (arguments.Has("--json")) {
    return Refuse(terminal,
                  {ErrorCode::kUsage, "Expected --commands beside --json but found none"});
  }
  const auto source = OpenSource(arguments);
  if (!source.has_value()) return Refuse(terminal, source.error());
  const Result<model::Registry> registry = replay::ReadRegistry(**source);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  const auto debugger = replay::Debugger::Open(**source, *id, *registry);
  if (!debugger.has_value()) return Refuse(terminal, debugger.error());
  DebugCommands commands(**debugger, StepsOfLineIn(**debugger, *registry));
  if (arguments.Has("--at")) {
    const Result<replay::When> when = GivenWhen(arguments, "--at");
    if (!when.has_value()) return Refuse(terminal, when.error());
    const Result<replay::Stop> there = (*debugger)->JumpTo(*when);
    if (!there.has_value()) return Refuse(terminal, there.error());
  }
  if (!arguments.Has("--commands")) return RunProgram(**source, **debugger, commands, terminal);
  return RunScript(script, commands, **debugger, terminal, arguments.Has("--json"));
}

}  // namespace stele::cli
