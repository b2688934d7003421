#include "replay/bisect.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "replay/past_state.h"
#include "replay/state_environment.h"

namespace stele::replay {

namespace {

class Search {
 public:
  Search(TimeMachine& machine, const expression::Expression& expression)
      : machine_(machine), expression_(expression), known_(expression.references().size()) {}

  Status Exact() {
    found_.exact = true;
    bool looked_at_last = false;
    STELE_RETURN_IF_ERROR(machine_.Visit(Seq(1), [&](const Moment& moment, const PastEvent& event) {
      const bool holds = Holds(moment, [&event] { return &event; });
      if (holds) found_.at = moment.seq;
      looked_at_last = moment.seq == machine_.last();
      return !holds;
    }));
    found_.holds_first = found_.at == Seq(1);
    found_.holds_last = looked_at_last && found_.at != Seq();
    return {};
  }

  Status Binary() {
    Result<bool> holds = HoldsBehind(Seq(1));
    if (!holds.has_value()) return std::unexpected(holds.error());
    if (*holds) {
      found_.at = Seq(1);
      found_.holds_first = true;
      return {};
    }
    if (machine_.last() == Seq(1)) return {};
    holds = HoldsBehind(machine_.last());
    if (!holds.has_value()) return std::unexpected(holds.error());
    found_.holds_last = *holds;
    // What is known of the first event and the last is not asked again.
    std::vector<Seq> keyframes = machine_.Keyframes();
    std::erase(keyframes, Seq(1));
    const Result<Bounds> bounds = *holds ? Halve(keyframes) : FindAny(keyframes);
    if (!bounds.has_value()) return std::unexpected(bounds.error());
    if (bounds->holds) return Walk(*bounds);
    return {};
  }

  // What it came to. A name that no state has is a slip of the pen; what is there at times only, as
  // a run, was not there.
  Result<Bisection> Take() {
    if (found_.looked_at == found_.undefined && std::ranges::find(known_, false) != known_.end())
      return std::unexpected(*found_.why);
    return std::move(found_);
  }

 private:
  // It does not hold behind the one, and it does behind the other; 0: there is none.
  struct Bounds {
    Seq holds_not;
    Seq holds;
  };

  bool Holds(const Moment& moment, const StateEnvironment::EventOf& event) {
    ++found_.looked_at;
    const StateEnvironment environment(moment, ScopeId(), event);
    const Result<bool> holds = expression_.EvaluateBool(environment);
    if (holds.has_value()) return *holds;
    ++found_.undefined;
    if (!found_.why.has_value()) found_.why = holds.error();
    for (size_t i = 0; i < known_.size(); ++i)
      known_[i] = known_[i] || environment.Knows(expression_.references()[i].path);
    return false;
  }

  Result<bool> HoldsBehind(Seq seq) {
    const Result<Moment> moment = machine_.At(seq);
    if (!moment.has_value()) return std::unexpected(moment.error());
    std::optional<PastEvent> event;
    Status readable;
    const bool holds = Holds(*moment, [&]() -> const PastEvent* {
      Result<PastEvent> read = machine_.EventAt(seq);
      if (!read.has_value()) readable = std::unexpected(read.error());
      if (read.has_value()) event.emplace(*read);
      return read.has_value() ? &*event : nullptr;
    });
    if (!readable.has_value()) return std::unexpected(readable.error());
    return holds;
  }

  Result<Bounds> Halve(const std::vector<Seq>& keyframes) {
    Seq holds_not(1);
    size_t low = 0;
    size_t high = keyframes.size() - 1;  // behind the last event it holds
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      const Result<bool> holds = HoldsBehind(keyframes[middle]);
      if (!holds.has_value()) return std::unexpected(holds.error());
      if (*holds) {
        high = middle;
      } else {
        holds_not = keyframes[middle];
        low = middle + 1;
      }
    }
    return Bounds{holds_not, keyframes[high]};
  }

  // Behind the last event it does not hold; it may have held before.
  Result<Bounds> FindAny(const std::vector<Seq>& keyframes) {
    Seq holds_not(1);
    for (const Seq keyframe : std::span(keyframes).first(keyframes.size() - 1)) {
      const Result<bool> holds = HoldsBehind(keyframe);
      if (!holds.has_value()) return std::unexpected(holds.error());
      if (*holds) return Bounds{holds_not, keyframe};
      holds_not = keyframe;
    }
    return Bounds{};
  }

  Status Walk(const Bounds& bounds) {
    for (Seq seq = bounds.holds_not.Next(); seq < bounds.holds; seq = seq.Next()) {
      const Result<bool> holds = HoldsBehind(seq);
      if (!holds.has_value()) return std::unexpected(holds.error());
      found_.at = seq;
      if (*holds) return {};
    }
    found_.at = bounds.holds;
    return {};
  }

  TimeMachine& machine_;
  const expression::Expression& expression_;
  std::vector<bool> known_;  // of its references: a state has that name, or may have it
  Bisection found_;
};

std::string_view FoundWord(const Bisection& found) {
  if (!found.at) return "never";
  return found.holds_first ? "first" : "began";
}

}  // namespace

Result<Bisection> Bisect(TimeMachine& machine, const expression::Expression& expression,
                         uint64_t in_full) {
  Search search(machine, expression);
  STELE_RETURN_IF_ERROR(machine.last().value <= in_full ? search.Exact() : search.Binary());
  return search.Take();
}

Result<Object> PastBisection(TimeMachine& machine, std::string_view text, bool exact) {
  const Result<expression::Expression> expression = expression::Expression::Compile(text);
  if (!expression.has_value()) return std::unexpected(expression.error());
  const Result<Bisection> found =
      Bisect(machine, *expression, exact ? std::numeric_limits<uint64_t>::max() : kSearchedInFull);
  if (!found.has_value()) return std::unexpected(found.error());
  Object document{{"instance", static_cast<int64_t>(machine.instance().value)},
                  {"expression", text},
                  {"exact", found->exact},
                  {"last", static_cast<int64_t>(machine.last().value)},
                  {"found", FoundWord(*found)},
                  {"looked_at", static_cast<int64_t>(found->looked_at)},
                  {"undefined", static_cast<int64_t>(found->undefined)}};
  if (found->why.has_value()) document.Set("why", found->why->message);
  if (!found->exact && !found->holds_first) document.Set("holds_at_end", found->holds_last);
  if (!found->at) return document;
  const Result<Value> before = StateBehind(machine, Seq(found->at.value - 1));
  if (!before.has_value()) return std::unexpected(before.error());
  const Result<Value> behind = StateBehind(machine, found->at);
  if (!behind.has_value()) return std::unexpected(behind.error());
  Result<Object> event = EventBehind(machine, found->at);
  if (!event.has_value()) return std::unexpected(event.error());
  document.Set("event", *std::move(event));
  document.Set("changes", ChangesToJson(DifferencesBetween(*before, *behind)));
  return document;
}

}  // namespace stele::replay
