#include "replay/regression/event_comparison.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "engine/model/event_fields.h"

namespace stele::replay {

namespace {

using model::Event;

// Members that say nothing on their own where definitions differ: what comes of them is in events
// that follow, or they are numbers of the definition's.
template <class Of>
bool IsLeftOut(std::string_view) {
  return false;
}
template <>
bool IsLeftOut<model::InstanceStarted>(std::string_view member) {
  return member == "definition";
}
template <>
bool IsLeftOut<model::InstanceForked>(std::string_view member) {
  return member == "definition" || member == "plan" || member == "state";
}
// `config`, `input` and `secrets` are what the executor is handed (AskedOtherwise).
template <>
bool IsLeftOut<model::StepActivated>(std::string_view member) {
  return member == "via" || member == "config" || member == "input" || member == "secrets" ||
         member == "concurrency_key";
}
template <>
bool IsLeftOut<model::StepHeld>(std::string_view member) {
  return member == "via";
}
template <>
bool IsLeftOut<model::StepPassed>(std::string_view member) {
  return member == "via";
}
// Compensations count when they run.
template <>
bool IsLeftOut<model::StepCompleted>(std::string_view member) {
  return member == "undoable";
}
template <>
bool IsLeftOut<model::ScopeClosed>(std::string_view member) {
  return member == "keeps_undo";
}
template <>
bool IsLeftOut<model::StepRolledBack>(std::string_view member) {
  return member == "cleared";
}

// Members as they are.
struct Plainly {
  template <class Of, class Member>
  bool Same(std::string_view, const Member& a, const Member& b) const {
    return a == b;
  }
};

struct Translated {
  const Correspondence& definitions;

  template <class Of, class Member>
  bool Same(std::string_view name, const Member& recorded, const Member& decided) const {
    return IsLeftOut<Of>(name) || Equal(recorded, decided);
  }
  template <class Member>
  bool Equal(const Member& recorded, const Member& decided) const {
    return recorded == decided;
  }
  bool Equal(StepIndex recorded, StepIndex decided) const {
    return recorded.value == kNoIndex ? decided.value == kNoIndex
                                      : definitions.To(recorded) == decided;
  }
  bool Equal(BodyIndex recorded, BodyIndex decided) const {
    return definitions.To(recorded) == decided;
  }
  // Of those that both definitions have.
  bool Equal(const std::vector<StepIndex>& recorded, const std::vector<StepIndex>& decided) const {
    std::vector<StepIndex> a, b;
    for (const StepIndex step : recorded)
      if (definitions.To(step).value != kNoIndex) a.push_back(definitions.To(step));
    std::ranges::copy_if(decided, std::back_inserter(b),
                         [&](StepIndex step) { return definitions.HasFrom(step); });
    std::ranges::sort(a);
    std::ranges::sort(b);
    return a == b;
  }
  bool Equal(const std::vector<model::NamedPayload>& recorded,
             const std::vector<model::NamedPayload>& decided) const {
    return Covers(recorded, decided) && Covers(decided, recorded);
  }
  // A variable that only one definition declares counts when something looks at it.
  bool Covers(const std::vector<model::NamedPayload>& all,
              const std::vector<model::NamedPayload>& some) const {
    return std::ranges::all_of(some, [&](const model::NamedPayload& one) {
      const auto found = std::ranges::find(all, one.name, &model::NamedPayload::name);
      return found == all.end() ? definitions.IsOfOne(one.name) : found->value == one.value;
    });
  }
};

#define STELE_COMPARE_MEMBER(member, Accessor) \
  if (!how.template Same<Of>(#member, a.member, b.member)) return #member;
#define STELE_COMPARE_EVENT(Type, name, WHICH)                                             \
  template <class How>                                                                     \
  std::string_view Differing(const model::Type& a, const model::Type& b, const How& how) { \
    using Of = model::Type;                                                                \
    STELE_FIELDS_##Type(STELE_COMPARE_MEMBER) return "";                                   \
  }
STELE_EVENTS(STELE_COMPARE_EVENT)
#undef STELE_COMPARE_EVENT
#undef STELE_COMPARE_MEMBER

template <class How>
std::string_view DifferingBy(const Event& a, const Event& b, const How& how) {
  return std::visit(
      [&](const auto& one) {
        return Differing(one, std::get<std::decay_t<decltype(one)>>(b), how);
      },
      a);
}

struct FindsStep {
  StepIndex step{kNoIndex};
  void operator()(std::string_view, StepIndex value) { step = value; }
  template <class Other>
  void operator()(std::string_view, const Other&) {}
};
struct FindsRun {
  RunId run;
  void operator()(std::string_view name, RunId value) {
    if (name == "run" || name == "from_run") run = value;
  }
  template <class Other>
  void operator()(std::string_view, const Other&) {}
};

template <class Finds>
Finds FindIn(const Event& event) {
  Finds finds;
  std::visit([&](const auto& one) { model::VisitFields(one, std::ref(finds)); }, event);
  return finds;
}

}  // namespace

std::string_view DifferingMember(const Event& a, const Event& b) {
  return DifferingBy(a, b, Plainly{});
}

std::string_view DifferingMember(const Event& recorded, const Event& decided,
                                 const Correspondence& definitions) {
  return DifferingBy(recorded, decided, Translated{definitions});
}

bool AskedOtherwise(const model::StepActivated& recorded, const model::StepActivated& decided,
                    const Correspondence& definitions) {
  if (definitions.to().step(decided.step).kind != definition::StepKind::kTask) return false;
  return !definitions.AsksAlike(recorded.step) || recorded.config != decided.config ||
         recorded.input != decided.input || recorded.secrets != decided.secrets;
}

bool IsBeside(const Event& event, Side side, const Correspondence& definitions) {
  const auto in_both = [&](StepIndex step) {
    return side == Side::kRecorded ? definitions.To(step).value != kNoIndex
                                   : definitions.HasFrom(step);
  };
  if (const auto* passed = std::get_if<model::StepPassed>(&event)) return !in_both(passed->step);
  return std::holds_alternative<model::TokenArrived>(event) ||
         std::holds_alternative<model::TokenHeld>(event) ||
         std::holds_alternative<model::StepSkipped>(event) ||
         std::holds_alternative<model::InstanceMigrated>(event);
}

StepIndex StepNamedBy(const Event& event) {
  return FindIn<FindsStep>(event).step;
}

RunId RunNamedBy(const Event& event) {
  return FindIn<FindsRun>(event).run;
}

}  // namespace stele::replay
