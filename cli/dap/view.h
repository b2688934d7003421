// What an editor sees where a debugger stands: threads, stacks, scopes, variables.
//
// Thread 1 is the history: its stack begins at the step that the event here speaks of, goes on with
// the iterations and sub-processes around it, and ends with the instance. Every other thread is a
// run that is open beside it: a task that goes on, a timer or a person that is waited for.
//
// Thread: one at a time. REQUIRES: debugger and sources outlive it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/dap/message.h"
#include "cli/dap/sources.h"
#include "cli/dap/variables.h"
#include "replay/debugger/debugger.h"

namespace stele::cli::dap {

inline constexpr int64_t kHistoryThread = 1;
// Of the runs that are open, so many are threads.
inline constexpr size_t kMaxThreads = 200;

class View {
 public:
  View(replay::Debugger& debugger, Sources& sources) : debugger_(debugger), sources_(sources) {}

  // The debugger has moved: frames and variables that were given are good no longer.
  void Forget();

  // kBadRequest, kInvalidInput: `threadId` names no thread of the last stop.
  Status CheckThread(const Fields& arguments);

  // Answers to the requests of that name.
  Result<Object> Threads();
  Result<Object> StackTrace(const Fields& arguments);
  Result<Object> Scopes(const Fields& arguments);
  Result<Object> OpenVariable(const Fields& arguments) { return variables_.Open(arguments); }

  // A value that was asked for, until the next move.
  Object Describe(Value value);
  // In whose names an expression is meant; of 0, the event's.
  Result<std::optional<ScopeId>> ScopeOfFrame(int64_t frame) const;
  // Source and line of a step; empty: it has none.
  Result<Object> PlaceOf(std::string_view step);

 private:
  struct Frame {
    std::string name;
    std::optional<StepIndex> step;  // none: it is the instance's
    ScopeId scope;
    RunId run;  // 0: none
  };
  Result<std::vector<Frame>> FramesOf(int64_t thread);
  void AddAround(const replay::Moment& moment, ScopeId scope, std::vector<Frame>& frames) const;
  Object PlaceOf(const Frame& frame, DefinitionId definition);
  Result<const Value*> State();
  Result<Value> RunBefore(RunId run);
  std::vector<std::string> Around(ScopeId scope) const;
  Object ScopeLine(std::string_view name, std::string_view hint, int64_t number, bool expensive);
  std::optional<Shown> ItemOf(const std::string& scope);
  std::vector<Shown> VariablesOf(ScopeId scope);
  std::vector<Shown> OutputsOf(ScopeId scope) const;
  Status AddRun(const Frame& frame, Array& scopes);
  Status AddEvent(Array& scopes);

  replay::Debugger& debugger_;
  Sources& sources_;
  Variables variables_;
  const Value* state_ = nullptr;  // one of the variables'
  std::vector<Frame> frames_;     // by id, from 1
  std::map<int64_t, std::vector<int64_t>> stacks_;
};

}  // namespace stele::cli::dap
