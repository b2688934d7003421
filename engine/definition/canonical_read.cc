#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/definition/canonical.h"
#include "engine/definition/canonical_names.h"
#include "engine/definition/document.h"
#include "engine/definition/graph.h"
#include "engine/definition/json_schema.h"
#include "engine/definition/limits.h"
#include "engine/definition/reader.h"

namespace stele::definition {
namespace {

using namespace canonical;

class CanonicalReader {
 public:
  explicit CanonicalReader(Faults& faults) : faults_(faults) {}

  Definition Read(const Node& root);

 private:
  void ReadTables(MapReader& reader);
  void ReadBody(const Node& node);
  void ReadStep(const Node& node);
  void ReadTransition(const Node& node);
  void ReadBehaviour(MapReader& reader, Step& step);
  Loop ReadLoop(const Node& node);
  RetryPolicy ReadRetry(const Node& node);
  std::optional<Concurrency> ReadConcurrency(MapReader& reader);
  RateLimit ReadRate(MapReader& reader);
  void CheckSteps();
  void CheckBodies();

  void Add(Place place, std::string message) {
    faults_.Add(ErrorCode::kInvalidDefinition, place, std::move(message));
  }
  const Node* List(MapReader& reader, std::string_view key, size_t most);
  uint32_t Index(MapReader& reader, std::string_view key, size_t count, uint32_t absent);
  uint32_t Required(MapReader& reader, std::string_view key, size_t count);
  Place At(MapReader& reader);
  std::optional<Expression> Condition(MapReader& reader, std::string_view key);
  Template Compile(const Node& node);
  std::vector<Mapping> Mappings(MapReader& reader, std::string_view key);
  std::vector<std::string> Strings(MapReader& reader, std::string_view key);
  template <class Enum, size_t n>
  Enum Word(MapReader& reader, std::string_view key, const std::array<std::string_view, n>& names,
            Enum absent);

