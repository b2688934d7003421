// The first event of a history behind which an expression holds.
//
// Short histories are looked at in full. Of longer ones a binary search over the keyframes of a
// time machine, then event by event, looks behind a few hundred events of a million. It finds a
// place where the expression began to hold; when it held and ceased to hold before, that may not be
// the first one.
//
// Thread: the machine's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/value.h"
#include "engine/expression/expression.h"
#include "replay/time_machine.h"

namespace stele::replay {

// A history of at most so many events is looked at in full, also when nobody asks for it: a tenth
// of a second.
inline constexpr uint64_t kSearchedInFull = 100'000;

struct Bisection {
  Seq at;                    // 0: it held behind none of those that were looked at
  bool exact = false;        // every event was looked behind, up to `at`
  bool holds_first = false;  // behind the first event already
  bool holds_last = false;   // behind the last one, if that was looked at
  uint64_t looked_at = 0;    // states
  uint64_t undefined = 0;    // of them, those behind which it could not be evaluated
  std::optional<Error> why;  // the first of these failures
};

// A history of at most `in_full` events is looked at in full. Where the expression cannot be
// evaluated (a variable or a run is not there) it does not hold. The error of that when it could be
// evaluated behind none that was looked at and has a name that no state has.
Result<Bisection> Bisect(TimeMachine& machine, const expression::Expression& expression,
                         uint64_t in_full);

// {instance, expression, exact, found: "never" | "first" | "began", looked_at, holds_at_end, event,
// changes}: `changes` is what the event made of the state before it. `exact`: in full, however long
// the history is. An expression that does not parse is an error of it.
Result<Object> PastBisection(TimeMachine& machine, std::string_view expression, bool exact);

}  // namespace stele::replay
