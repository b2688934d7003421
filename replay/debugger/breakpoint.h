// Where a debugger stops. A breakpoint names events: of a kind, about a step, or both; with a
// condition too, those behind which it holds. With a condition alone it names those behind which
// the condition holds and did not hold before: where it becomes true.
//
// So a breakpoint is a set of places in the history, the same whether one comes from before or from
// behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/expression/expression.h"

namespace stele::replay {

struct BreakpointSpec {
  std::string step;       // the id; empty: any
  std::string event;      // "step_failed"; empty: any, or of a step where it begins
  std::string condition;  // an expression (state_environment.h); empty: always
  std::string label;      // what who sets it calls it ("order.yml:14"); empty: by the rest
};

struct Breakpoint {
  uint32_t number = 0;  // from 1
  BreakpointSpec spec;
  bool enabled = true;
  uint64_t hits = 0;
  std::string fault;  // what kept the condition from being evaluated the last time; empty: nothing
  // Compiled forms of the spec: the index's number of the step and the kind of event; 0: any.
  uint32_t step = 0;
  std::optional<size_t> kind;
  std::optional<expression::Expression> condition;

  // It names events without looking at states.
  bool is_on_events() const { return step != 0 || kind.has_value(); }
};

// "step charge", "event step_failed at charge", "step charge if total > 100", or the label.
std::string DescriptionOf(const BreakpointSpec& spec);

}  // namespace stele::replay