  Faults& faults_;
  Definition result_;
  size_t bodies_ = 0;
  size_t steps_ = 0;
};

const Node* CanonicalReader::List(MapReader& reader, std::string_view key, size_t most) {
  const Node* node = reader.Take(key);
  if (node == nullptr) return nullptr;
  if (!node->is_list() || node->items.size() > most) {
    Add(node->place, fmt::format("Expected a list of at most {} as `{}` but found {}", most, key,
                                 node->is_list() ? "more" : Describe(*node)));
    return nullptr;
  }
  return node;
}

uint32_t CanonicalReader::Index(MapReader& reader, std::string_view key, size_t count,
                                uint32_t absent) {
  if (count == 0) return reader.Take(key), absent;
  const auto index = reader.Integer({key}, 0, static_cast<int64_t>(count) - 1);
  return index ? static_cast<uint32_t>(*index) : absent;
}

uint32_t CanonicalReader::Required(MapReader& reader, std::string_view key, size_t count) {
  if (reader.Require({key}) == nullptr) return 0;
  return Index(reader, key, count, 0);
}

Place CanonicalReader::At(MapReader& reader) {
  const Node* node = reader.Take("place");
  if (node == nullptr) return {};
  const auto number = [&](size_t i) {
    const Value& value = node->items[i].scalar;
    return value.is_int() && value.as_int() >= 0 && value.as_int() <= UINT32_MAX;
  };
  if (!node->is_list() || node->items.size() != 2 || !number(0) || !number(1)) {
    Add(node->place, "Expected [line, column] as `place` but found " + Describe(*node));
    return {};
  }
  return {static_cast<uint32_t>(node->items[0].scalar.as_int()),
          static_cast<uint32_t>(node->items[1].scalar.as_int())};
}

std::optional<Expression> CanonicalReader::Condition(MapReader& reader, std::string_view key) {
  const Node* node = reader.Take(key);
  if (node == nullptr) return std::nullopt;
  auto compiled = Expression::Compile(ReadText(*node, "an expression", faults_).value_or("null"));
  if (compiled) return *std::move(compiled);
  faults_.Add(compiled.error().code, node->place, compiled.error().message);
  return std::nullopt;
}

Template CanonicalReader::Compile(const Node& node) {
  auto compiled = Template::Compile(ToValue(node));
  if (compiled) return *std::move(compiled);
  faults_.Add(compiled.error().code, node.place, compiled.error().message);
  return {};
}

std::vector<Mapping> CanonicalReader::Mappings(MapReader& reader, std::string_view key) {
  std::vector<Mapping> mappings;
  const Node* list = List(reader, key, kMaxNodes);
  if (list == nullptr) return mappings;
  for (const Node& item : list->items) {
    if (!item.is_list() || item.items.size() != 2 || !item.items[0].is_string())
      Add(item.place, "Expected [name, value] but found " + Describe(item));
    else
      mappings.push_back({item.items[0].scalar.as_string(), Compile(item.items[1])});
  }
  return mappings;
}

std::vector<std::string> CanonicalReader::Strings(MapReader& reader, std::string_view key) {
  std::vector<std::string> strings;
  if (const Node* list = List(reader, key, kMaxNodes))
    for (const Node& item : list->items)
      strings.push_back(ReadText(item, fmt::format("one of `{}`", key), faults_).value_or(""));
  return strings;
}

template <class Enum, size_t n>
Enum CanonicalReader::Word(MapReader& reader, std::string_view key,
                           const std::array<std::string_view, n>& names, Enum absent) {
  const Node* node = reader.Take(key);
  if (node == nullptr) return absent;
  const auto found = std::ranges::find(names, ReadText(*node, key, faults_).value_or(""));
  if (found != names.end()) return static_cast<Enum>(found - names.begin());
  Add(node->place,
      fmt::format("Expected one of {} as `{}` but found {}",
                  QuoteList({names.begin(), names.end()}, "or"), key, Describe(*node)));
  return absent;
}

Definition CanonicalReader::Read(const Node& root) {
  MapReader reader(root, "a definition", faults_);
  if (const Node* version = reader.Require({"format_version"}))
    if (version->scalar != Value(kFormatVersion)) {
      faults_.Add(ErrorCode::kUnsupported, version->place,
                  fmt::format("Expected format_version {} but found {}", kFormatVersion,
                              Describe(*version)));
      return {};
    }
  result_.dialect = reader.Text({"dialect"});
  if (result_.dialect.empty()) result_.dialect = "canonical";
  result_.name = reader.Text({"name"});
  result_.title = reader.Text({"title"});
  result_.version = reader.Text({"version"});
  result_.description = reader.Text({"description"});
  result_.tags = Strings(reader, "tags");
  ReadTables(reader);
  result_.outputs = Mappings(reader, "outputs");
  result_.deadline_us = reader.Integer({"deadline_us"}, 0, kMaxDurationUs).value_or(0);
  result_.retention_us = reader.Integer({"retention_us"}, 0, kMaxDurationUs).value_or(0);
  result_.priority =
      static_cast<int32_t>(reader.Integer({"priority"}, INT32_MIN, INT32_MAX).value_or(0));
  result_.concurrency = ReadConcurrency(reader);
  result_.rate = ReadRate(reader);
  if (const Node* schema = reader.Take("input_schema")) result_.input_schema = ToValue(*schema);
  if (const Node* triggers = reader.Take("triggers")) result_.triggers = ToValue(*triggers);
  if (const Node* extra = reader.Take("extra")) result_.extra = ToValue(*extra);
  reader.Finish();
  if (!faults_.empty()) return {};
  CheckSteps();
  CheckBodies();
  if (!faults_.empty()) return {};
  AnalyzeGraph(result_, faults_);
  for (const Step& step : result_.steps)
    if (step.handler && !(step.incoming.empty() && step.outgoing.empty()))
      Add({},
          fmt::format("Expected no transitions at the handler {} but found some", Quote(step.id)));
  CompileInputSchema(result_);
  for (uint32_t i = 0; i < result_.steps.size(); ++i) result_.by_id.push_back(StepIndex(i));
  std::ranges::sort(result_.by_id, {},
                    [&](StepIndex i) -> const std::string& { return result_.step(i).id; });
  return std::move(result_);
}

void CanonicalReader::ReadTables(MapReader& reader) {
  reader.Require({"bodies"});
  const Node* bodies = List(reader, "bodies", kMaxSteps + 1);
  const Node* steps = List(reader, "steps", kMaxSteps);
  const Node* transitions = List(reader, "transitions", kMaxTransitions);
  bodies_ = bodies == nullptr ? 0 : bodies->items.size();
  steps_ = steps == nullptr ? 0 : steps->items.size();
  if (bodies_ == 0 || steps_ == 0)
    Add(reader.place(), "Expected at least one body and one step but found none");
  else
    for (const Node& node : bodies->items) ReadBody(node);
  if (steps != nullptr)
    for (const Node& node : steps->items) ReadStep(node);
  if (transitions != nullptr)
    for (const Node& node : transitions->items) ReadTransition(node);
}

void CanonicalReader::ReadBody(const Node& node) {
  MapReader reader(node, "a body", faults_);
  Body body;
  body.id = reader.Text({"id"});
  body.name = reader.Text({"name"});
  if (body.name.empty()) body.name = body.id;
  if (const Node* entries = List(reader, "entries", steps_))
    for (const Node& entry : entries->items) {
      const Value& index = entry.scalar;
      if (index.is_int() && index.as_int() >= 0 && index.as_int() < static_cast<int64_t>(steps_))
        body.entries.push_back(StepIndex(static_cast<uint32_t>(index.as_int())));
      else
        Add(entry.place, fmt::format("Expected the index of a step below {} but found {}", steps_,
                                     Describe(entry)));
    }
  if (const Node* variables = List(reader, "variables", kMaxNodes))
    for (const Node& item : variables->items) {
      MapReader one(item, "a variable", faults_);
      Variable variable;
      variable.name = one.Text({"name"});
      variable.type = one.Text({"type"});
      if (variable.type.empty()) variable.type = "any";
      if (const Node* initial = one.Take("initial")) variable.initial = ToValue(*initial);
      variable.required = one.Bool({"required"}, false);
      one.Finish();
      body.variables.push_back(std::move(variable));
    }
  body.strategy = Word(reader, "strategy", kStrategies, Strategy::kFail);
  body.fallback = StepIndex(Index(reader, "fallback", steps_, kNoIndex));
  body.place = At(reader);
  reader.Finish();
  result_.bodies.push_back(std::move(body));
}

void CanonicalReader::ReadStep(const Node& node) {
  MapReader reader(node, "a step", faults_);
  Step step;
  if (reader.Require({"id"}) != nullptr) step.id = reader.Text({"id"});
  step.name = reader.Text({"name"});
  if (step.name.empty()) step.name = step.id;
  step.kind = Word(reader, "kind", kKinds, StepKind::kTask);
  step.task_type = reader.Text({"type"});
  step.body = BodyIndex(Index(reader, "body", bodies_, 0));
  step.child = BodyIndex(Index(reader, "child", bodies_, kNoIndex));
  step.join = Word(reader, "join", kJoins, Join::kAll);
  step.join_count =
      static_cast<uint32_t>(reader.Integer({"join_count"}, 0, kMaxTransitions).value_or(0));
  step.split = Word(reader, "split", kSplits, Split::kAll);
  ReadBehaviour(reader, step);
  step.fallback = StepIndex(Index(reader, "fallback", steps_, kNoIndex));
  step.compensation = StepIndex(Index(reader, "compensation", steps_, kNoIndex));
  step.handler = reader.Bool({"handler"}, false);
  step.optional = reader.Bool({"optional"}, false);
  step.returnable = reader.Bool({"returnable"}, true);
  step.concurrency = ReadConcurrency(reader);
  step.rate = ReadRate(reader);
  if (const Node* extra = reader.Take("extra")) step.extra = ToValue(*extra);
  step.place = At(reader);
  reader.Finish();
  result_.steps.push_back(std::move(step));
}

void CanonicalReader::ReadBehaviour(MapReader& reader, Step& step) {
  step.condition = Condition(reader, "condition");
  if (const Node* config = reader.Take("config")) {
    if (config->is_map())
      step.config = Compile(*config);
    else
      Add(config->place, "Expected an object as `config` but found " + Describe(*config));
  }
  step.inputs = Mappings(reader, "inputs");
  step.outputs = Mappings(reader, "outputs");
  if (const Node* delay = reader.Take("delay")) step.delay = Compile(*delay);
  if (const Node* loop = reader.Take("loop")) step.loop = ReadLoop(*loop);
  if (const Node* retry = reader.Take("retry")) step.retry = ReadRetry(*retry);
  step.timeout_us = reader.Integer({"timeout_us"}, 0, kMaxDurationUs).value_or(0);
}

Loop CanonicalReader::ReadLoop(const Node& node) {
  MapReader reader(node, "a loop", faults_);
  Loop loop;
  reader.Require({"mode"});
  loop.mode = Word(reader, "mode", kLoopModes, LoopMode::kForEach);
  loop.condition = Condition(reader, "condition");
  if (const Node* items = reader.Take("items")) loop.items = Compile(*items);
  if (auto name = reader.Text({"item_name"}); !name.empty()) loop.item_name = name;
  loop.max_iterations =
      static_cast<uint32_t>(reader.Integer({"max_iterations"}, 0, UINT32_MAX).value_or(0));
  loop.max_concurrent =
      static_cast<uint32_t>(reader.Integer({"max_concurrent"}, 1, UINT32_MAX).value_or(1));
  loop.break_on_error = reader.Bool({"break_on_error"}, true);
  reader.Finish();
  const bool conditional = loop.mode == LoopMode::kWhile || loop.mode == LoopMode::kUntil;
  if (conditional != loop.condition.has_value() || conditional == loop.items.has_value())
    Add(node.place,
        "Expected a loop with a condition or with items, as its mode wants, but found "
        "otherwise");
  return loop;
}

RetryPolicy CanonicalReader::ReadRetry(const Node& node) {
  MapReader reader(node, "a retry policy", faults_);
  RetryPolicy retry;
  retry.max_attempts =
      static_cast<uint32_t>(reader.Integer({"max_attempts"}, 1, kMaxAttempts).value_or(1));
  retry.backoff = Word(reader, "backoff", kBackoffs, Backoff::kFixed);
  retry.initial_delay_us = reader.Integer({"initial_delay_us"}, 0, kMaxDurationUs).value_or(0);
  retry.multiplier = reader.Number({"multiplier"}, 1, 1e6).value_or(2.0);
  retry.max_delay_us = reader.Integer({"max_delay_us"}, 0, kMaxDurationUs).value_or(0);
  retry.jitter = reader.Number({"jitter"}, 0, 1).value_or(0.0);
  retry.retry_on = Strings(reader, "retry_on");
  retry.no_retry_on = Strings(reader, "no_retry_on");
  reader.Finish();
  return retry;
}

std::optional<Concurrency> CanonicalReader::ReadConcurrency(MapReader& reader) {
  const Node* node = reader.Take("concurrency");
  if (node == nullptr) return std::nullopt;
  MapReader one(*node, "a concurrency", faults_);
  Concurrency concurrency{.key = NoKey(), .limit = 1};
  if (const Node* key = one.Take("key")) concurrency.key = Compile(*key);
  if (one.Require({"limit"}) != nullptr)
    concurrency.limit = static_cast<uint32_t>(one.Integer({"limit"}, 1, UINT32_MAX).value_or(1));
  one.Finish();
  return concurrency;
}

RateLimit CanonicalReader::ReadRate(MapReader& reader) {
  RateLimit rate;
  const Node* node = reader.Take("rate");
  if (node == nullptr) return rate;
  MapReader one(*node, "a rate", faults_);
  rate.count = static_cast<uint32_t>(one.Integer({"count"}, 0, UINT32_MAX).value_or(0));
  rate.per_us = one.Integer({"per_us"}, 1, kMaxDurationUs).value_or(rate.per_us);
  one.Finish();
  return rate;
}

void CanonicalReader::ReadTransition(const Node& node) {
  MapReader reader(node, "a transition", faults_);
  Transition edge;
  edge.from = StepIndex(Required(reader, "from", steps_));
  edge.to = StepIndex(Required(reader, "to", steps_));
  edge.on = Word(reader, "on", kOutcomes, On::kSuccess);
  edge.condition = Condition(reader, "condition");
  edge.is_default = reader.Bool({"default"}, false);
  edge.place = At(reader);
  reader.Finish();
  result_.transitions.push_back(std::move(edge));
}

void CanonicalReader::CheckSteps() {
  std::set<std::string_view> ids;
  std::vector<size_t> entering(result_.steps.size());
  for (const Transition& edge : result_.transitions) ++entering[edge.to.value];
  for (uint32_t i = 0; i < result_.steps.size(); ++i) {
    const Step& step = result_.steps[i];
    if (!ids.insert(step.id).second)
      Add({}, fmt::format("Expected each step id once but found {} again", Quote(step.id)));
    const auto beside = [&](StepIndex other) {
      return other.value == kNoIndex || (other.value != i && result_.step(other).body == step.body);
    };
    if (!beside(step.fallback) || !beside(step.compensation))
      Add({}, fmt::format("Expected the fallback and compensation of {} in its body but found "
                          "another",
                          Quote(step.id)));
    const bool runs = step.kind == StepKind::kLoop || step.kind == StepKind::kSubProcess;
    if (runs != (step.child.value != kNoIndex))
      Add({}, fmt::format("Expected a child body of loops and sub-processes alone but found "
                          "otherwise at {}",
                          Quote(step.id)));
    if ((step.kind == StepKind::kLoop) != (step.loop.condition || step.loop.items) ||
        (step.kind == StepKind::kDelay) != step.delay.has_value())
      Add({}, fmt::format("Expected a loop or delay as the kind of {} wants but found otherwise",
                          Quote(step.id)));
    const size_t incoming = entering[i];
    if (step.join == Join::kNOfM && (step.join_count == 0 || step.join_count > incoming))
      Add({}, fmt::format("Expected a join of {} to wait for 1 to {} transitions but found {}",
                          Quote(step.id), incoming, step.join_count));
    if (!runs || step.child.value == kNoIndex) continue;
    Body& body = result_.bodies[step.child.value];
    if (step.child.value == 0 || body.owner.value != kNoIndex)
      Add({},
          fmt::format("Expected a body to be run by one step but found {} too", Quote(step.id)));
    else
      body.owner = StepIndex(i);
  }
  for (uint32_t i = 0; i < result_.steps.size(); ++i)
    result_.bodies[result_.steps[i].body.value].steps.push_back(StepIndex(i));
}

// Every body is run, at last, by the root: no body contains itself.
void CanonicalReader::CheckBodies() {
  for (const Transition& edge : result_.transitions)
    if (result_.step(edge.from).body != result_.step(edge.to).body)
      Add(edge.place, "Expected transitions within a body but found one that leaves it");
  for (uint32_t b = 0; b < result_.bodies.size(); ++b) {
    const Body& body = result_.bodies[b];
    for (const StepIndex entry : body.entries)
      if (result_.step(entry).body.value != b || result_.step(entry).handler)
        Add({}, fmt::format("Expected entries of a body to be steps of it but found {}",
                            Quote(result_.step(entry).id)));
    if (body.fallback.value != kNoIndex && result_.step(body.fallback).body.value != b)
      Add({}, fmt::format("Expected the fallback of a body to be a step of it but found {}",
                          Quote(result_.step(body.fallback).id)));
    uint32_t at = b;
    size_t climbed = 0;
    while (at != 0 && climbed++ <= result_.bodies.size()) {
      const StepIndex owner = result_.bodies[at].owner;
      if (owner.value == kNoIndex) break;
      at = result_.step(owner).body.value;
    }
    if (at != 0 || body.steps.empty())
      Add({}, fmt::format("Expected a body with steps that the root runs but found {}",
                          Quote(body.id)));
  }
}

}  // namespace

LoadResult ReadCanonical(std::string_view json) {
  Faults faults;
  const std::optional<Node> root = ParseDocument(json, Syntax::kJson, faults);
  if (!root) return std::unexpected(faults.Take());
  return ReadCanonicalTree(*root);
}

LoadResult ReadCanonicalTree(const Node& root) {
  Faults faults;
  Definition definition = CanonicalReader(faults).Read(root);
  if (!faults.empty()) return std::unexpected(faults.Take());
  return std::make_shared<const Definition>(std::move(definition));
}

}  // namespace stele::definition
