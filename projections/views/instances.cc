#include "projections/views/instances.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/model/beginning.h"
#include "engine/model/names.h"
#include "projections/limits.h"
#include "projections/views/row_variables.h"
#include "projections/words.h"
#include "replay/standing.h"

namespace stele::projections {

namespace {

using replay::WaitFor;
using replay::Waiting;

// The trigger in the idempotency key of what it started: "trigger:7:…".
TriggerId TriggerIn(std::string_view key) {
  constexpr std::string_view kPrefix = "trigger:";
  if (!key.starts_with(kPrefix)) return TriggerId();
  key.remove_prefix(kPrefix.size());
  TriggerId trigger;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), trigger.value);
  const bool known = error == std::errc() && end != key.data() + key.size() && *end == ':';
  return known ? trigger : TriggerId();
}

// "anna, group ops", "anybody"
std::string PeopleOf(const model::HumanTask& task) {
  std::string text;
  for (const std::string& person : task.assignees) text += (text.empty() ? "" : ", ") + person;
  for (const std::string& group : task.groups)
    text += (text.empty() ? "group " : ", group ") + group;
  return text.empty() ? "anybody" : text;
}

std::string EventsOf(const std::vector<model::Wait>& waits) {
  std::string text;
  for (const model::Wait& wait : waits) {
    if (!text.empty()) text += " or ";
    text += model::EnumName(wait.kind);
    if (wait.kind == model::WaitKind::kTimer) continue;
    text += fmt::format(" \"{}\"", wait.name);
    if (!wait.key.empty()) text += fmt::format(" with the key \"{}\"", wait.key);
  }
  return text;
}

std::string SubjectOf(const Waiting& waiting) {
  switch (waiting.what) {
    case WaitFor::kPeople:
      return PeopleOf(*waiting.task);
    case WaitFor::kMessage:
      return EventsOf(waiting.waits);
    case WaitFor::kOperator:
      return fmt::format("{}: {}", waiting.kind, waiting.message);
    case WaitFor::kChild:
      return std::to_string(waiting.child.value);
    case WaitFor::kWorker:
      return waiting.type;
    case WaitFor::kDelay:
    case WaitFor::kResume:
    case WaitFor::kPlace:
      return "";
  }
  return "";
}

void AddWaits(InstanceRow& row, const replay::Standing& standing) {
  row.waits_open = static_cast<uint32_t>(standing.waits.size());
  for (const Waiting& waiting : standing.waits) {
    if (row.waits.size() == kMaxRowWaits) break;
    row.waits.push_back({.what = std::string(replay::WaitForName(waiting.what)),
                         .step = waiting.label,
                         .subject = std::string(CutText(SubjectOf(waiting), kMaxRowTextBytes)),
                         .since = waiting.since,
                         .due = waiting.due});
  }
}

void AddSteps(InstanceRow& row, const model::Instance& instance,
              const definition::Definition& definition) {
  row.steps_open = static_cast<uint32_t>(instance.runs.size());
  for (const model::StepRun& run : instance.runs) {
    if (row.steps.size() == kMaxRowSteps) break;
    row.steps.push_back({.run = run.id,
                         .id = definition.step(run.step).id,
                         .label = replay::LabelOf(instance, definition, run),
                         .state = std::string(model::EnumName(run.state)),
                         .since = run.activated,
                         .attempt = run.attempt});
  }
}

bool IsDecided(model::SlotState state) {
  switch (state) {
    case model::SlotState::kIdle:
    case model::SlotState::kActive:
      return false;
    case model::SlotState::kCompleted:
    case model::SlotState::kSkipped:
    case model::SlotState::kFailed:
    case model::SlotState::kCancelled:
    case model::SlotState::kHandled:
    case model::SlotState::kOmitted:
      return true;
  }
  return false;
}

