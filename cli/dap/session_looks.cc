// What an editor asks about the place where the debugger stands.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "cli/dap/session.h"
#include "cli/text.h"
#include "engine/model/codec.h"

namespace stele::cli::dap {

Result<Object> Session::Evaluate(const Fields& arguments) {
  const Result<std::string> expression = arguments.Text("expression");
  if (!expression.has_value()) return std::unexpected(expression.error());
  const Result<std::optional<ScopeId>> scope =
      view_->ScopeOfFrame(arguments.IntegerOr("frameId", 0));
  if (!scope.has_value()) return std::unexpected(scope.error());
  Result<Value> value = debugger().Evaluate(*expression, *scope);
  const bool is_typed = arguments.TextOr("context") == "repl";
  if (!value.has_value() && is_typed) return RunCommand(*expression, value.error());
  if (!value.has_value()) return std::unexpected(value.error());
  // What is copied is all of it.
  if (arguments.TextOr("context") == "clipboard")
    return Object{{"result", value->is_string() ? value->as_string() : ToPrettyJson(*value)},
                  {"variablesReference", 0}};
  return view_->Describe(*std::move(value));
}

// What is typed and is no expression is a command of the debugger's; `fault` says why it is none.
Result<Object> Session::RunCommand(const std::string& text, const Error& fault) {
  const Seq last = debugger().last();
  const Result<Answer> answer = commands_->Run(text);
  // Of `follow`: what came may run another version.
  if (debugger().last() != last) LearnDefinitions(last.Next());
  if (!answer.has_value())
    return Fail(fault.code,
                fmt::format("{}; as a command: {}", fault.message, answer.error().message));
  if (answer->stop)
    afterwards_ = [this] {
      view_->Forget();
      Stopped("step", Here());
    };
  else if (commands_->wants_to_quit())
    afterwards_ = [this] { out_.Event("terminated"); };
  return Object{{"result", PlainText(answer->lines)}, {"variablesReference", 0}};
}

// In the text of the version that runs here.
std::vector<std::string> Session::StepsOfLine(uint32_t line) {
  std::vector<std::string> steps;
  const Result<replay::Moment> moment = debugger().Now();
  if (!moment.has_value()) return steps;
  const SourceText& source = sources_->Of(moment->state.definition);
  for (const StepIndex step : definition::StepsAtLine(source.lines, line))
    steps.push_back(moment->definition.step(step).id);
  return steps;
}

Result<Object> Session::SetValue(const Fields&) {
  return Fail(
      ErrorCode::kUnsupported,
      "Expected to look at what has happened, which nothing changes, but found a request to "
      "set a value; \"stele fork ID --at SEQ --set NAME=JSON\" tries another one");
}

Result<Object> Session::ExceptionInfo(const Fields& arguments) {
  STELE_RETURN_IF_ERROR(CheckThread(arguments));
  const Result<std::vector<replay::EventLine>> events = debugger().Events(debugger().at(), 1);
  if (!events.has_value()) return std::unexpected(events.error());
  const replay::EventLine& event = events->front();
  if (!breakpoints_->IsException(event.name))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a kind of event that is among the exception filters but "
                            "found event {}, {}",
                            event.seq.value, event.name));
  const auto text = [&](std::string_view name) {
    const Value* found = event.members.Find(name);
    return found != nullptr && found->is_string() ? Clean(found->as_string(), true) : std::string();
  };
  std::string description(event.name);
  if (!event.step.empty()) description += " at " + event.step;
  if (!text("message").empty()) description += ": " + text("message");
  Object details{{"message", text("message")}, {"typeName", text("kind")}};
  if (!text("log").empty()) details.Set("stackTrace", text("log"));
  return Object{{"exceptionId", event.name},
                {"description", Clean(description, true)},
                {"breakMode", "always"},
                {"details", std::move(details)}};
}

Result<Object> Session::SourceOf(const Fields& arguments) {
  int64_t number = arguments.Inside("source").IntegerOr("sourceReference", 0);
  if (number == 0) number = arguments.IntegerOr("sourceReference", 0);
  const SourceText* source = sources_->Numbered(number);
  if (source == nullptr)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a sourceReference of this session but found {}", number));
  const bool is_json = source->syntax == definition::Syntax::kJson;
  return Object{{"content", source->text},
                {"mimeType", is_json ? "application/json" : "text/x-yaml"}};
}

Result<Object> Session::LoadedSources(const Fields&) {
  Array list;
  for (const DefinitionId definition : ran_)
    list.emplace_back(sources_->ToJson(sources_->Of(definition)));
  return Object{{"sources", std::move(list)}};
}

Result<Object> Session::BreakpointLocations(const Fields& arguments) {
  Array places;
  const SourceText* source = sources_->Find(arguments.Inside("source"), ran_);
  const Result<int64_t> line = arguments.Integer("line");
  if (!line.has_value()) return std::unexpected(line.error());
  if (source != nullptr) {
    const uint32_t first = sources_->FromEditor(*line);
    const uint32_t last = sources_->FromEditor(arguments.IntegerOr("endLine", *line));
    std::vector<uint32_t> lines;
    for (const definition::Lines& each : source->lines)
      if (!each.empty() && each.first >= first && each.first <= last) lines.push_back(each.first);
    std::ranges::sort(lines);
    const auto repeated = std::ranges::unique(lines);
    lines.erase(repeated.begin(), repeated.end());
    for (const uint32_t each : lines)
      places.emplace_back(Object{{"line", sources_->ToEditor(each)}});
  }
  return Object{{"breakpoints", std::move(places)}};
}

Result<Object> Session::SetBreakpoints(const Fields& arguments) {
  return breakpoints_->SetLines(arguments, ran_);
}

Result<Object> Session::SetFunctionBreakpoints(const Fields& arguments) {
  return breakpoints_->SetSteps(arguments);
}

Result<Object> Session::SetExceptionBreakpoints(const Fields& arguments) {
  return breakpoints_->SetEvents(arguments);
}

}  // namespace stele::cli::dap
