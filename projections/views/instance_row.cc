#include "projections/views/instance_row.h"

#include <algorithm>

#include "base/json.h"
#include "projections/field_values.h"
#include "projections/keys.h"
#include "projections/limits.h"
#include "projections/words.h"

namespace stele::projections {

namespace {

// 1,024 instances.
constexpr uint8_t kBlockBits = 10;

enum InstanceField : uint8_t {
  kStatus = 1,
  kDefinition,
  kVersion,
  kKey,
  kTag,
  kParent,
  kStarted,
  kEnded,
  kUpdated,
  kDeadline,
  kDuration,
  kPriority,
  kVar,
  kInput,
  kError,
  kText,
  kHas,
  kStep,
  kWaiting,
  kActor,
  kTrigger,
  kId,
};

constexpr std::string_view kStatuses[] = {"running",   "waiting",   "parked",       "paused",
                                          "queued",    "failed",    "compensating", "completed",
                                          "cancelled", "terminated"};
constexpr std::string_view kHasValues[] = {"error", "deadline", "parent", "key", "tag"};
constexpr std::string_view kWaitValues[] = {"people", "message", "delay", "operator",
                                            "child",  "resume",  "place"};

using Kind = FieldKind;
constexpr Field kFields[] = {
    {kStatus, "status", Kind::kWord, true, kStatuses, true, Sorting::kTerm},
    {kDefinition, "definition", Kind::kWord, true, {}, true, Sorting::kTerm},
    {kVersion, "version", Kind::kNumber, true},
    {kKey, "key", Kind::kWord, true, {}, false, Sorting::kTerm},
    {kTag, "tag", Kind::kWord, true},
    {kParent, "parent", Kind::kNumber, true},
    {kStarted, "started", Kind::kMoment, false, {}, false, Sorting::kNumber},
    {kEnded, "ended", Kind::kMoment, false, {}, false, Sorting::kNumber},
    {kUpdated, "updated", Kind::kMoment},
    {kDeadline, "deadline", Kind::kMoment},
    {kDuration, "duration", Kind::kDuration, false, {}, false, Sorting::kNumber},
    {kPriority, "priority", Kind::kNumber, true, {}, false, Sorting::kNumber},
    {kVar, "var", Kind::kNamed, true},
    {kInput, "input", Kind::kNamed, true},
    {kError, "error", Kind::kWord, true},
    {kText, "text", Kind::kText, true},
    {kHas, "has", Kind::kWord, true, kHasValues},
    {kStep, "step", Kind::kWord, true},
    {kWaiting, "waiting", Kind::kWord, true, kWaitValues},
    {kActor, "actor", Kind::kWord, true},
    {kTrigger, "trigger", Kind::kNumber, true},
    {kId, "id", Kind::kId},
};

std::optional<std::string> KeyIn(std::string_view id) {
  const std::optional<int64_t> number = IntegerOf(id);
  if (!number.has_value() || *number <= 0) return std::nullopt;
  return InstanceKey(InstanceId(static_cast<uint64_t>(*number)));
}

std::string KeyOf(uint64_t number) {
  return InstanceKey(InstanceId(number));
}

void AddWords(RowFacts& facts, const InstanceRow& row) {
  std::vector<std::string> words = WordsOf(row.business_key, kMaxWords);
  std::ranges::move(WordsOf(row.error_message, kMaxWords - words.size()),
                    std::back_inserter(words));
  for (const std::string& word : words) facts.Add(kText, word);
}

void AddNumber(RowFacts& facts, uint8_t field, int64_t value) {
  facts.Add(field, std::to_string(value));
  facts.numbers.push_back({field, value});
}

Value TimeOrNull(TimeUs time) {
  return time ? Value(time.value) : Value();
}

Value TextOrNull(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

Array StepsToJson(const InstanceRow& row) {
  Array steps;
  for (const OpenStep& step : row.steps)
    steps.push_back(Object{{"run", static_cast<int64_t>(step.run.value)},
                           {"step", step.id},
                           {"label", step.label},
                           {"state", step.state},
                           {"since", step.since.value},
                           {"attempt", static_cast<int64_t>(step.attempt)}});
  return steps;
}

Array WaitsToJson(const InstanceRow& row) {
  Array waits;
  for (const RowWait& wait : row.waits)
    waits.push_back(Object{{"for", wait.what},
                           {"label", TextOrNull(wait.step)},
                           {"subject", TextOrNull(wait.subject)},
                           {"since", TimeOrNull(wait.since)},
                           {"due", TimeOrNull(wait.due)}});
  return waits;
}

Value ToJson(const RowVariable& variable) {
  if (variable.is_json)
    if (Result<Value> value = ParseJson(variable.value); value.has_value())
      return *std::move(value);
  return variable.value;
}

Object VariablesToJson(const InstanceRow& row, bool is_input) {
  Object variables;
  for (const RowVariable& variable : row.variables)
    if (variable.is_input == is_input) variables.Set(variable.name, ToJson(variable));
  return variables;
}

}  // namespace

std::string InstanceKey(InstanceId instance) {
  return KeyWriter(0).Number(instance.value).Take().substr(1);
}

const TableSchema& InstanceRow::Schema() {
  static constexpr TableSchema kSchema{.rows = "instances",
                                       .order = "started",
                                       .order_field = kStarted,
                                       .block_bits = kBlockBits,
                                       .fields = kFields,
                                       .facts = FactsOf<InstanceRow>,
                                       .key = KeyIn,
                                       .key_of = KeyOf};
  return kSchema;
}

RowFacts InstanceRow::Facts(TimeUs now) const {
  RowFacts facts{.key = InstanceKey(id),
                 .number = id.value,
                 .order = started.value,
                 .terms = {},
                 .numbers = {}};
  facts.Add(kStatus, status);
  facts.Add(kDefinition, definition);
  facts.Add(kKey, business_key);
  facts.Add(kError, error_kind);
  facts.Add(kError, parked_kind);
  facts.Add(kActor, actor);
  facts.Add(kId, std::to_string(id.value));
  for (const std::string& tag : tags) facts.Add(kTag, tag);
  for (const OpenStep& step : steps) facts.Add(kStep, step.id);
  for (const RowWait& wait : waits) facts.Add(kWaiting, wait.what);
  for (const RowVariable& variable : variables)
    facts.Add(variable.is_input ? kInput : kVar, NamedTerm(variable.name, variable.value));
  AddNumber(facts, kVersion, version);
  AddNumber(facts, kPriority, priority);
  if (parent) AddNumber(facts, kParent, static_cast<int64_t>(parent.value));
  if (trigger) AddNumber(facts, kTrigger, trigger.value);
  if (!error_kind.empty()) facts.Add(kHas, "error");
  if (deadline) facts.Add(kHas, "deadline");
  if (parent) facts.Add(kHas, "parent");
  if (!business_key.empty()) facts.Add(kHas, "key");
  if (!tags.empty()) facts.Add(kHas, "tag");
  AddWords(facts, *this);
  facts.Add(kStarted, started);
  facts.Add(kEnded, ended);
  facts.Add(kUpdated, updated);
  facts.Add(kDeadline, deadline);
  const TimeUs until = ended ? ended : now;
  if (until >= started) facts.numbers.push_back({kDuration, until.value - started.value});
  facts.Sort();
  return facts;
}

uint32_t InstanceRow::ProgressPercent() const {
  if (status == "completed") return 100;
  const uint32_t percent =
      steps_total == 0 ? 0 : std::min(steps_decided, steps_total) * 100 / steps_total;
  return undone ? std::min(percent, 99U) : percent;
}

Value ToJson(const InstanceRow& row, TimeUs now) {
  Array tags;
  for (const std::string& tag : row.tags) tags.emplace_back(tag);
  const TimeUs until = row.ended ? row.ended : now;
  Value error;
  if (!row.error_kind.empty() || !row.error_message.empty())
    error = Object{{"kind", row.error_kind}, {"message", row.error_message}};
  return Object{{"instance", static_cast<int64_t>(row.id.value)},
                {"definition", row.definition},
                {"version", static_cast<int64_t>(row.version)},
                {"status", row.status},
                {"business_key", TextOrNull(row.business_key)},
                {"tags", std::move(tags)},
                {"priority", static_cast<int64_t>(row.priority)},
                {"parent", row.parent ? Value(static_cast<int64_t>(row.parent.value)) : Value()},
                {"started", row.started.value},
                {"ended", TimeOrNull(row.ended)},
                {"deadline", TimeOrNull(row.deadline)},
                {"updated", row.updated.value},
                {"duration", until.value - row.started.value},
                {"steps_completed", static_cast<int64_t>(row.steps_completed)},
                {"steps_total", static_cast<int64_t>(row.steps_total)},
                {"progress", static_cast<int64_t>(row.ProgressPercent())},
                {"steps_open", static_cast<int64_t>(row.steps_open)},
                {"steps", StepsToJson(row)},
                {"waits_open", static_cast<int64_t>(row.waits_open)},
                {"waiting_for", WaitsToJson(row)},
                {"error", std::move(error)},
                {"actor", TextOrNull(row.actor)},
                {"trigger", row.trigger ? Value(static_cast<int64_t>(row.trigger.value)) : Value()},
                {"variables", VariablesToJson(row, false)},
                {"input", VariablesToJson(row, true)}};
}

}  // namespace stele::projections
