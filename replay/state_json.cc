#include "replay/state_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "engine/decide/environment.h"
#include "engine/model/names.h"
#include "replay/state_members.h"
#include "replay/state_timers.h"
#include "replay/to_json.h"

namespace stele::replay {

namespace {

using definition::Definition;
using model::Instance;

Object FailureToJson(const model::Failure& failure) {
  Members out;
  out("kind", failure.kind);
  out("message", failure.message);
  out("run", failure.run);
  return out.Take();
}

// How a step's last run ended: the words of conditions (steps.x.status), and what they leave out.
Object SlotToJson(const model::Slot& slot) {
  Members out;
  out.Word("status", decide::StepStatusWord(slot.state));
  out("handled", slot.state == model::SlotState::kHandled);
  out("omitted", slot.state == model::SlotState::kOmitted);
  out("fired", slot.fired);
  out("completions", slot.completions);
  out("output", slot.output);
  return out.Take();
}

Object SlotsToJson(const model::Scope& scope, const Names& names) {
  std::vector<Member> steps;
  for (const model::Slot& slot : scope.slots)
    steps.push_back({names.Step(slot.step), SlotToJson(slot)});
  return Object::Of(std::move(steps));
}

Object VariablesToJson(const model::Scope& scope) {
  std::vector<Member> variables;
  for (const model::NamedPayload& variable : scope.variables)
    variables.push_back({variable.name, ValueOf(variable.value)});
  return Object::Of(std::move(variables));
}

Value LoopToJson(const model::LoopProgress& loop) {
  Members out;
  out.Number("next", loop.next);
  out.Number("running", loop.running);
  out("failed", loop.failed);
  out("last", loop.last);
  return out.Take();
}

Array SecretsToJson(const std::vector<model::SecretUse>& all) {
  Array secrets;
  for (const model::SecretUse& secret : all)
    secrets.push_back(Object{
        {"name", secret.name}, {"pointer", secret.pointer}, {"offset", int64_t{secret.offset}}});
  return secrets;
}

Object TaskToJson(const model::HumanTask& task) {
  Members out;
  out("assignees", task.assignees);
  out("groups", task.groups);
  out("min_approvers", task.min_approvers);
  out("veto", task.veto);
  out("due", task.due);
  out("escalate_at", task.escalate_at);
  out("remind_at", task.remind_at);
  out("remind_every_us", task.remind_every_us);
  out("remind_limit", task.remind_limit);
  out("reminders", task.reminders);
  out("claimed_by", task.claimed_by);
  out("votes", VotesToJson(task.votes));
  return out.Take();
}

Object RunToJson(const Instance& instance, const Names& names, const model::StepRun& run) {
  Members out;
  out.Word("step", names.Step(run.step));
  out.Word("label", names.Label(instance, run));
  out.Number("scope", run.scope.value);
  out.Word("state", model::EnumName(run.state));
  if (run.purpose != model::Purpose::kNormal) out.Word("purpose", model::EnumName(run.purpose));
  out("of", run.of);
  out.Number("attempt", run.attempt);
  out("uncounted", run.uncounted);
  if (run.via != model::kNoTransition) out.Word("via", names.Transition(run.via));
  out("activated", run.activated);
  out("due", run.due);
  out("deadline", run.deadline);
  out("config", run.config);
  out("input", run.input);
  out("output", run.output);
  out("secrets", SecretsToJson(run.secrets));
  if (run.loop != nullptr) out.Put("loop", LoopToJson(*run.loop));
  if (!run.error_kind.empty() || !run.error_message.empty())
    out.Put("error", Object{{"kind", run.error_kind}, {"message", run.error_message}});
  if (!run.retryable) out.Put("retryable", false);
  out("unprepared", run.unprepared);
  out("waits", WaitsToJson(run.waits));
  if (run.human != nullptr) out.Put("task", TaskToJson(*run.human));
  out("child", run.child);
  out("concurrency_key", run.concurrency_key);
  return out.Take();
}

// Of the root, variables and steps stand in the document itself.
Object ScopeToJson(const model::Scope& scope, bool is_root, const Names& names) {
  Members out;
  out.Word("state", model::EnumName(scope.state));
  const model::Outcome usual = model::Outcome::kFailed;
  if (scope.state == model::ScopeState::kCompensating || scope.ends_as != usual)
    out.Word("ends_as", model::EnumName(scope.ends_as));
  out.Word("body", names.Body(scope.body));
  if (!is_root || scope.parent) out.Number("parent", scope.parent.value);
  out("owner", scope.owner);
  if (!is_root || scope.index != 0) out.Number("index", scope.index);
  out.Number("active", scope.active);
  out("item", scope.item);
  if (scope.failure != nullptr) out.Put("failure", FailureToJson(*scope.failure));
  if (is_root) return out.Take();
  out.Put("variables", VariablesToJson(scope));
  out.Put("steps", SlotsToJson(scope, names));
  return out.Take();
}

// What a member of the document is made of.
struct Document {
  const Instance& instance;
  const Definition& definition;
  uint32_t version;
  Names names;

