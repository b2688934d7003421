// One editor that looks at one history: every request of the protocol, and the events that follow.
//
//   initialize → launch or attach → (initialized) → breakpoints → configurationDone → (stopped) → …
//
// Nothing runs and nothing is changed: continuing goes on in what is recorded, up to a breakpoint
// or the end. Of an instance at a server that has not ended it then waits for what is recorded
// next.
//
// Thread: one at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/dap/breakpoints.h"
#include "cli/dap/message.h"
#include "cli/dap/sources.h"
#include "cli/dap/view.h"
#include "cli/debug/commands.h"
#include "engine/model/registry.h"
#include "replay/debugger/debugger.h"

namespace stele::cli::dap {

// What an editor has asked to look at.
struct History {
  std::unique_ptr<replay::Source> source;
  model::Registry registry;
  std::unique_ptr<replay::Debugger> debugger;
  bool grows = false;  // somebody may append to it while it is read
};
// As the arguments of launch or attach say.
using OpenHistory = std::function<Result<std::unique_ptr<History>>(const Fields& arguments)>;

class Session {
 public:
  // `is_interrupted`: asked now and then during long moves; true: the editor wants something else.
  Session(Outbox& out, OpenHistory open, std::function<bool()> is_interrupted)
      : out_(out), open_(std::move(open)), is_interrupted_(std::move(is_interrupted)) {}

  void Handle(const Request& request);
  // It has come to the end of a history that grows: Follow is to be called every now and then.
  bool is_waiting() const { return waits_; }
  void Follow();
  // The editor has said goodbye.
  bool is_over() const { return over_; }

 private:
  using Handler = Result<Object> (Session::*)(const Fields& arguments);
  struct Route {
    std::string_view command;
    Handler handle;
    bool needs_history = true;
  };
  static const Route kRoutes[];

  // The life of a session.
  Result<Object> Initialize(const Fields& arguments);
  Result<Object> Launch(const Fields& arguments);
  Result<Object> Attach(const Fields& arguments);
  Result<Object> Open(const Fields& arguments, bool attached);
  Result<Object> ConfigurationDone(const Fields& arguments);
  Result<Object> Restart(const Fields& arguments);
  Result<Object> Terminate(const Fields& arguments);
  Result<Object> Disconnect(const Fields& arguments);
  void Begin();
  Status GoToEntry();

  // Moves.
  Result<Object> ContinueOn(const Fields& arguments);
  Result<Object> ReverseContinue(const Fields& arguments);
  Result<Object> Next(const Fields& arguments);
  Result<Object> StepIn(const Fields& arguments);
  Result<Object> StepOut(const Fields& arguments);
  Result<Object> StepBack(const Fields& arguments);
  Result<Object> GotoTargets(const Fields& arguments);
  Result<Object> Goto(const Fields& arguments);
  Result<Object> Pause(const Fields& arguments);
  // Whether a request to move is of a thread that there is.
  Status CheckThread(const Fields& arguments) { return view_->CheckThread(arguments); }
  void Move(replay::Unit unit, replay::Direction direction);
  void Undo();
  // Ends a step that has begun at `from`, at a breakpoint on its way or where it leads.
  void EndStep(Seq from, const Result<replay::Stop>& stop, replay::Direction direction);
  void Remember(Seq from);
  Result<Seq> FirstHit(Seq from, Seq target, replay::Direction direction, Breakpoints::Hit& hit);
  void Run(replay::Direction direction);
  // Whether it goes on: what it has come to was only to be logged.
  bool ComeTo(const replay::Stop& stop);
  Status ReadOn();
  void LearnDefinitions(Seq from);
  void Arrived(const Result<replay::Stop>& stop, std::string_view reason);
  void Stopped(std::string_view reason, std::string text, const std::vector<int64_t>& hit = {});
  void Tell(const replay::Stop& stop);
  void Log(const Breakpoints::Hit& hit);
  void TellEvent(const replay::EventLine& event);
  std::string Here();

  // Looks.
  Result<Object> Threads(const Fields&) { return view_->Threads(); }
  Result<Object> StackTrace(const Fields& arguments) { return view_->StackTrace(arguments); }
  Result<Object> Scopes(const Fields& arguments) { return view_->Scopes(arguments); }
  Result<Object> OpenVariable(const Fields& arguments) { return view_->OpenVariable(arguments); }
  Result<Object> Evaluate(const Fields& arguments);
  Result<Object> RunCommand(const std::string& text, const Error& fault);
  std::vector<std::string> StepsOfLine(uint32_t line);
  Result<Object> SetValue(const Fields& arguments);
  Result<Object> ExceptionInfo(const Fields& arguments);
  Result<Object> SourceOf(const Fields& arguments);
  Result<Object> LoadedSources(const Fields& arguments);
  Result<Object> BreakpointLocations(const Fields& arguments);
  Result<Object> SetBreakpoints(const Fields& arguments);
  Result<Object> SetFunctionBreakpoints(const Fields& arguments);
  Result<Object> SetExceptionBreakpoints(const Fields& arguments);

  replay::Debugger& debugger() { return *history_->debugger; }

  Outbox& out_;
  const OpenHistory open_;
  const std::function<bool()> is_interrupted_;
  std::function<void()> afterwards_;  // what follows the answer to the request at hand

  bool initialized_ = false;
  bool over_ = false;
  int64_t first_line_ = 1;
  bool attached_ = false;
  bool begun_ = false;
  bool waits_ = false;  // for what is recorded next; whatever stops it ends that
  bool follows_ = false;
  Fields launch_;
  Seq progress_;                        // how far a long move is
  std::function<bool(Seq at)> is_far_;  // of one that need not go further; null: it may
  // Where the steps forward began that have led to `way_end_`, and have not been taken back.
  // Anything else that moves leads somewhere else.
  std::vector<Seq> way_;
  Seq way_end_;
  std::set<int64_t> targets_;      // that gotoTargets has given
  std::vector<DefinitionId> ran_;  // in the order in which it ran them
  std::unique_ptr<History> history_;
  std::optional<Sources> sources_;
  std::optional<View> view_;
  std::optional<Breakpoints> breakpoints_;
  std::optional<DebugCommands> commands_;
};

}  // namespace stele::cli::dap
