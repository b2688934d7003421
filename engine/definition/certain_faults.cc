#include "engine/definition/certain_faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "base/json.h"
#include "engine/definition/duration.h"

namespace stele::definition {
namespace {

using expression::Reference;

// Where an expression stands, as far as it decides what it may see.
struct Site {
  std::string what;  // "the condition of \"a\""
  Place place;
  BodyIndex body{0};
  StepIndex step{kNoIndex};  // none: the definition's own
  bool before = false;       // evaluated before the step itself ran
  bool in_loop = false;
  bool outputs = true;  // of a step before it, or its own
  bool started = true;  // false: before anything of the instance began
};

class NothingThere final : public expression::Environment {
 public:
  Found Lookup(std::span<const std::string>) const override { return {}; }
};

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

class Checker {
 public:
  Checker(const Definition& definition, Faults& faults);

  void Run();

 private:
  void CheckStep(StepIndex index);
  void CheckLoop(const Step& step, Site site);
  void Check(const std::optional<Expression>& expression, const Site& site);
  // What it gives where that is certain.
  std::optional<Value> Check(const Template& text, const Site& site);
  void CheckStrings(const Value& value, const Site& site);
  void CheckPieces(const std::string& text, const Site& site);
  void CheckDuration(const std::optional<Value>& value, const Site& site);
  bool AllAbsent(std::span<const Reference> references, const Site& site);
  bool IsAbsent(const std::vector<std::string>& path, const Site& site);
  bool IsAbsentStep(const std::vector<std::string>& path, const Site& site);
  bool IsAround(BodyIndex outer, BodyIndex inner) const;
  bool InLoop(BodyIndex body) const;
  bool ComesAfter(StepIndex step, StepIndex later);
  void Add(const Error& error, const Site& site);

