// The breakpoints of an editor, as the debugger has them: on lines, on steps by name (the
// protocol's function breakpoints), on kinds of events (its exception filters).
//
// A line stands for the step whose lines hold it, or the next one below. It is where the step
// begins that a breakpoint stops. With a text to log it tells that and goes on.
//
// Thread: one at a time. REQUIRES: debugger and sources outlive it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/dap/message.h"
#include "cli/dap/sources.h"
#include "replay/debugger/debugger.h"

namespace stele::cli::dap {

// For `initialize`: the kinds of events that an editor offers to stop at.
Array EventFilters();

class Breakpoints {
 public:
  Breakpoints(replay::Debugger& debugger, Sources& sources)
      : debugger_(debugger), sources_(sources) {}

  // Answers to setBreakpoints, setFunctionBreakpoints and setExceptionBreakpoints. Each replaces
  // those of its source, or its kind, that were there. `ran`: the definitions of the history.
  Result<Object> SetLines(const Fields& arguments, const std::vector<DefinitionId>& ran);
  Object SetSteps(const Fields& arguments);
  Object SetEvents(const Fields& arguments);

  // What has been hit, by the debugger's numbers.
  struct Hit {
    std::vector<int64_t> ids;
    std::string_view reason;         // of the `stopped` event; empty: all of them only log
    std::vector<std::string> texts;  // to log, with the values of their expressions
  };
  Hit HitOf(const std::vector<uint32_t>& numbers);
  // An editor may stop at that kind of event as at an exception.
  bool IsException(std::string_view event) const;

 private:
  // One of an editor's; of a line that several steps share it is several of the debugger's.
  struct Set {
    int64_t id = 0;
    std::vector<uint32_t> numbers;
    std::string log;  // what is told in place of stopping
    std::string_view reason;
  };

  void Clear(const std::string& group);
  // Adds one to the group, as an editor wants it: its id, and whether it was taken, with what was
  // wrong else.
  Object Add(const std::string& group, std::string_view reason,
             const std::vector<replay::BreakpointSpec>& specs, const Fields& wanted);
  Object AddLine(const std::string& group, const SourceText& source, const Fields& wanted);
  std::string Rendered(std::string_view log);

  replay::Debugger& debugger_;
  Sources& sources_;
  int64_t last_id_ = 0;
  std::map<std::string, std::vector<Set>> groups_;  // by source, "steps", "events"
};

}  // namespace stele::cli::dap
