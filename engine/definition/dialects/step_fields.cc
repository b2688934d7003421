#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/definition/dialects/fields.h"
#include "engine/definition/duration.h"
#include "engine/definition/limits.h"
#include "engine/definition/patch.h"
#include "engine/definition/step_config.h"

namespace stele::definition {
namespace {

std::string ReadTypeWord(MapReader& reader, Lowering& lowering, Place& place) {
  const Node* node = reader.Require({"type", "type_"});
  if (node == nullptr) return {};
  place = node->place;
  if (node->is_map() && node->entries.size() == 1 && Fold(node->entries[0].key) == "custom")
    return "custom:" +
           ReadText(node->entries[0].value, "a custom type's name", lowering.faults).value_or("");
  return ReadText(*node, "`type`", lowering.faults).value_or("");
}

StepType ReadType(MapReader& reader, Lowering& lowering) {
  Place place;
  const std::string word = ReadTypeWord(reader, lowering, place);
  if (word.empty()) return {};
  if (const auto type = FindStepType(word)) return *type;
  const std::vector<std::string> known = KnownStepTypes();
  const std::string near = Nearest(Fold(word), known);
  lowering.Add(ErrorCode::kUnknownType, place,
               fmt::format("Expected a step type of {} but found {}{}", QuoteList(known, "or"),
                           Quote(word), near.empty() ? "" : "; perhaps " + Quote(near)));
  return {};
}

// A duration inside the configuration is the attempt's, unless it is a template.
bool IsLifted(const Entry& entry) {
  return entry.key == "timeout" && entry.value.is_scalar() && !entry.value.is_null() &&
         !(entry.value.is_string() && (entry.value.scalar.as_string().contains("{{") ||
                                       entry.value.scalar.as_string().contains("${")));
}

Node ConfigOf(const Node* config, StepFields& fields, const std::string& executor,
              Lowering& lowering) {
  Node result;
  result.kind = Node::Kind::kMap;
  result.place = fields.draft.step.place;
  if (config == nullptr || !config->is_map()) {
    fields.draft.settled = config == nullptr;
    if (config != nullptr)
      lowering.Add(ErrorCode::kInvalidDefinition, config->place,
                   "Expected a mapping as a step's configuration but found " + Describe(*config));
  } else {
    result.place = config->place;
    for (const Entry& entry : config->entries) {
      if (!IsLifted(entry)) {
        result.entries.push_back(entry);
        continue;
      }
      const auto timeout = ReadDuration(entry.value, "a duration as `timeout`", lowering.faults);
      if (fields.draft.step.timeout_us == 0) fields.draft.step.timeout_us = timeout.value_or(0);
    }
  }
  const std::string& type = fields.draft.step.task_type;
  if (executor.empty() || fields.draft.step.kind != StepKind::kTask || type == "email" ||
      (type == "http" && Fold(executor) == "http"))
    return result;
  const std::string_view key = type == "script" ? "runtime" : "executor";
  if (result.Find(key) != nullptr) return result;
  Node word;
  word.scalar = executor;
  result.entries.push_back({std::string(key), {}, std::move(word)});
  return result;
}

// What a false condition does is to skip the step; there is nothing else that it could do.
void ReadSkip(MapReader& reader, Lowering& lowering) {
  const Node* skip = reader.Take("skip_if_false");
  if (skip == nullptr || ReadBool(*skip, "`skip_if_false`", lowering.faults)) return;
  if (skip->is_scalar() && skip->scalar.is_bool())
    lowering.Add(ErrorCode::kInvalidDefinition, skip->place,
                 "Expected `skip_if_false` to be true, as a step whose condition is false is "
                 "skipped, but found false");
}

void ReadConditions(MapReader& reader, bool condition_too, Step& step, Lowering& lowering) {
  std::vector<Expression> conditions;
  const auto add = [&](const Node& node) {
    const Node* text = &node;
    if (node.is_map()) {
      MapReader condition(node, "a condition", lowering.faults);
      text = condition.Require({"expression", "condition"});
      for (const std::string_view key : {"name", "description", "type"}) condition.Take(key);
      ReadSkip(condition, lowering);
      condition.Finish();
    }
    if (text == nullptr) return;
    if (auto compiled = lowering.compiler.Condition(*text)) conditions.push_back(*compiled);
  };
  if (const Node* node = reader.Take({"when", "if"})) add(*node);
  if (const Node* node = condition_too ? reader.Take("condition") : nullptr) add(*node);
  if (const Node* node = reader.Take("conditions")) {
    if (!node->is_list()) add(*node);
    for (const Node& item : node->items) add(item);
  }
  ReadSkip(reader, lowering);
  step.condition = lowering.compiler.AllOf(conditions, step.place);
}

void SetJoin(const Node& node, Step& step, Lowering& lowering) {
  const std::string word = node.is_scalar() && !node.is_null()
                               ? Fold(ReadText(node, "`join`", lowering.faults).value_or("all"))
                               : "";
  if (word == "all") return;
  if (word == "any" || word == "one" || word == "first") {
    step.join = Join::kAny;
    return;
  }
  const bool digits =
      !word.empty() && word.size() < 6 && word.find_first_not_of("0123456789") == std::string::npos;
  step.join = Join::kNOfM;
  step.join_count = digits ? static_cast<uint32_t>(std::stoul(word)) : 0;
  if (step.join_count == 0)
    lowering.Add(
        ErrorCode::kInvalidDefinition, node.place,
        "Expected `join` to be \"all\", \"any\" or a count from 1 but found " + Describe(node));
}

// `all`, `any`, a count, or {type, count}.
void ReadJoin(MapReader& reader, StepFields& fields, Lowering& lowering) {
  const Node* node = reader.Take("join");
  if (node == nullptr) return;
  Step& step = fields.draft.step;
  fields.draft.join_place = node->place;
  if (!node->is_map()) return SetJoin(*node, step, lowering);
  MapReader join(*node, "a join", lowering.faults);
  const Node* type = join.Take("type");
  const Node* count = join.Take({"count", "n"});
  join.Finish();
  const bool counts =
      type == nullptr || (type->is_string() && Fold(type->scalar.as_string()) == "n_of_m");
  if (counts && count == nullptr)
    return lowering.Add(ErrorCode::kInvalidDefinition, node->place,
                        "Expected `count` in a join of type \"n_of_m\" but found none");
  if (!counts && count != nullptr)
    lowering.Add(ErrorCode::kInvalidDefinition, count->place,
                 "Expected `count` in a join of type \"n_of_m\" alone but found it in another");
  if (counts) fields.draft.join_place = count->place;
  SetJoin(counts ? *count : *type, step, lowering);
}

void ReadDelay(MapReader& reader, StepFields& fields, Lowering& lowering) {
  Step& step = fields.draft.step;
  const Node* node = reader.Take({"delay", "duration"});
  if (fields.config != nullptr && fields.config->is_map()) {
    MapReader config(*fields.config, "a delay's configuration", lowering.faults);
    const Node* inner = config.Take({"duration", "delay", "seconds"});
    if (node == nullptr) node = inner;
    // A timer may name the step that it starts.
    if (const Node* action = config.Take({"action", "next"}))
      AddNext(*action, "`action`", {}, fields, lowering);
    if (const Node* to = config.Take({"attached_to", "attached_to_ref"}))
      lowering.Add(ErrorCode::kInvalidDefinition, to->place,
                   "Expected a timer in the flow but found one attached to a step; how long a step "
                   "may take is its `timeout`, and who is asked next about a task for people its "
                   "`escalation`");
    config.Take("timeout");
    Object extra;
    config.Keep({"description", "metadata"}, extra);
    config.Finish();
  }
  if (node == nullptr) {
    lowering.Add(ErrorCode::kBadDuration, reader.place(),
                 "Expected `duration` in a delay but found none");
    return;
  }
  step.delay = lowering.compiler.Rendered(*node);
  if (!HasTemplate(*node)) ReadDuration(*node, "a duration", lowering.faults);
}

Word ReadWord(MapReader& reader, std::initializer_list<std::string_view> names,
              Lowering& lowering) {
  const Node* node = reader.Take(names);
  if (node == nullptr) return {};
  if (node->is_map()) {
    // { task_id: x }, the form of the compensation actions
    MapReader action(*node, "a compensation", lowering.faults);
    const Node* id = action.Require({"task_id", "task", "step"});
    action.Finish();
    if (id == nullptr) return {};
    node = id;
  }
  return {ReadText(*node, fmt::format("`{}`", *names.begin()), lowering.faults).value_or(""),
          node->place};
}

// A loop or sub_process runs a body that is written inside it or a process by its id.
void ReadBody(MapReader& reader, const Node* loop, StepFields& fields, Lowering& lowering) {
  fields.steps = reader.Take({"steps", "tasks"});
  fields.transitions = reader.Take("transitions");
  const Node* process = reader.Take({"process", "process_id"});
  for (const Node* other : {loop, fields.config}) {
    if (other == nullptr || !other->is_map()) continue;
    for (const std::string_view key : {"steps", "tasks"})
      if (fields.steps == nullptr) fields.steps = other->Find(key);
    for (const std::string_view key : {"process", "process_id"})
      if (process == nullptr) process = other->Find(key);
  }
  if (process != nullptr)
    fields.process = {ReadText(*process, "`process`", lowering.faults).value_or(""),
                      process->place};
}

void ReadLoopStep(MapReader& reader, StepFields& fields, Lowering& lowering) {
  const Node* node = reader.Take("loop");
  std::optional<MapReader> loop, config;
  std::vector<MapReader*> readers{&reader};
  if (node != nullptr) readers.push_back(&loop.emplace(*node, "a loop", lowering.faults));
  if (fields.config != nullptr && fields.config->is_map())
    readers.push_back(&config.emplace(*fields.config, "a loop", lowering.faults));
  ReadBody(reader, node, fields, lowering);
  const bool own = ConditionIsLoops(readers);
  ReadConditions(reader, !own, fields.draft.step, lowering);
  fields.draft.step.loop = ReadLoop(readers, fields.type, lowering);
  for (auto* inner : {&loop, &config}) {
    if (!inner->has_value()) continue;
    (*inner)->Take({"steps", "tasks"});
    (*inner)->Take({"process", "process_id"});
    (*inner)->Take("timeout");
    (*inner)->Finish();
  }
}

void ReadKind(MapReader& reader, StepFields& fields, Notation notation, Lowering& lowering) {
  Step& step = fields.draft.step;
  const bool nested = reader.node().Find("steps") != nullptr ||
                      reader.node().Find("tasks") != nullptr ||
                      (fields.config != nullptr && fields.config->Find("steps") != nullptr);
  if (step.kind == StepKind::kGateway && step.task_type == "parallel" && nested) {
    const bool items = reader.node().Find("items") != nullptr ||
                       (fields.config != nullptr && fields.config->Find("items") != nullptr);
    fields.type.together = true;
    step.kind = items ? StepKind::kLoop : StepKind::kSubProcess;
  }
  if (step.kind == StepKind::kLoop) {
    ReadLoopStep(reader, fields, lowering);
    return;
  }
  if (step.kind == StepKind::kSubProcess) ReadBody(reader, nullptr, fields, lowering);
  if (step.kind == StepKind::kDelay) ReadDelay(reader, fields, lowering);
  // In the steps notation a gateway's condition chooses between its `then` and `else`.
  const bool chooses = notation == Notation::kSteps && step.kind == StepKind::kGateway &&
                       step.split == Split::kFirst;
  ReadConditions(reader, !chooses, step, lowering);
}

bool HasConfig(StepKind kind) {
  switch (kind) {
    case StepKind::kTask:
    case StepKind::kHuman:
    case StepKind::kWait:
    case StepKind::kPublish:
      return true;
    case StepKind::kStart:
    case StepKind::kEnd:
    case StepKind::kGateway:
    case StepKind::kDelay:
    case StepKind::kLoop:
    case StepKind::kSubProcess:
      return false;
  }
  return false;
}

// Whether a `message` step publishes or waits: its `action` says so, else what it has to publish.
void ReadAction(StepFields& fields) {
  Step& step = fields.draft.step;
  if (step.task_type != "message" || step.kind != StepKind::kWait || fields.config == nullptr)
    return;
  const Node* action = fields.config->Find("action");
  const std::string word =
      action != nullptr && action->is_string() ? Fold(action->scalar.as_string()) : "";
  const bool says_more =
      fields.config->Find("payload") != nullptr || fields.config->Find("ttl") != nullptr;
  if (word == "publish" || word == "send" || (action == nullptr && says_more))
    step.kind = StepKind::kPublish;
}

// `next` of an event becomes a transition; the configuration does without it.
void TakeEvents(Node& config, StepFields& fields, Lowering& lowering) {
  const auto events = std::ranges::find(config.entries, "events", &Entry::key);
  if (events == config.entries.end()) return;
  for (Node& event : events->value.items) {
    const Node* id = event.Find("id");
    const auto next = std::ranges::find(event.entries, "next", &Entry::key);
    if (next == event.entries.end() || next->value.is_null()) continue;
    DraftTransition like;
    if (id != nullptr && id->is_scalar() && !HasTemplate(*id)) {
      const std::string text = id->is_string() ? id->scalar.as_string() : id->raw;
      auto condition = Expression::Compile(fmt::format("outputs.event == {}", ToJson(Value(text))));
      if (condition)
        like.condition = *std::move(condition);
      else
        lowering.Add(condition.error().code, id->place, condition.error().message);
    }
    AddNext(next->value, "`next`", like, fields, lowering);
    event.entries.erase(next);
  }
}

// A peer that is busy or away is worth another try; what it refuses (4xx) is not retryable anyway.
bool ActsOverHttp(const Step& step) {
  return step.kind == StepKind::kTask && (step.task_type == "http" || step.task_type == "webhook" ||
                                          step.task_type == "notification");
}

RetryPolicy DefaultHttpRetry() {
  return {.max_attempts = 3,
          .backoff = Backoff::kExponential,
          .initial_delay_us = 1'000'000,
          .max_delay_us = 30'000'000,
          .jitter = 0.5};
}

void ReadId(MapReader& reader, std::string_view what, Step& step, Lowering& lowering) {
  step.place = reader.place();
  const Node* id = reader.Require({"id"});
  if (id == nullptr) return;
  step.id = ReadText(*id, what, lowering.faults).value_or("");
  step.place = id->place;
  if (step.id.empty() && id->is_string())
    lowering.Add(ErrorCode::kInvalidDefinition, id->place,
                 fmt::format("Expected {} but found an empty string", what));
}

}  // namespace

StepFields ReadStep(MapReader& reader, Notation notation, Lowering& lowering) {
  const std::string_view what = notation == Notation::kProcesses ? "a task's id" : "a step's id";
  StepFields fields;
  Step& step = fields.draft.step;
  ReadId(reader, what, step, lowering);
  step.name = reader.Text({"name"});
  if (step.name.empty()) step.name = step.id;
  fields.type = ReadType(reader, lowering);
  step.kind = fields.type.kind;
  step.task_type = fields.type.task_type;
  step.split = fields.type.split;
  const std::string executor = reader.Text({"executor"});
  if (step.task_type == "notification" && Fold(executor) == "email") step.task_type = "email";
  const Node* inputs = nullptr;
  if (notation == Notation::kProcesses) {
    fields.config = reader.Take({"inputs", "config"});
    inputs = reader.Take("input_mapping");
  } else {
    fields.config = reader.Take("config");
    inputs = reader.Take({"input_mapping", "inputs"});
  }
  step.timeout_us = reader.Duration({"timeout"}).value_or(0);
  ReadAction(fields);
  ReadKind(reader, fields, notation, lowering);
  Node config = ConfigOf(fields.config, fields, executor, lowering);
  CheckStepConfig(step, config, lowering.faults);
  if (step.task_type == "event_race") TakeEvents(config, fields, lowering);
  if (HasConfig(step.kind)) step.config = lowering.compiler.Rendered(config);
  if (inputs != nullptr) {
    if (!inputs->is_map())
      lowering.Add(ErrorCode::kInvalidDefinition, inputs->place,
                   "Expected a mapping of inputs but found " + Describe(*inputs));
    for (const Entry& entry : inputs->entries)
      step.inputs.push_back({entry.key, lowering.compiler.Rendered(entry.value)});
  }
  if (const Node* outputs = reader.Take({"output_mapping", "outputs"}))
    step.outputs = ReadOutputs(*outputs, lowering);
  if (const Node* retry = reader.Take({"retry_policy", "retry"})) {
    fields.has_retry = true;
    step.retry = ReadRetry(*retry, lowering);
  } else if (ActsOverHttp(step)) {
    step.retry = DefaultHttpRetry();
  }
  fields.draft.fallback =
      ReadWord(reader, {"fallback", "fallback_task", "fallback_step"}, lowering);
  fields.draft.compensation =
      ReadWord(reader, {"compensation", "compensate_with", "compensation_task"}, lowering);
  step.optional = reader.Bool({"optional", "skippable"}, false);
  step.returnable = reader.Bool({"returnable", "allow_rollback"}, true);
  const Node* concurrency = reader.node().Find("concurrency");
  if (step.kind != StepKind::kLoop || (concurrency != nullptr && concurrency->is_map()))
    ReadLimits(reader, "", step.concurrency, step.rate, lowering);
  ReadJoin(reader, fields, lowering);
  Object extra;
  reader.Keep({"description", "position", "size", "label", "labels", "tags", "metadata", "style",
               "ui", "data", "priority", "template"},
              extra);
  if (!extra.empty()) step.extra = std::move(extra);
  TakePatch(reader, step.id, lowering.draft, lowering.faults);
  return fields;
}

}  // namespace stele::definition
