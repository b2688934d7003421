#include "projections/views/tasks.h"

#include "projections/limits.h"
#include "projections/words.h"
#include "replay/standing.h"

namespace stele::projections {

namespace {

// Whether a step's output says that it was approved; nothing: it does not say.
std::optional<bool> ApprovedBy(const Payload& output) {
  if (!output.has_value()) return std::nullopt;
  const Value* approved = output.value().Find("approved");
  return approved != nullptr && approved->is_bool() ? std::optional(approved->as_bool())
                                                    : std::nullopt;
}

std::string_view CompletedAs(const Payload& output) {
  const std::optional<bool> approved = ApprovedBy(output);
  if (!approved.has_value()) return "done";
  return *approved ? "approved" : "rejected";
}

std::string_view FailedAs(std::string_view kind) {
  return kind == "rejected" ? "rejected" : "failed";
}

// The run whose task is over with the event; 0: none.
struct EndedRun {
  RunId operator()(const model::AttemptCompleted& event) const { return event.run; }
  RunId operator()(const model::StepCompleted& event) const { return event.run; }
  RunId operator()(const model::AttemptFailed& event) const { return event.run; }
  RunId operator()(const model::StepFailing& event) const { return event.run; }
  RunId operator()(const model::StepFailed& event) const { return event.run; }
  RunId operator()(const model::IncidentRaised& event) const { return event.run; }
  RunId operator()(const model::RetryScheduled& event) const { return event.run; }
  RunId operator()(const model::AttemptInterrupted& event) const { return event.run; }
  RunId operator()(const model::StepCancelled& event) const { return event.run; }
  template <class Other>
  RunId operator()(const Other&) const {
    return {};
  }
};

// The state of the task then.
struct EndingOf {
  std::string_view operator()(const model::AttemptCompleted& event) const {
    return CompletedAs(event.output);
  }
  std::string_view operator()(const model::StepCompleted& event) const {
    return CompletedAs(event.output);
  }
  std::string_view operator()(const model::AttemptFailed& event) const {
    return FailedAs(event.kind);
  }
  std::string_view operator()(const model::StepFailing& event) const {
    return FailedAs(event.kind);
  }
  std::string_view operator()(const model::StepFailed& event) const { return FailedAs(event.kind); }
  std::string_view operator()(const model::IncidentRaised& event) const {
    return FailedAs(event.kind);
  }
  std::string_view operator()(const model::StepCancelled& event) const {
    return event.reason == model::CancelReason::kSkipped ? "skipped" : "cancelled";
  }
  template <class Other>
  std::string_view operator()(const Other&) const {
    return "failed";
  }
};

void Describe(TaskRow& row, const model::Instance& instance, const model::StepRun& run,
              const model::RegisteredDefinition& registered) {
  const definition::Definition& definition = *registered.definition;
  const definition::Step& step = definition.step(run.step);
  const model::HumanTask& task = *run.human;
  row.instance = instance.id;
  row.run = run.id;
  row.definition = registered.name;
  row.version = registered.version;
  row.step = step.id;
  row.label = replay::LabelOf(instance, definition, run);
  row.type = step.task_type;
  row.title = CutText(replay::TaskTitle(definition, run), kMaxRowTextBytes);
  row.assignees = task.assignees;
  row.groups = task.groups;
  row.claimed_by = task.claimed_by;
  row.min_approvers = task.min_approvers;
  row.votes.clear();
  for (const model::Vote& vote : task.votes)
    row.votes.push_back({.person = vote.person,
                         .approved = vote.approved,
                         .comment = std::string(CutText(vote.comment, kMaxRowTextBytes)),
                         .time = vote.time});
  row.created = run.activated;
  row.due = task.due;
  row.business_key = instance.business_key;
  row.priority = instance.priority;
  if (row.state.empty() || row.IsOpen()) row.state = row.claimed_by.empty() ? "open" : "claimed";
}

}  // namespace

std::string_view TasksView::keys() const {
  return "r, instance, run: the row\n"
         "t, field, value, block: the tasks of 1,024 instances that have it\n"
         "c, n: what tasks are sorted by\n";
}

TaskRow& TasksView::RowOf(const model::Instance& instance, const model::StepRun& run,
                          const model::Registry& registry, ViewWriter& writer) {
  const auto [found, is_new] = work_.try_emplace({instance.id, run.id});
  Work& work = found->second;
  if (is_new) {
    work.before = Table<TaskRow>::Get(writer, TaskKey(instance.id, run.id));
    if (work.before.has_value()) work.row = *work.before;
  }
  const model::RegisteredDefinition* registered = registry.Find(instance.definition);
  CHECK(registered != nullptr && registered->definition != nullptr,
        "instance {} runs definition {}, which is not registered", instance.id.value,
        instance.definition.value);
  Describe(work.row, instance, run, *registered);
  return work.row;
}

void TasksView::End(const model::Instance& before, RunId id, std::string_view state,
                    const model::Registry& registry, const RecordInfo& record, ViewWriter& writer) {
  const model::StepRun* run = before.FindRun(id);
  if (run == nullptr || run->human == nullptr) return;
  TaskRow& row = RowOf(before, *run, registry, writer);
  if (!row.IsOpen()) return;
  row.state = state;
  row.completed = record.time;
}

void TasksView::OnEvent(const model::Event& event, const model::Instance& before,
                        const model::Registry& registry, const RecordInfo& record,
                        ViewWriter& writer) {
  if (const auto* created = std::get_if<model::HumanTaskCreated>(&event)) {
    // Of another attempt of a step: it is open again. Its row is described when the batch ends.
    const model::StepRun* run = before.FindRun(created->run);
    if (run == nullptr || run->human == nullptr) return;
    TaskRow& row = RowOf(before, *run, registry, writer);
    row.state = "open";
    row.completed = TimeUs();
    return;
  }
  if (std::holds_alternative<model::InstanceTerminated>(event)) {
    for (const model::StepRun& run : before.runs)
      End(before, run.id, "cancelled", registry, record, writer);
    return;
  }
  const RunId id = std::visit(EndedRun(), event);
  if (!id) return;
  const model::StepRun* run = before.FindRun(id);
  if (run == nullptr || run->human == nullptr) return;
  End(before, id, std::visit(EndingOf(), event), registry, record, writer);
}

void TasksView::OnInstance(const model::Instance& instance, const model::Registry& registry,
                           ViewWriter& writer) {
  for (const model::StepRun& run : instance.runs)
    if (run.human != nullptr) RowOf(instance, run, registry, writer);
}

void TasksView::Forget(InstanceId instance, ViewWriter& writer) {
  for (const std::string& key : writer.StoredKeys(RowKey(TasksPrefix(instance))))
    Table<TaskRow>::Erase(writer, std::string_view(key).substr(RowKey("").size()));
}

void TasksView::EndBatch(ViewWriter& writer) {
  for (const auto& [key, work] : work_) Table<TaskRow>::Put(writer, work.before, work.row);
  work_.clear();
}

}  // namespace stele::projections
