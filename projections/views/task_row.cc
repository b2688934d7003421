#include "projections/views/task_row.h"

#include <fmt/format.h>

#include "projections/field_values.h"
#include "projections/keys.h"
#include "projections/limits.h"
#include "projections/words.h"

namespace stele::projections {

namespace {

// A task's number is that of its instance and that of the run. An instance of 16 million runs would
// have a history of gigabytes.
constexpr uint8_t kRunBits = 24;
// Those of 1,024 instances.
constexpr uint8_t kBlockBits = 10 + kRunBits;

enum TaskField : uint8_t {
  kState = 1,
  kFor,
  kAssignee,
  kGroup,
  kClaimed,
  kDefinition,
  kStep,
  kType,
  kCreated,
  kDue,
  kCompleted,
  kKey,
  kInstance,
  kText,
  kId,
  kPriority,
};

constexpr std::string_view kStates[] = {"open", "claimed", "approved", "rejected",
                                        "done", "failed",  "skipped",  "cancelled"};
constexpr std::string_view kTypes[] = {"approval", "manual"};

using Kind = FieldKind;
constexpr Field kFields[] = {
    {kState, "state", Kind::kWord, true, kStates, true},
    {kFor, "for", Kind::kWord, true},
    {kAssignee, "assignee", Kind::kWord, true},
    {kGroup, "group", Kind::kWord, true},
    {kClaimed, "claimed", Kind::kWord, true},
    {kDefinition, "definition", Kind::kWord, true},
    {kStep, "step", Kind::kWord, true},
    {kType, "type", Kind::kWord, true, kTypes, true},
    {kCreated, "created", Kind::kMoment, false, {}, false, Sorting::kNumber},
    {kDue, "due", Kind::kMoment, false, {}, false, Sorting::kNumber},
    {kCompleted, "completed", Kind::kMoment},
    {kKey, "key", Kind::kWord, true},
    {kInstance, "instance", Kind::kNumber, true},
    {kText, "text", Kind::kText, true},
    {kId, "id", Kind::kId},
    {kPriority, "priority", Kind::kNumber, true, {}, false, Sorting::kNumber},
};

// The instance and the run.
std::string IdOf(InstanceId instance, RunId run) {
  return fmt::format("{}-{}", instance.value, run.value);
}

// How ids were written once: queries that somebody has kept have it.
std::string OldIdOf(InstanceId instance, RunId run) {
  return fmt::format("{}/{}", instance.value, run.value);
}

// Either form.
std::optional<std::string> KeyIn(std::string_view id) {
  const size_t between = id.find_first_of("-/");
  if (between == std::string_view::npos) return std::nullopt;
  const std::optional<int64_t> instance = IntegerOf(id.substr(0, between));
  const std::optional<int64_t> run = IntegerOf(id.substr(between + 1));
  if (!instance || !run || *instance <= 0 || *run <= 0 || *run > UINT32_MAX) return std::nullopt;
  return TaskKey(InstanceId(static_cast<uint64_t>(*instance)), RunId(static_cast<uint32_t>(*run)));
}

std::string KeyOf(uint64_t number) {
  const auto run = static_cast<uint32_t>(number & ((1u << kRunBits) - 1));
  return TaskKey(InstanceId(number >> kRunBits), RunId(run));
}

Array Texts(const std::vector<std::string>& texts) {
  Array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

Value TimeOrNull(TimeUs time) {
  return time ? Value(time.value) : Value();
}

Value TextOrNull(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

}  // namespace

std::string TaskKey(InstanceId instance, RunId run) {
  return KeyWriter(0).Number(instance.value).Number(run.value).Take().substr(1);
}

std::string TasksPrefix(InstanceId instance) {
  return KeyWriter(0).Number(instance.value).Take().substr(1);
}

const TableSchema& TaskRow::Schema() {
  static constexpr TableSchema kSchema{.rows = "tasks",
                                       .order = "created",
                                       .order_field = kCreated,
                                       .block_bits = kBlockBits,
                                       .fields = kFields,
                                       .facts = FactsOf<TaskRow>,
                                       .key = KeyIn,
                                       .key_of = KeyOf,
                                       .id_form = "the instance and run of one (42-3)"};
  return kSchema;
}

RowFacts TaskRow::Facts(TimeUs) const {
  RowFacts facts{.key = TaskKey(instance, run),
                 .number = instance.value << kRunBits | run.value,
                 .order = created.value,
                 .terms = {},
                 .numbers = {}};
  facts.Add(kState, state);
  facts.Add(kClaimed, claimed_by);
  facts.Add(kDefinition, definition);
  facts.Add(kStep, step);
  facts.Add(kType, type);
  facts.Add(kKey, business_key);
  facts.Add(kInstance, std::to_string(instance.value));
  facts.numbers.push_back({kInstance, static_cast<int64_t>(instance.value)});
  facts.Add(kPriority, std::to_string(priority));
  facts.numbers.push_back({kPriority, priority});
  facts.Add(kId, IdOf(instance, run));
  facts.Add(kId, OldIdOf(instance, run));
  for (const std::string& person : assignees) facts.Add(kAssignee, person);
  for (const std::string& person : assignees) facts.Add(kFor, person);
  facts.Add(kFor, claimed_by);
  for (const std::string& group : groups) facts.Add(kGroup, group);
  for (const std::string& group : groups) facts.Add(kFor, "@" + group);
  if (assignees.empty() && groups.empty()) facts.Add(kFor, "anybody");
  std::vector<std::string> words = WordsOf(title, kMaxWords);
  for (const std::string& word : words) facts.Add(kText, word);
  for (const std::string& word : WordsOf(business_key, kMaxWords - words.size()))
    facts.Add(kText, word);
  facts.Add(kCreated, created);
  facts.Add(kDue, due);
  facts.Add(kCompleted, completed);
  facts.Sort();
  return facts;
}

Value ToJson(const TaskRow& row) {
  Array votes;
  for (const RowVote& vote : row.votes)
    votes.push_back(Object{{"person", vote.person},
                           {"approved", vote.approved},
                           {"comment", vote.comment},
                           {"time", vote.time.value}});
  return Object{{"id", IdOf(row.instance, row.run)},
                {"instance", static_cast<int64_t>(row.instance.value)},
                {"run", static_cast<int64_t>(row.run.value)},
                {"definition", row.definition},
                {"version", static_cast<int64_t>(row.version)},
                {"step", row.step},
                {"label", row.label},
                {"type", row.type},
                {"title", row.title},
                {"state", row.state},
                {"assignees", Texts(row.assignees)},
                {"groups", Texts(row.groups)},
                {"claimed_by", TextOrNull(row.claimed_by)},
                {"votes", std::move(votes)},
                {"min_approvers", static_cast<int64_t>(row.min_approvers)},
                {"created", row.created.value},
                {"due", TimeOrNull(row.due)},
                {"completed", TimeOrNull(row.completed)},
                {"business_key", TextOrNull(row.business_key)},
                {"priority", static_cast<int64_t>(row.priority)}};
}

}  // namespace stele::projections
