// The `steps:` notation: steps that say what they depend on (docs/definitions.md).

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/definition/dialects/dialects.h"
#include "engine/definition/dialects/fields.h"
#include "engine/definition/patch.h"

namespace stele::definition {
namespace {

// How a list of steps is ordered when none of them says what it depends on.
struct Order {
  std::vector<std::pair<int64_t, size_t>> given;  // `order`, index of the step
  std::vector<bool> beside;                       // `is_parallel`: with the step before it
  bool depends = false;
};

class StepsLowering {
 public:
  StepsLowering(const Node& root, std::string_view fallback_name, Faults& faults)
      : root_(root), fallback_name_(fallback_name), lowering_{draft_, faults} {}

  Draft Run();

 private:
  void ReadWrapper(MapReader& reader);
  void ReadDefinition(MapReader& reader);
  void ReadText(MapReader& reader, std::string_view key, std::string& into);
  void ReadSteps(const Node& node, uint32_t body);
  void ReadStepNode(const Node& node, uint32_t body, Order& order);
  void ReadDependencies(MapReader& reader, const Step& step, uint32_t body, Order& order);
  void ReadNext(const Node& node, StepFields& fields);
  void ApplyOrder(const Order& order, uint32_t body);

  const Node& root_;
  const std::string_view fallback_name_;
  Draft draft_;
  Lowering lowering_;
  std::optional<RetryPolicy> retry_;
  Object extra_;
};

Draft StepsLowering::Run() {
  MapReader top(root_, "the file", lowering_.faults);
  draft_.AddBody("", "", root_.place);
  draft_.head.dialect = "steps";
  draft_.fragment = root_.entries.size() == 1;
  if (const Node* inner = top.Take("definition")) {
    ReadWrapper(top);
    const Node* twice = inner->Find("permissions");
    if (twice != nullptr && extra_.Find("permissions") != nullptr)
      lowering_.Add(ErrorCode::kInvalidDefinition, twice->place,
                    "Expected `permissions` once but found them around `definition` and in it");
    MapReader definition(*inner, "a definition", lowering_.faults);
    ReadDefinition(definition);
    definition.Finish();
  } else {
    ReadWrapper(top);
    ReadDefinition(top);
  }
  top.Finish();
  Definition& head = draft_.head;
  if (head.name.empty()) head.name = fallback_name_;
  if (head.title.empty()) head.title = head.name;
  draft_.bodies[0].body.id = head.name;
  draft_.bodies[0].body.name = head.title;
  if (!extra_.empty()) head.extra = std::move(extra_);
  return std::move(draft_);
}

void StepsLowering::ReadText(MapReader& reader, std::string_view key, std::string& into) {
  if (std::string text = reader.Text({key}); !text.empty()) into = std::move(text);
}

// What the request that creates a workflow says around its definition.
void StepsLowering::ReadWrapper(MapReader& reader) {
  Definition& head = draft_.head;
  ReadText(reader, "name", head.name);
  ReadText(reader, "description", head.description);
  if (const Node* tags = reader.Take("tags"))
    for (Word& tag : ReadWords(*tags, "`tags`", false, lowering_.faults))
      head.tags.push_back(std::move(tag.text));
  reader.Keep({"owner_id", "is_template", "status", "metadata", "permissions"}, extra_);
  TakePatch(reader, "", draft_, lowering_.faults);
}

void StepsLowering::ReadDefinition(MapReader& reader) {
  Definition& head = draft_.head;
  std::string id;
  ReadText(reader, "id", id);
  ReadText(reader, "name", head.title);
  if (!id.empty() || head.name.empty()) {
    if (head.title.empty()) head.title = head.name;
    head.name = id.empty() ? head.title : id;
  }
  ReadText(reader, "description", head.description);
  ReadText(reader, "version", head.version);
  ReadExecution(reader, lowering_);
  DraftBody& root = draft_.bodies[0];
  if (const Node* variables = reader.Take("variables"))
    ReadVariables(*variables, root.body.variables, lowering_);
  if (const Node* triggers = reader.Take("triggers"))
    head.triggers = ReadTriggers(*triggers, lowering_);
  if (const Node* outputs = reader.Take({"outputs", "output"}))
    head.outputs = ReadOutputs(*outputs, lowering_);
  if (const Node* node = reader.Take({"error_handling", "on_error", "strategy"})) {
    ErrorHandling handling = ReadErrorHandling(*node, lowering_);
    root.body.strategy = handling.strategy;
    root.fallback = std::move(handling.fallback);
    retry_ = std::move(handling.retry);
  }
  if (const Node* retry = reader.Take({"retry_policy", "retry"}))
    retry_ = ReadRetry(*retry, lowering_);
  reader.Keep({"metadata", "owner_id", "is_template", "permissions"}, extra_);
  if (const Node* steps = reader.Require({"steps"})) ReadSteps(*steps, 0);
}

void StepsLowering::ReadSteps(const Node& node, uint32_t body) {
  if (!node.is_list() || node.items.empty()) {
    lowering_.Add(ErrorCode::kInvalidDefinition, node.place,
                  "Expected a list of steps but found " +
                      (node.is_list() ? std::string("an empty one") : Describe(node)));
    return;
  }
  Order order;
  for (const Node& item : node.items) ReadStepNode(item, body, order);
  if (!order.depends) ApplyOrder(order, body);
}

void StepsLowering::ReadStepNode(const Node& node, uint32_t body, Order& order) {
  MapReader reader(node, "a step", lowering_.faults);
  if (!node.is_map()) return;
  StepFields fields = ReadStep(reader, Notation::kSteps, lowering_);
  Step& step = fields.draft.step;
  if (!fields.has_retry && retry_ && step.kind == StepKind::kTask) step.retry = *retry_;
  ReadDependencies(reader, step, body, order);
  if (const auto given = reader.Integer({"order"}, INT32_MIN, INT32_MAX))
    order.given.emplace_back(*given, draft_.bodies[body].steps.size());
  order.beside.push_back(reader.Bool({"is_parallel"}, false));
  if (const Node* next = reader.Take("next")) ReadNext(*next, fields);
  DraftTransition failed;
  failed.on = On::kFailure;
  if (const Node* next = reader.Take({"on_error", "on_failure"}))
    AddNext(*next, "`on_error`", failed, fields, lowering_);
  ReadChoice(reader, fields, Notation::kSteps, lowering_);
  std::ranges::move(fields.next, std::back_inserter(draft_.bodies[body].transitions));
  reader.Finish();
  if (step.kind == StepKind::kLoop || step.kind == StepKind::kSubProcess) {
    if (!fields.process.text.empty())
      lowering_.Add(
          ErrorCode::kInvalidDefinition, fields.process.place,
          fmt::format("Expected nested `steps` in {} but found a process", Quote(step.id)));
    else if (fields.steps == nullptr)
      lowering_.Add(ErrorCode::kInvalidDefinition, step.place,
                    fmt::format("Expected nested `steps` in {} but found none", Quote(step.id)));
    else {
      fields.draft.child = draft_.AddBody(step.id, step.name, step.place);
      ReadSteps(*fields.steps, fields.draft.child);
    }
  }
  draft_.bodies[body].steps.push_back(std::move(fields.draft));
}

void StepsLowering::ReadDependencies(MapReader& reader, const Step& step, uint32_t body,
                                     Order& order) {
  const Node* node = reader.Take({"depends_on", "dependencies"});
  if (node == nullptr) return;
  order.depends = true;
  for (Word& word : ReadWords(*node, "`depends_on`", false, lowering_.faults))
    draft_.bodies[body].transitions.push_back(
        {.from = word, .to = {step.id, step.place}, .dependency = true, .place = word.place});
}

// `next` holds ids, or mappings of an id and the condition under which the flow goes there.
void StepsLowering::ReadNext(const Node& node, StepFields& fields) {
  const Node* first = &node;
  const size_t count = node.is_list() ? node.items.size() : 1;
  if (node.is_list()) first = node.items.data();
  for (size_t i = 0; i < count; ++i) {
    const Node& item = first[i];
    DraftTransition like;
    if (!item.is_map()) {
      AddNext(item, "`next`", like, fields, lowering_);
      continue;
    }
    MapReader one(item, "one of `next`", lowering_.faults);
    const Node* target = one.Require({"to", "step", "id", "target"});
    if (const Node* condition = one.Take({"condition", "when", "if"}))
      like.condition = lowering_.compiler.Condition(*condition);
    like.is_default = one.Bool({"default", "is_default"}, false);
    for (const std::string_view key : {"name", "label", "description"}) one.Take(key);
    one.Finish();
    Step& step = fields.draft.step;
    if (like.is_default && step.kind != StepKind::kGateway) step.split = Split::kFirst;
    if (target != nullptr) AddNext(*target, "`to`", like, fields, lowering_);
  }
}

// Groups of steps one after another: by `order`, or as listed with `is_parallel` beside the one
// before. Without either all start at once.
void StepsLowering::ApplyOrder(const Order& order, uint32_t body) {
  DraftBody& draft = draft_.bodies[body];
  if (!draft.transitions.empty()) return;
  const bool beside = std::ranges::find(order.beside, true) != order.beside.end();
  if (order.given.empty() && !beside) return;
  std::map<int64_t, std::vector<const Step*>> groups;
  std::map<size_t, int64_t> given;
  for (const auto& [at, index] : order.given) given[index] = at;
  int64_t group = 0;
  for (size_t i = 0; i < draft.steps.size() && i < order.beside.size(); ++i) {
    if (order.given.empty())
      group += i > 0 && !(order.beside[i] && order.beside[i - 1]) ? 1 : 0;
    else if (given.contains(i))
      group = given[i];
    groups[group].push_back(&draft.steps[i].step);
  }
  const std::vector<const Step*>* before = nullptr;
  for (const auto& [at, steps] : groups) {
    for (const Step* to : steps)
      for (size_t i = 0; before != nullptr && i < before->size(); ++i)
        if (!lowering_.AddTransition(body, {.from = {(*before)[i]->id, (*before)[i]->place},
                                            .to = {to->id, to->place},
                                            .place = to->place}))
          return;
    before = &steps;
  }
}

}  // namespace

Draft LowerSteps(const Node& root, std::string_view fallback_name, Faults& faults) {
  return StepsLowering(root, fallback_name, faults).Run();
}

}  // namespace stele::definition
