#include "cli/dap/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/definition/moment.h"

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

// `at`: an event's number, or a time; else the beginning, or of an instance that is attached to
// where it is now.
Status Session::GoToEntry() {
  const int64_t seq = launch_.IntegerOr("at", 0);
  const std::string time = launch_.TextOr("at");
  Result<replay::Stop> stop;
  if (!time.empty()) {
    const std::optional<TimeUs> at = definition::ParseTime(time);
    if (!at.has_value())
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("Expected `at` to be the number of an event, or a time such as "
                              "2026-11-21T09:30:00Z, but found \"{}\"",
                              time));
    stop = debugger().JumpTo(*at);
  } else if (seq != 0) {
    stop = debugger().JumpTo(Seq(seq < 0 ? 0 : static_cast<uint64_t>(seq)));
  } else {
    stop = debugger().JumpTo(attached_ ? debugger().last() : Seq(1));
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
