#include "engine/definition/dialects/foreign.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/definition/limits.h"
#include "engine/definition/patch.h"

namespace stele::definition {
namespace {

constexpr std::string_view kEdgeExtras[] = {
    "id", "label", "name", "style", "color", "type_", "created_at", "description", "priority"};

bool IsMisspelt(std::string_view word) {
  return !Nearest(Fold(word), KnownStepTypes()).empty();
}

Node MapOf(const Node* node, std::string_view what, Place place, Lowering& lowering) {
  if (node != nullptr && node->is_map()) return *node;
  if (node != nullptr && !node->is_null())
    lowering.Add(ErrorCode::kInvalidDefinition, node->place,
                 fmt::format("Expected a mapping as {} but found {}", what, Describe(*node)));
  return MapNode(place);
}

// `next` and `on_error`: ids, or mappings of an id and the condition under which the flow goes
// there.
void ReadWays(MapReader& reader, StepFields& fields, Lowering& lowering) {
  const auto read = [&](const Node& item, std::string_view what, DraftTransition like) {
    if (!item.is_map()) return AddNext(item, what, like, fields, lowering);
    MapReader way(item, "a way on", lowering.faults);
    const Node* to = way.Require({"to", "step", "id", "target", "next"});
    if (const Node* condition = way.Take({"condition", "expression", "when"}))
      like.condition = lowering.compiler.Condition(*condition);
    like.is_default = way.Bool({"default", "is_default"}, false);
    Node kept = MapNode(item.place);
    for (const std::string_view key : {"name", "label", "description"})
      if (const Node* text = way.Take(key)) SetKey(kept, std::string(key), *text);
    way.Finish();
    Step& step = fields.draft.step;
    if (to != nullptr) KeepEdge(kept, step.id, NameOf(to), lowering);
    if (like.is_default && step.kind != StepKind::kGateway) step.split = Split::kFirst;
    if (to != nullptr) AddNext(*to, what, like, fields, lowering);
  };
  for (const auto& [key, on] : {std::pair("next", On::kSuccess), {"on_error", On::kFailure}}) {
    const Node* ways = reader.Take(key);
    if (ways == nullptr) continue;
    DraftTransition like;
    like.on = on;
    const std::string what = fmt::format("`{}`", key);
    if (!ways->is_list()) read(*ways, what, like);
    for (const Node& item : ways->items) read(item, what, like);
  }
  ReadChoice(reader, fields, Notation::kSteps, lowering);
}

}  // namespace

Node TextNode(std::string text, Place place) {
  Node node;
  node.scalar = std::move(text);
  node.place = place;
  return node;
}

Node MapNode(Place place) {
  Node node;
  node.kind = Node::Kind::kMap;
  node.place = place;
  return node;
}

void SetKey(Node& map, std::string key, Node value) {
  const auto found = std::ranges::find(map.entries, key, &Entry::key);
  if (found != map.entries.end()) {
    found->value = std::move(value);
    return;
  }
  const Place place = value.place;
  map.entries.push_back({std::move(key), place, std::move(value)});
}

std::optional<Node> TakeKey(Node& map, std::string_view key) {
  const auto found = std::ranges::find(map.entries, key, &Entry::key);
  if (found == map.entries.end()) return std::nullopt;
  Node value = std::move(found->value);
  map.entries.erase(found);
  if (value.is_null()) return std::nullopt;
  return value;
}

ForeignStep SplitStep(const Node& node, Lowering& lowering) {
  ForeignStep step{.node = node, .config = {}, .stele = {}};
  const std::optional<Node> config = TakeKey(step.node, "config");
  const std::optional<Node> stele = TakeKey(step.node, kPatchKey);
  step.config = MapOf(config ? &*config : nullptr, "a step's `config`", node.place, lowering);
  step.stele = MapOf(stele ? &*stele : nullptr, "`stele`", node.place, lowering);
  return step;
}

void LiftKeys(Node& from, ForeignStep& step) {
  static constexpr std::string_view kKeys[] = {
      "retry",      "retry_policy", "input_mapping", "output_mapping", "concurrency",
      "rate_limit", "optional",     "skippable",     "returnable",     "allow_rollback",
      "when",       "join",         "compensation",  "fallback"};
  for (const std::string_view key : kKeys) {
    const bool there = step.node.Find(key) != nullptr;
    if (auto value = TakeKey(from, key); value && !there)
      SetKey(step.node, std::string(key), *std::move(value));
  }
}

std::string TypeWord(std::string_view word) {
  if (FindStepType(word) || IsMisspelt(word)) return std::string(word);
  return "custom:" + std::string(word);
}

size_t AddForeignStep(ForeignStep step, uint32_t body, const std::optional<RetryPolicy>& retry,
                      Lowering& lowering) {
  // Linking must know what is reached as a handler alone.
  for (const std::string_view key : {"fallback", "compensation"})
    if (const Node* handler = step.stele.Find(key); handler != nullptr && handler->is_string())
      SetKey(step.node, std::string(key), *handler);
  if (!step.config.entries.empty()) SetKey(step.node, "config", std::move(step.config));
  MapReader reader(step.node, "a step", lowering.faults);
  StepFields fields = ReadStep(reader, Notation::kSteps, lowering);
  ReadWays(reader, fields, lowering);
  reader.Finish();
  std::ranges::move(fields.next, std::back_inserter(lowering.draft.bodies[body].transitions));
  Step& read = fields.draft.step;
  if (!fields.has_retry && retry && read.kind == StepKind::kTask) read.retry = *retry;
  if (!step.stele.entries.empty())
    lowering.draft.patches.push_back({read.id, std::move(step.stele)});
  auto& steps = lowering.draft.bodies[body].steps;
  steps.push_back(std::move(fields.draft));
  return steps.size() - 1;
}

Word BodyFallback(const Node& stele) {
  const Node* body = stele.Find("body");
  const Node* fallback = body == nullptr ? nullptr : body->Find("fallback");
  if (fallback == nullptr || !fallback->is_string()) return {};
  return {fallback->scalar.as_string(), fallback->place};
}

ForeignHead ReadForeignHead(MapReader& reader, std::string_view dialect,
                            std::string_view fallback_name, Lowering& lowering) {
  Draft& draft = lowering.draft;
  Definition& head = draft.head;
  ForeignHead foreign;
  DraftBody& root = draft.bodies[0];
  head.dialect = dialect;
  head.name = reader.Text({"name"});
  if (head.name.empty()) head.name = fallback_name;
  head.title = head.name;
  root.body.id = head.name;
  root.body.name = head.title;
  head.version = reader.Text({"version"});
  head.description = reader.Text({"description"});
  if (const Node* tags = reader.Take("tags"))
    for (Word& tag : ReadWords(*tags, "`tags`", false, lowering.faults))
      head.tags.push_back(std::move(tag.text));
  if (const Node* triggers = reader.Take("triggers"))
    head.triggers = ReadTriggers(*triggers, lowering);
  if (const Node* outputs = reader.Take({"outputs", "output"}))
    head.outputs = ReadOutputs(*outputs, lowering);
  if (const Node* config = reader.Take({"config", "settings"}))
    ReadForeignSettings(*config, foreign, lowering);
  ReadExecution(reader, lowering);
  Object extra;
  // Kept as they are, for people and editors.
  reader.Keep(kForeignHeadExtras, extra);
  if (!extra.empty()) head.extra = std::move(extra);
  if (const Node* stele = reader.node().Find(kPatchKey)) root.fallback = BodyFallback(*stele);
  TakePatch(reader, "", draft, lowering.faults);
  return foreign;
}

void ReadForeignSettings(const Node& node, ForeignHead& head, Lowering& lowering) {
  MapReader reader(node, "a workflow's `config`", lowering.faults);
  const auto retries = reader.Integer({"retry_count", "max_retries"}, 0, kMaxAttempts - 1);
  const auto delay = reader.Duration({"retry_delay", "retry_interval"});
  if (const Node* retry = reader.Take({"retry_policy", "retry"}))
    head.retry = ReadRetry(*retry, lowering);
  else if (retries)
    head.retry = RetryPolicy{.max_attempts = static_cast<uint32_t>(*retries) + 1,
                             .initial_delay_us = delay.value_or(1'000'000)};
  if (const Node* errors = reader.Take({"error_handling", "on_error", "error_strategy"})) {
    ErrorHandling handling = ReadErrorHandling(*errors, lowering);
    lowering.draft.bodies[0].body.strategy = handling.strategy;
    lowering.draft.bodies[0].fallback = std::move(handling.fallback);
    if (!head.retry) head.retry = std::move(handling.retry);
  }
  ReadExecution(reader, lowering);
  reader.Bool({"async"}, true);  // every execution is
  reader.Finish();
}

void KeepEdge(const Node& node, std::string_view from, std::string_view to, Lowering& lowering) {
  Object kept;
  for (const Entry& entry : node.entries)
    if (std::ranges::find(kEdgeExtras, entry.key) != std::end(kEdgeExtras) ||
        entry.key.starts_with("x-"))
      kept.Set(entry.key, ToValue(entry.value));
  if (kept.empty()) return;
  Value& extra = lowering.draft.head.extra;
  if (!extra.is_object()) extra = Object();
  Value* edges = extra.as_object().Find("edges");
  if (edges == nullptr || !edges->is_object()) edges = &extra.as_object().Set("edges", Object());
  edges->as_object().Set(fmt::format("{}->{}", from, to), std::move(kept));
}

bool IsExpressionName(std::string_view word) {
  const auto compiled = Expression::Compile(word);
  if (!compiled || compiled->references().size() != 1) return false;
  const auto& path = compiled->references()[0].path;
  return path.size() == 1 && path[0] == word;
}

std::string NameOf(const Node* node) {
  if (node == nullptr || !node->is_scalar() || node->is_null()) return {};
  return node->is_string() ? node->scalar.as_string() : node->raw;
}

}  // namespace stele::definition