  const model::Scope* root() const {
    return instance.scopes.empty() ? nullptr : &instance.scopes[0];
  }

  Value About() const {
    Members out;
    out.Number("id", instance.definition.value);
    out.Word("name", definition.name);
    out("version", version);
    return out.Take();
  }
  Value Parent() const {
    if (!instance.parent_instance && !instance.parent_run) return Value();
    return Object{{"instance", Whole(instance.parent_instance.value)},
                  {"run", Whole(instance.parent_run.value)}};
  }
  Value Origin() const {
    if (!instance.origin && !instance.origin_seq && !instance.ends_origin) return Value();
    return Object{{"instance", Whole(instance.origin.value)},
                  {"seq", Whole(instance.origin_seq.value)},
                  {"ends_with_it", instance.ends_origin}};
  }
  Value Failure() const {
    Object failure = FailureToJson(instance.failure);
    return failure.empty() ? Value() : Value(std::move(failure));
  }
  Value Variables() const { return root() == nullptr ? Object() : VariablesToJson(*root()); }
  Value Steps() const { return root() == nullptr ? Object() : SlotsToJson(*root(), names); }
  Value Runs() const {
    std::vector<Member> runs;
    for (const model::StepRun& run : instance.runs)
      runs.push_back({fmt::format("{}", run.id.value), RunToJson(instance, names, run)});
    return Object::Of(std::move(runs));
  }
  Value Scopes() const {
    std::vector<Member> scopes;
    for (const model::Scope& scope : instance.scopes)
      scopes.push_back(
          {fmt::format("{}", scope.id.value), ScopeToJson(scope, &scope == root(), names)});
    return Object::Of(std::move(scopes));
  }
  Value Tokens() const {
    Array tokens;
    for (const model::Scope& scope : instance.scopes) {
      for (const model::Arrival& arrival : scope.arrivals)
        tokens.push_back(
            Token("arrived", scope, arrival.transition, arrival.step, {{"live", arrival.live}}));
      for (const model::HeldStep& held : scope.held_steps)
        tokens.push_back(
            Token("held", scope, held.via, held.step,
                  held.output.has_value() ? Object{{"output", ValueOf(held.output)}} : Object()));
      for (const TransitionIndex dead : scope.held)
        tokens.push_back(Token("dead", scope, dead, StepIndex(kNoIndex), {}));
    }
    return tokens;
  }
  Value Token(std::string_view kind, const model::Scope& scope, TransitionIndex via, StepIndex step,
              const Object& more) const {
    Members out;
    out.Word("kind", kind);
    out.Number("scope", scope.id.value);
    if (step.value != kNoIndex) out.Word("step", names.Step(step));
    if (via != model::kNoTransition) out.Word("transition", names.Transition(via));
    for (const Member& member : more) out.Put(member.key, member.value);
    return out.Take();
  }
  Value Timers() const {
    Array timers;
    for (const model::Timer& timer : TimersOf(instance)) {
      Members out;
      out.Word("kind", model::EnumName(timer.kind));
      out.Number("at", timer.at.value);
      out("run", timer.run);
      if (const model::StepRun* run = instance.FindRun(timer.run))
        out.Word("step", names.Step(run->step));
      timers.push_back(out.Take());
    }
    return timers;
  }
  Value Signals() const {
    Array signals;
    for (const model::Signal& signal : instance.signals) {
      Object one{{"name", signal.name}};
      if (signal.payload.has_value()) one.Set("payload", ValueOf(signal.payload));
      signals.push_back(std::move(one));
    }
    return signals;
  }
  // The scopes inside are given up before those around them.
  Value Undo() const {
    Array all;
    for (const model::Scope& scope : std::views::reverse(instance.scopes))
      for (const model::Undo& undo : std::views::reverse(scope.undo)) {
        Members out;
        out("run", undo.run);
        out.Word("step", names.Step(undo.step));
        if (const std::string by = names.Compensation(undo.step); !by.empty()) out.Word("by", by);
        out.Number("scope", undo.scope.value);
        if (scope.id != undo.scope) out.Number("within", scope.id.value);
        out("output", undo.output);
        all.push_back(out.Take());
      }
    return all;
  }
};

using Make = Value (*)(const Document&);
struct Part {
  std::string_view name;
  bool always;  // also when there is nothing of it
  Make make;
};

#define STELE_PART(name, always, expression) \
  {name, always, [](const Document& d) -> Value { return expression; }}
constexpr Part kParts[] = {
    STELE_PART("instance", true, Whole(d.instance.id.value)),
    STELE_PART("definition", true, d.About()),
    STELE_PART("seq", true, Whole(d.instance.seq.value)),
    STELE_PART("position", true, Whole(d.instance.position.value)),
    STELE_PART("status", true, model::StatusName(d.instance.status)),
    STELE_PART("paused", false, d.instance.paused),
    STELE_PART("queued", false, d.instance.queued),
    STELE_PART("linked", false, d.instance.linked),
    STELE_PART("compensated", false, d.instance.compensated),
    STELE_PART("started", true, d.instance.started.value),
    STELE_PART("ended", false, d.instance.ended.value),
    STELE_PART("deadline", false, d.instance.deadline.value),
    STELE_PART("priority", false, int64_t{d.instance.priority}),
    STELE_PART("business_key", false, d.instance.business_key),
    STELE_PART("idempotency_key", false, d.instance.idempotency_key),
    STELE_PART("tags", false, Texts(d.instance.tags)),
    STELE_PART("parent", false, d.Parent()),
    STELE_PART("origin", false, d.Origin()),
    STELE_PART("concurrency_key", false, d.instance.concurrency_key),
    STELE_PART("trace_parent", false, d.instance.trace_parent),
    STELE_PART("input", false, ValueOf(d.instance.input)),
    STELE_PART("output", false, ValueOf(d.instance.output)),
    STELE_PART("failure", false, d.Failure()),
    STELE_PART("variables", true, d.Variables()),
    STELE_PART("steps", true, d.Steps()),
    STELE_PART("runs", true, d.Runs()),
    STELE_PART("scopes", false, d.Scopes()),
    STELE_PART("tokens", false, d.Tokens()),
    STELE_PART("timers", false, d.Timers()),
    STELE_PART("signals", false, d.Signals()),
    STELE_PART("undo", false, d.Undo()),
    STELE_PART("last_run", false, Whole(d.instance.last_run.value)),
    STELE_PART("last_scope", false, Whole(d.instance.last_scope.value)),
};
#undef STELE_PART

// An absent payload is nothing; one that is null, false, 0 or "" is not.
bool IsAbsent(const Part& part, const Document& document, const Value& value) {
  if (part.always) return false;
  if (part.name == "input") return !document.instance.input.has_value();
  if (part.name == "output") return !document.instance.output.has_value();
  return IsNothing(value);
}

}  // namespace

Object StateToJson(const Instance& instance, const Definition& definition, uint32_t version) {
  const Document document{instance, definition, version, Names(definition)};
  Object out;
  for (const Part& part : kParts) {
    Value value = part.make(document);
    if (!IsAbsent(part, document, value)) out.Set(part.name, std::move(value));
  }
  return out;
}

std::optional<Value> StateMember(const Instance& instance, const Definition& definition,
                                 uint32_t version, std::string_view name) {
  const auto part = std::ranges::find(kParts, name, &Part::name);
  if (part == std::end(kParts)) return std::nullopt;
  return part->make({instance, definition, version, Names(definition)});
}

}  // namespace stele::replay
