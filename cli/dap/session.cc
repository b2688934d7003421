#include "cli/dap/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/moment.h"
#include "cli/text.h"

namespace stele::cli::dap {

// In the order in which an editor comes to them.
const Session::Route Session::kRoutes[] = {
    {"initialize", &Session::Initialize, false},
    {"launch", &Session::Launch, false},
    {"attach", &Session::Attach, false},
    {"disconnect", &Session::Disconnect, false},
    {"terminate", &Session::Terminate, false},
    {"setBreakpoints", &Session::SetBreakpoints},
    {"setFunctionBreakpoints", &Session::SetFunctionBreakpoints},
    {"setExceptionBreakpoints", &Session::SetExceptionBreakpoints},
    {"configurationDone", &Session::ConfigurationDone},
    {"restart", &Session::Restart},
    {"continue", &Session::ContinueOn},
    {"reverseContinue", &Session::ReverseContinue},
    {"next", &Session::Next},
    {"stepIn", &Session::StepIn},
    {"stepOut", &Session::StepOut},
    {"stepBack", &Session::StepBack},
    {"gotoTargets", &Session::GotoTargets},
    {"goto", &Session::Goto},
    {"pause", &Session::Pause},
    {"threads", &Session::Threads},
    {"stackTrace", &Session::StackTrace},
    {"scopes", &Session::Scopes},
    {"variables", &Session::OpenVariable},
    {"evaluate", &Session::Evaluate},
    {"setVariable", &Session::SetValue},
    {"setExpression", &Session::SetValue},
    {"exceptionInfo", &Session::ExceptionInfo},
    {"source", &Session::SourceOf},
    {"loadedSources", &Session::LoadedSources},
    {"breakpointLocations", &Session::BreakpointLocations},
};

namespace {

Object Capabilities() {
  return {{"supportsConfigurationDoneRequest", true},
          {"supportsFunctionBreakpoints", true},
          {"supportsConditionalBreakpoints", true},
          {"supportsEvaluateForHovers", true},
          {"exceptionBreakpointFilters", EventFilters()},
          {"supportsStepBack", true},
          {"supportsGotoTargetsRequest", true},
          {"supportsRestartRequest", true},
          {"supportsExceptionInfoRequest", true},
          {"supportsExceptionFilterOptions", true},
          {"supportsDelayedStackTraceLoading", true},
          {"supportsLoadedSourcesRequest", true},
          {"supportsLogPoints", true},
          {"supportsTerminateRequest", true},
          {"supportsBreakpointLocationsRequest", true},
          {"supportsClipboardContext", true},
          {"supportsSteppingGranularity", true}};
}

}  // namespace

void Session::Handle(const Request& request) {
  const auto route = std::ranges::find(kRoutes, request.command, &Route::command);
  Result<Object> answer;
  if (route == std::end(kRoutes))
    answer = Fail(ErrorCode::kUnsupported,
                  fmt::format("Expected a request that a recorded history can answer but found "
                              "\"{}\"",
                              request.command));
  else if (!initialized_ && request.command != "initialize" && request.command != "disconnect")
    answer = Fail(ErrorCode::kBadRequest,
                  fmt::format("Expected \"initialize\" first but found \"{}\"", request.command));
  else if (route->needs_history && !history_)
    answer = Fail(ErrorCode::kBadRequest,
                  fmt::format("Expected \"launch\" or \"attach\" before \"{}\"", request.command));
  else
    answer = (this->*route->handle)(request.arguments);
  out_.Respond(request, answer);
  if (const auto next = std::exchange(afterwards_, nullptr)) next();
}

Result<Object> Session::Initialize(const Fields& arguments) {
  if (initialized_) return Fail(ErrorCode::kBadRequest, "Expected \"initialize\" once");
  if (arguments.TextOr("pathFormat", "path") != "path")
    return Fail(ErrorCode::kUnsupported, "Expected `pathFormat` to be \"path\"");
  first_line_ = arguments.BoolOr("linesStartAt1", true) ? 1 : 0;
  initialized_ = true;
  return Capabilities();
}

Result<Object> Session::Launch(const Fields& arguments) {
  return Open(arguments, false);
}

Result<Object> Session::Attach(const Fields& arguments) {
  return Open(arguments, true);
}

Result<Object> Session::Open(const Fields& arguments, bool attached) {
  if (history_) return Fail(ErrorCode::kBadRequest, "Expected one \"launch\" or \"attach\"");
  STELE_RETURN_IF_ERROR(arguments.CheckText("program"));
  for (const char* const name : {"stopOnEntry", "follow"})
    STELE_RETURN_IF_ERROR(arguments.CheckBool(name));
  Result<std::unique_ptr<History>> opened = open_(arguments);
  if (!opened.has_value()) return std::unexpected(opened.error());
  launch_ = arguments;
  attached_ = attached;
  history_ = *std::move(opened);
  follows_ = arguments.BoolOr("follow", history_->grows);
  sources_.emplace(history_->registry, arguments.TextOr("program"), first_line_, ReadWorkflowFile);
  view_.emplace(debugger(), *sources_);
  breakpoints_.emplace(debugger(), *sources_);
  commands_.emplace(debugger(), [this](uint32_t line) { return StepsOfLine(line); });
  debugger().OnProgress([this](Seq at) {
    progress_ = at;
    return !is_interrupted_() && !(is_far_ && is_far_(at));
  });
  if (const Status entered = GoToEntry(); !entered.has_value()) {
    commands_.reset();
    breakpoints_.reset();
    view_.reset();
    sources_.reset();
    history_.reset();
    return std::unexpected(entered.error());
  }
  LearnDefinitions(Seq(1));
  afterwards_ = [this] { out_.Event("initialized"); };
  return Object();
}

// `at`: an event's number, or a moment as commands take it; else the beginning, or of an instance
// that is attached to where it is now.
Status Session::GoToEntry() {
  const Value* const at = launch_.Find("at");
  Result<replay::Stop> stop;
  if (at == nullptr) {
    stop = debugger().JumpTo(attached_ ? debugger().last() : Seq(1));
  } else if (at->is_int() && at->as_int() > 0) {
    stop = debugger().JumpTo(Seq(static_cast<uint64_t>(at->as_int())));
  } else if (at->is_string()) {
    const Result<replay::When> when = ReadWhen(at->as_string(), "`at`");
    if (!when.has_value()) return std::unexpected(when.error());
    stop = debugger().JumpTo(*when);
  } else {
    return Fail(ErrorCode::kBadRequest,
                fmt::format("Expected `at` to be the number of an event, from 1 to {}, or the "
                            "text of a moment but found {}",
                            debugger().last().value, Inline(*at)));
  }
  view_->Forget();
  return stop.has_value() ? Status() : std::unexpected(stop.error());
}

Result<Object> Session::ConfigurationDone(const Fields&) {
  if (begun_) return Fail(ErrorCode::kBadRequest, "Expected \"configurationDone\" once");
  begun_ = true;
  afterwards_ = [this] { Begin(); };
  return Object();
}

void Session::Begin() {
  const std::string program = launch_.TextOr("program");
  const auto is_program = [&](DefinitionId definition) {
    return !sources_->Of(definition).path.empty();
  };
  if (!program.empty() && std::ranges::none_of(ran_, is_program))
    out_.Output("important",
                fmt::format("Expected what instance {} has run but found another text in {}: its "
                            "steps are shown in the text that was registered\n",
                            debugger().instance().value, program));
  if (attached_ || launch_.BoolOr("stopOnEntry", true))
    Stopped("entry", Here());
  else
    Run(replay::Direction::kForward);
}

Result<Object> Session::Restart(const Fields&) {
  attached_ = false;
  const Status entered = GoToEntry();
  if (!entered.has_value()) return std::unexpected(entered.error());
  begun_ = true;
  afterwards_ = [this] { Begin(); };
  return Object();
}

Result<Object> Session::Terminate(const Fields&) {
  waits_ = false;
  afterwards_ = [this] { out_.Event("terminated"); };
  return Object();
}

Result<Object> Session::Disconnect(const Fields&) {
  waits_ = false;
  over_ = true;
  return Object();
}

}  // namespace stele::cli::dap