// Of the outermost graph; fallbacks and compensations do not count.
void AddProgress(InstanceRow& row, const model::Instance& instance,
                 const definition::Definition& definition) {
  const auto counts = [&](StepIndex step) { return !definition.step(step).handler; };
  row.undone = instance.compensated || instance.status == model::Status::kCompensating;
  const auto is_cut_off = [&](model::SlotState state) {
    return row.undone &&
           (state == model::SlotState::kFailed || state == model::SlotState::kCancelled);
  };
  row.steps_total =
      static_cast<uint32_t>(std::ranges::count_if(definition.bodies[0].steps, counts));
  if (instance.scopes.empty()) return;
  for (const model::Slot& slot : instance.scopes[0].slots) {
    if (!counts(slot.step)) continue;
    row.steps_completed += slot.state == model::SlotState::kCompleted;
    row.steps_decided += IsDecided(slot.state) && !is_cut_off(slot.state);
  }
}

void AddError(InstanceRow& row, const model::Instance& instance) {
  const auto set = [&](const std::string& kind, const std::string& message) {
    if (!row.error_kind.empty() || kind.empty()) return;
    row.error_kind = kind;
    row.error_message = CutText(message, kMaxRowTextBytes);
  };
  set(instance.failure.kind, instance.failure.message);
  if (instance.status == model::Status::kCompensating && instance.scopes[0].failure != nullptr)
    set(instance.scopes[0].failure->kind, instance.scopes[0].failure->message);
  const auto parked =
      std::ranges::find(instance.runs, model::RunState::kParked, &model::StepRun::state);
  if (parked == instance.runs.end()) return;
  row.parked_kind = parked->error_kind;
  set(parked->error_kind, parked->error_message);
}

}  // namespace

std::string_view InstancesView::keys() const {
  return "r, instance: the row\n"
         "t, field, value, block: which of 1,024 instances have it\n"
         "c, n: what instances are sorted by\n";
}

void InstancesView::OnEvent(const model::Event& event, const model::Instance&,
                            const model::Registry&, const RecordInfo& record, ViewWriter&) {
  if (last_noted_ == nullptr || last_ != record.instance) {
    last_ = record.instance;
    last_noted_ = &noted_[record.instance];
  }
  Noted& noted = *last_noted_;
  noted.updated = record.time;
  if (model::BeginsInstance(event)) {
    noted.started = true;
    noted.actor = record.actor;
  }
}

void InstancesView::EndBatch(ViewWriter&) {
  noted_.clear();
  last_noted_ = nullptr;
}

void InstancesView::Forget(InstanceId instance, ViewWriter& writer) {
  Table<InstanceRow>::Erase(writer, InstanceKey(instance));
}

void InstancesView::OnInstance(const model::Instance& instance, const model::Registry& registry,
                               ViewWriter& writer) {
  const model::RegisteredDefinition* registered = registry.Find(instance.definition);
  if (registered == nullptr || registered->definition == nullptr) return;
  const definition::Definition& definition = *registered->definition;
  const Noted& noted = noted_[instance.id];
  const std::optional<InstanceRow> before =
      noted.started ? std::nullopt : Table<InstanceRow>::Get(writer, InstanceKey(instance.id));
  const replay::Standing standing = replay::StandingOf(instance, definition);
  InstanceRow row{.id = instance.id,
                  .definition = registered->name,
                  .version = registered->version,
                  .status = replay::StatusWord(instance, standing),
                  .business_key = instance.business_key,
                  .tags = instance.tags,
                  .priority = instance.priority,
                  .parent = instance.parent_instance,
                  .started = instance.started,
                  .ended = instance.ended,
                  .deadline = instance.deadline,
                  .updated = noted.updated,
                  .trigger = TriggerIn(instance.idempotency_key),
                  .variables = RowVariablesOf(instance)};
  row.actor = noted.started || !before ? noted.actor : before->actor;
  AddProgress(row, instance, definition);
  AddSteps(row, instance, definition);
  AddWaits(row, standing);
  AddError(row, instance);
  Table<InstanceRow>::Put(writer, before, row);
}

}  // namespace stele::projections
