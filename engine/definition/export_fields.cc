// What the writers of the notations write alike.

#include <fmt/format.h>

#include <algorithm>

#include "engine/definition/canonical_names.h"
#include "engine/definition/duration.h"
#include "engine/definition/export_plan.h"
#include "engine/definition/step_types.h"
#include "engine/definition/value_types.h"

namespace stele::definition {
namespace {

bool HasTemplate(const Value& value) {
  return value.is_string() &&
         (value.as_string().contains("{{") || value.as_string().contains("${"));
}

// A string without templates would be read as an expression.
bool IsComputed(const Value& value) {
  return !value.is_string() || HasTemplate(value);
}

Object LimitOf(const Concurrency& concurrency) {
  Object limit{{"limit", int64_t{concurrency.limit}}};
  if (concurrency.key.source() != Value("")) limit.Set("key", concurrency.key.source());
  return limit;
}

Object RateOf(const RateLimit& rate) {
  return {{"count", int64_t{rate.count}}, {"per", DurationText(rate.per_us)}};
}

}  // namespace

std::vector<StepIndex> StepsOf(const ExportPlan& plan, BodyIndex body) {
  std::vector<StepIndex> steps = plan.definition.body(body).steps;
  std::ranges::stable_partition(steps, [&](StepIndex index) {
    return IsEntry(plan, index) &&
           std::ranges::any_of(plan.definition.transitions,
                               [&](const Transition& edge) { return edge.to == index; });
  });
  return steps;
}

bool IsEntry(const ExportPlan& plan, StepIndex step) {
  const Body& body = plan.definition.body(plan.step(step).body);
  return std::ranges::find(body.entries, step) != body.entries.end();
}

std::string DurationText(int64_t us) {
  static constexpr std::pair<std::string_view, int64_t> kUnits[] = {{"d", 86'400'000'000},
                                                                    {"h", 3'600'000'000},
                                                                    {"m", 60'000'000},
                                                                    {"s", 1'000'000},
                                                                    {"ms", 1'000}};
  for (const auto& [word, size] : kUnits)
    if (us != 0 && us % size == 0) return fmt::format("{}{}", us / size, word);
  return us == 0 ? "0s" : fmt::format("{}us", us);
}

std::string TypeWordOf(const ExportPlan& plan, const Step& step) {
  switch (step.kind) {
    case StepKind::kLoop:
      return "loop";
    case StepKind::kSubProcess:
      return "sub_process";
    case StepKind::kStart:
    case StepKind::kEnd:
    case StepKind::kGateway:
    case StepKind::kTask:
    case StepKind::kDelay:
    case StepKind::kHuman:
    case StepKind::kWait:
    case StepKind::kPublish:
      break;
  }
  if (plan.careful()) return "custom:step";
  if (step.kind == StepKind::kPublish && step.task_type == "message") return "publish";
  const auto known = FindStepType(step.task_type);
  if (known && known->kind == step.kind && known->task_type == step.task_type)
    return step.task_type;
  if (step.kind == StepKind::kTask)
    return "custom:" + (step.task_type.empty() ? "none" : step.task_type);
  if (step.kind == StepKind::kGateway)
    return step.split == Split::kFirst ? "exclusive" : "parallel";
  if (step.kind == StepKind::kStart) return "start";
  if (step.kind == StepKind::kEnd) return "end";
  if (step.kind == StepKind::kDelay) return "delay";
  return "custom:step";
}

bool WritesConfig(const ExportPlan& plan, const Step& step) {
  if (plan.careful() || !step.config.source().is_object()) return false;
  return step.kind == StepKind::kTask || step.kind == StepKind::kHuman ||
         step.kind == StepKind::kWait || step.kind == StepKind::kPublish;
}

Object ConfigOf(const Step& step) {
  return step.config.source().is_object() ? step.config.source().as_object() : Object();
}

std::optional<Object> MappingsOf(const std::vector<Mapping>& mappings, bool computed) {
  Object object;
  for (const Mapping& mapping : mappings) {
    if (object.Find(mapping.name) != nullptr || (computed && !IsComputed(mapping.value.source())))
      return std::nullopt;
    object.Set(mapping.name, mapping.value.source());
  }
  return object;
}

Value RetryOf(const RetryPolicy& retry) {
  Object object{{"max_attempts", int64_t{retry.max_attempts}}};
  if (retry.max_attempts > 1 || !(retry == RetryPolicy{.max_attempts = 1})) {
    object.Set("backoff_strategy", canonical::Name(canonical::kBackoffs, retry.backoff));
    if (retry.multiplier != 2.0) object.Set("multiplier", retry.multiplier);
    if (retry.max_delay_us != 0) object.Set("max_delay", DurationText(retry.max_delay_us));
    if (retry.jitter != 0) object.Set("jitter", retry.jitter);
  }
  object.Set("initial_delay", DurationText(retry.initial_delay_us));
  for (const auto& [key, kinds] :
       {std::pair("retry_on", &retry.retry_on), {"no_retry_on", &retry.no_retry_on}}) {
    Array words;
    for (const std::string& kind : *kinds) words.emplace_back(kind);
    if (!words.empty()) object.Set(key, std::move(words));
  }
  return object;
}

void AddLoop(const ExportPlan& plan, const Step& step, Object& into) {
  if (step.kind != StepKind::kLoop) return;
  const Loop& loop = step.loop;
  if (plan.careful()) {
    into.Set("items", Array());
    return;
  }
  if (loop.condition)
    into.Set(loop.mode == LoopMode::kUntil ? "until" : "while", loop.condition->text());
  if (loop.items) {
    const Value& items = loop.items->source();
    const bool times = loop.mode == LoopMode::kTimes;
    const bool said =
        HasTemplate(items) || (times ? items.is_int() && items.as_int() >= 0 : items.is_array());
    into.Set(times ? "times" : "items", said ? items : times ? Value(0) : Value(Array()));
  }
  if (loop.item_name != "item") into.Set("item", loop.item_name);
  if (loop.max_iterations != 0) into.Set("max_iterations", int64_t{loop.max_iterations});
  if (loop.max_concurrent != 1 && loop.items)
    into.Set("max_concurrent", int64_t{loop.max_concurrent});
  if (!loop.break_on_error) into.Set("break_on_error", false);
}

void AddDelay(const ExportPlan& plan, const Step& step, Object& into) {
  if (step.kind != StepKind::kDelay || !step.delay || plan.careful()) return;
  const Value& delay = step.delay->source();
  const bool said = HasTemplate(delay) || (delay.is_number() && delay.as_double() >= 0) ||
                    (delay.is_string() && ParseDuration(delay.as_string()));
  into.Set("duration", said ? delay : Value("0s"));
}

Object VariablesOf(const Body& body) {
  Object variables;
  for (const Variable& variable : body.variables) {
    if (FindValueType(variable.type) != variable.type || !FitsType(variable.initial, variable.type))
      continue;
    Object declaration{{"type", variable.type}};
    if (!variable.initial.is_null()) declaration.Set("default", variable.initial);
    if (variable.required) declaration.Set("required", true);
    variables.Set(variable.name, std::move(declaration));
  }
  return variables;
}

void AddExtra(const Value& extra, std::span<const std::string_view> keys, Object& into) {
  if (!extra.is_object()) return;
  for (const Member& member : extra.as_object()) {
    const bool wanted =
        std::ranges::find(keys, member.key) != keys.end() || member.key.starts_with("x-");
    if (wanted && into.Find(member.key) == nullptr) into.Set(member.key, member.value);
  }
}

void AddEdgeExtra(const ExportPlan& plan, const Transition& edge,
                  std::initializer_list<std::string_view> more, Object& into) {
  const Value* edges = plan.definition.extra.Find("edges");
  if (edges == nullptr) return;
  const Value* kept = edges->Find(fmt::format("{}->{}", plan.Id(edge.from), plan.Id(edge.to)));
  if (kept == nullptr) return;
  AddExtra(*kept, {"id", "label", "name", "style", "color", "description"}, into);
  AddExtra(*kept, more, into);
}

void AddExecution(const ExportPlan& plan, Object& into) {
  const Definition& head = plan.definition;
  if (plan.careful()) return;
  if (head.deadline_us != 0) into.Set("timeout", DurationText(head.deadline_us));
  if (head.retention_us != 0) into.Set("retention", DurationText(head.retention_us));
  if (head.priority != 0) into.Set("priority", int64_t{head.priority});
  if (head.concurrency && head.concurrency->key.source() == Value(""))
    into.Set("max_concurrent", int64_t{head.concurrency->limit});
  else if (head.concurrency && head.concurrency->key.source().is_string())
    into.Set("concurrency", LimitOf(*head.concurrency));
  if (head.rate.count != 0) into.Set("rate_limit", RateOf(head.rate));
  if (!head.input_schema.is_null()) into.Set("input_schema", head.input_schema);
}

void AddHead(const ExportPlan& plan, std::string_view outputs, Object& into) {
  const Definition& head = plan.definition;
  if (!head.version.empty()) into.Set("version", head.version);
  if (!head.description.empty()) into.Set("description", head.description);
  Array tags;
  for (const std::string& tag : head.tags) tags.emplace_back(tag);
  if (!tags.empty()) into.Set("tags", std::move(tags));
  if (plan.careful()) return;
  if (Object variables = VariablesOf(head.bodies[0]); !variables.empty())
    into.Set("variables", std::move(variables));
  if (!head.triggers.is_null()) into.Set("triggers", head.triggers);
  if (!head.outputs.empty())
    if (auto mapped = MappingsOf(head.outputs, true)) into.Set(outputs, *std::move(mapped));
}

void AddPatch(const ExportPlan& plan, const std::string& id, Object structure, Object& into) {
  if (const auto patch = plan.patches.find(id); patch != plan.patches.end())
    for (const Member& member : patch->second) {
      Value* body = structure.Find("body");
      if (member.key == "body" && body != nullptr && body->is_object())
        for (const Member& inner : member.value.as_object())
          body->as_object().Set(inner.key, inner.value);
      else
        structure.Set(member.key, member.value);
    }
  if (!structure.empty()) into.Set("stele", std::move(structure));
}

Object HandlersOf(const ExportPlan& plan, const Step& step) {
  Object handlers;
  if (step.fallback.value != kNoIndex) handlers.Set("fallback", plan.Id(step.fallback));
  if (step.compensation.value != kNoIndex) handlers.Set("compensation", plan.Id(step.compensation));
  if (step.child.value != kNoIndex) AddBodyFallback(plan, step.child, handlers);
  return handlers;
}

void AddBodyFallback(const ExportPlan& plan, BodyIndex body, Object& structure) {
  const StepIndex fallback = plan.definition.body(body).fallback;
  if (fallback.value != kNoIndex) structure.Set("body", Object{{"fallback", plan.Id(fallback)}});
}

Value ErrorHandlingOf(const ExportPlan& plan, const Body& body) {
  Object handling;
  if (body.strategy != Strategy::kFail)
    handling.Set("strategy", canonical::Name(canonical::kStrategies, body.strategy));
  if (body.fallback.value != kNoIndex) handling.Set("fallback_task", plan.Id(body.fallback));
  return handling.empty() ? Value() : Value(std::move(handling));
}

Object WriteStepKeys(const ExportPlan& plan, StepIndex index, std::string_view config_key) {
  const Step& step = plan.step(index);
  Object out{{"id", plan.Id(index)}};
  if (step.name != plan.Id(index) && !step.name.empty()) out.Set("name", step.name);
  out.Set("type", TypeWordOf(plan, step));
  AddLoop(plan, step, out);
  AddDelay(plan, step, out);
  if (step.fallback.value != kNoIndex) out.Set("fallback", plan.Id(step.fallback));
  if (step.compensation.value != kNoIndex) out.Set("compensation", plan.Id(step.compensation));
  if (plan.careful()) return out;
  const bool task = step.kind != StepKind::kLoop && step.kind != StepKind::kGateway;
  if (step.condition) out.Set(task ? "condition" : "when", step.condition->text());
  if (Object config = ConfigOf(step); !config.empty() && WritesConfig(plan, step))
    out.Set(config_key, std::move(config));
  if (auto inputs = MappingsOf(step.inputs, false); inputs && !inputs->empty())
    out.Set("input_mapping", *std::move(inputs));
  if (auto outputs = MappingsOf(step.outputs, true); outputs && !outputs->empty())
    out.Set("output_mapping", *std::move(outputs));
  if (!(step.retry == RetryPolicy()) || plan.retries.contains(plan.Id(index)))
    out.Set("retry", RetryOf(step.retry));
  if (step.timeout_us != 0) out.Set("timeout", DurationText(step.timeout_us));
  if (step.join == Join::kAny) out.Set("join", "any");
  if (step.join == Join::kNOfM) out.Set("join", int64_t{step.join_count});
  if (step.optional) out.Set("optional", true);
  if (!step.returnable) out.Set("returnable", false);
  if (step.concurrency && step.kind != StepKind::kLoop)
    out.Set("concurrency", LimitOf(*step.concurrency));
  if (step.rate.count != 0) out.Set("rate_limit", RateOf(step.rate));
  AddExtra(step.extra,
           {"description", "position", "size", "label", "labels", "tags", "metadata", "style", "ui",
            "data", "priority", "template"},
           out);
  return out;
}

}  // namespace stele::definition