  const Definition& definition_;
  Faults& faults_;
  const bool linked_;
  std::vector<bool> entered_;  // by step: a transition leads to it
  std::vector<bool> named_;    // by step: a fallback or a compensation
  StepIndex without_{kNoIndex};
  std::vector<bool> reached_;            // without passing `without_`
  const Value* closed_input_ = nullptr;  // the properties, where the input has no others
};

Checker::Checker(const Definition& definition, Faults& faults)
    : definition_(definition),
      faults_(faults),
      linked_(definition.by_id.size() == definition.steps.size()),
      entered_(definition.steps.size()),
      named_(definition.steps.size()) {
  for (const Transition& edge : definition.transitions) entered_[edge.to.value] = true;
  const auto name = [&](StepIndex index) {
    if (index.value != kNoIndex) named_[index.value] = true;
  };
  for (const Step& step : definition.steps) {
    name(step.fallback);
    name(step.compensation);
  }
  for (const Body& body : definition.bodies) name(body.fallback);
  const Value* more = definition.input_schema.Find("additionalProperties");
  if (more != nullptr && *more == Value(false) &&
      definition.input_schema.Find("patternProperties") == nullptr)
    closed_input_ = definition.input_schema.Find("properties");
}

void Checker::Run() {
  for (uint32_t i = 0; i < definition_.steps.size(); ++i) CheckStep(StepIndex(i));
  for (const Mapping& output : definition_.outputs)
    Check(output.value, {.what = fmt::format("the output {}", Quote(output.name)),
                         .place = {1, 1},
                         .outputs = false});
  if (definition_.concurrency)
    Check(definition_.concurrency->key,
          {.what = "the concurrency key", .place = {1, 1}, .outputs = false, .started = false});
}

void Checker::CheckStep(StepIndex index) {
  const Step& step = definition_.step(index);
  const bool first =
      linked_ && step.body.value == 0 && !entered_[index.value] && !named_[index.value];
  const std::string of = " of " + Quote(step.id);
  Site site{.what = {},
            .place = step.place,
            .body = step.body,
            .step = index,
            .before = true,
            .in_loop = InLoop(step.body),
            .outputs = !first};
  const auto at = [&](std::string what) -> const Site& {
    site.what = std::move(what) + of;
    return site;
  };
  Check(step.condition, at("the condition"));
  Check(step.config, at("the configuration"));
  for (const Mapping& input : step.inputs) Check(input.value, at("the input " + Quote(input.name)));
  if (step.delay) CheckDuration(Check(*step.delay, at("the delay")), site);
  if (step.concurrency) Check(step.concurrency->key, at("the concurrency key"));
  if (step.kind == StepKind::kLoop) CheckLoop(step, site);
  site.before = false;
  site.outputs = true;
  for (const Mapping& output : step.outputs)
    Check(output.value, at("the output " + Quote(output.name)));
  for (const TransitionIndex out : step.outgoing) {
    const Transition& edge = definition_.transition(out);
    if (edge.place.line != 0) site.place = edge.place;
    Check(edge.condition, at("the transition to " + Quote(definition_.step(edge.to).id)));
  }
}

void Checker::CheckLoop(const Step& step, Site site) {
  const std::string of = " of " + Quote(step.id);
  const bool counted = step.loop.mode == LoopMode::kTimes;
  if (step.loop.items) {
    site.what = (counted ? "the count" : "the items") + of;
    const std::optional<Value> items = Check(*step.loop.items, site);
    const bool fits =
        !items || (counted ? items->is_int() && items->as_int() >= 0 : items->is_array());
    if (!fits)
      Add({ErrorCode::kExpressionType, fmt::format("Expected a {} to loop over but found {}",
                                                   counted ? "count" : "list", ToJson(*items))},
          site);
  }
  site.what = "the loop's condition" + of;
  site.in_loop = site.outputs = true;
  site.before = false;
  Check(step.loop.condition, site);
}

void Checker::CheckDuration(const std::optional<Value>& value, const Site& site) {
  if (!value) return;
  const bool fits = value->is_string() ? ParseDuration(value->as_string()).has_value()
                                       : value->is_number() && value->as_double() >= 0;
  if (!fits)
    Add({ErrorCode::kBadDuration, fmt::format("Expected a duration such as \"5s\"{} but found {}",
                                              DurationBound(*value), ToJson(*value))},
        site);
}

void Checker::Check(const std::optional<Expression>& expression, const Site& site) {
  if (!expression || !AllAbsent(expression->references(), site)) return;
  if (const auto value = expression->EvaluateBool(NothingThere()); !value) Add(value.error(), site);
}

std::optional<Value> Checker::Check(const Template& text, const Site& site) {
  if (!text.is_dynamic()) return std::nullopt;
  const Value& source = text.source();
  if (!source.is_string()) {
    CheckStrings(source, site);
    return std::nullopt;
  }
  if (!AllAbsent(text.references(), site)) {
    CheckPieces(source.as_string(), site);
    return std::nullopt;
  }
  auto rendered = text.Render(NothingThere());
  if (!rendered) {
    Add(rendered.error(), site);
    return std::nullopt;
  }
  if (!rendered->secrets.empty()) return std::nullopt;
  return std::move(rendered->value);
}

void Checker::CheckStrings(const Value& value, const Site& site) {
  if (value.is_array())
    for (const Value& item : value.as_array()) CheckStrings(item, site);
  if (value.is_object())
    for (const Member& member : value.as_object()) CheckStrings(member.value, site);
  if (!value.is_string()) return;
  if (const auto text = Template::Compile(value)) Check(*text, site);
}

// One that has no value takes the whole string with it. What is no template when it is cut out this
// simply is left alone.
void Checker::CheckPieces(const std::string& text, const Site& site) {
  for (size_t begin = text.find("{{"); begin != std::string::npos; begin = text.find("{{", begin)) {
    const size_t end = text.find("}}", begin);
    if (end == std::string::npos) return;
    const bool escaped = begin > 0 && text[begin - 1] == '\\';
    if (const auto piece = Template::Compile(Value(text.substr(begin, end + 2 - begin)));
        piece && !escaped && AllAbsent(piece->references(), site))
      if (const auto value = piece->Render(NothingThere()); !value) Add(value.error(), site);
    begin = end + 2;
  }
}

bool Checker::AllAbsent(std::span<const Reference> references, const Site& site) {
  return std::ranges::all_of(references, [&](const Reference& reference) {
    return reference.path[0] == "secrets" || IsAbsent(reference.path, site);
  });
}

bool Checker::IsAbsent(const std::vector<std::string>& path, const Site& site) {
  const std::string& root = path[0];
  if (root == "execution")
    return path.size() > 1 &&
           !IsOneOf(path[1], {"id", "workflow", "business_key", "started_at_us"});
  if (root == "loop") return !site.in_loop;
  if (IsOneOf(root, {"outputs", "previous_task_result", "response"})) return !site.outputs;
  if (root == "input")
    return path.size() > 1 && closed_input_ != nullptr && closed_input_->Find(path[1]) == nullptr;
  return root == "steps" && IsAbsentStep(path, site);
}

bool Checker::IsAbsentStep(const std::vector<std::string>& path, const Site& site) {
  if (path.size() < 3 || !linked_) return false;
  const Step* step = definition_.FindStep(path[1]);
  if (step == nullptr) return false;  // linking tells
  if (!IsOneOf(path[2], {"output", "outputs", "result"})) return path[2] != "status";
  if (!site.started || !IsAround(step->body, site.body)) return true;
  const StepIndex index = definition_.IndexOf(*step);
  return site.before && (index == site.step || ComesAfter(site.step, index));
}

bool Checker::IsAround(BodyIndex outer, BodyIndex inner) const {
  while (inner != outer) {
    const StepIndex owner = definition_.body(inner).owner;
    if (owner.value == kNoIndex) return false;
    inner = definition_.step(owner).body;
  }
  return true;
}

// Or in a body that nothing runs: that is told, and a loop might have.
bool Checker::InLoop(BodyIndex body) const {
  while (body.value != 0) {
    const StepIndex owner = definition_.body(body).owner;
    if (owner.value == kNoIndex || definition_.step(owner).kind == StepKind::kLoop) return true;
    body = definition_.step(owner).body;
  }
  return false;
}

// Whether every way to `later` leads through the step first, and none back.
bool Checker::ComesAfter(StepIndex step, StepIndex later) {
  const Step& from = definition_.step(step);
  const Step& to = definition_.step(later);
  if (from.body != to.body || named_[step.value] || named_[later.value]) return false;
  if (from.region != kNoIndex || to.region != kNoIndex) return false;
  if (without_ != step) {
    without_ = step;
    reached_.assign(definition_.steps.size(), false);
    std::vector<StepIndex> open;
    const auto reach = [&](StepIndex next) {
      if (next == step || reached_[next.value]) return;
      reached_[next.value] = true;
      open.push_back(next);
    };
    for (const StepIndex entry : definition_.body(from.body).entries) reach(entry);
    while (!open.empty()) {
      const StepIndex next = open.back();
      open.pop_back();
      for (const TransitionIndex out : definition_.step(next).outgoing)
        reach(definition_.transition(out).to);
    }
  }
  return !reached_[later.value];
}

void Checker::Add(const Error& error, const Site& site) {
  const ErrorCode code =
      error.code == ErrorCode::kExpressionUndefined ? ErrorCode::kUnknownReference : error.code;
  faults_.Add(
      code, site.place,
      fmt::format("Expected {} to have a value but it never can: {}", site.what, error.message));
}

}  // namespace

void CheckCertainFaults(const Definition& definition, Faults& faults) {
  Checker(definition, faults).Run();
}

}  // namespace stele::definition
