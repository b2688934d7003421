// Approvals and manual tasks: who may act, who has.
#include "engine/apply/apply.h"

namespace stele::apply {

namespace {

model::HumanTask& TaskOf(Instance& instance, RunId run) {
  model::StepRun& found = RunOf(instance, run);
  CHECK(found.human != nullptr, "run {} is no task for people", run.value);
  return *found.human;
}

}  // namespace

void On(Instance& instance, const model::HumanTaskCreated& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  run.state = model::RunState::kWaiting;
  run.human = std::make_unique<model::HumanTask>();
  model::HumanTask& task = *run.human;
  task.assignees = event.assignees;
  task.groups = event.groups;
  task.min_approvers = event.min_approvers;
  task.veto = event.veto;
  run.due = TimeUs();
  task.due = event.due;
  task.escalate_at = event.escalate_at;
  task.remind_at = event.remind_at;
  task.remind_every_us = event.remind_every_us;
  task.remind_limit = event.remind_limit;
  run.deadline = event.due;
}

void On(Instance& instance, const model::HumanTaskClaimed& event, const RecordContext&) {
  TaskOf(instance, event.run).claimed_by = event.person;
}

void On(Instance& instance, const model::HumanTaskReleased& event, const RecordContext&) {
  TaskOf(instance, event.run).claimed_by.clear();
}

void On(Instance& instance, const model::HumanTaskDecided& event, const RecordContext& record) {
  TaskOf(instance, event.run)
      .votes.push_back({event.person, event.approved, event.comment, record.time});
}

void On(Instance& instance, const model::HumanTaskEscalated& event, const RecordContext&) {
  model::HumanTask& task = TaskOf(instance, event.run);
  task.assignees.insert(task.assignees.end(), event.assignees.begin(), event.assignees.end());
  task.groups.insert(task.groups.end(), event.groups.begin(), event.groups.end());
}

void On(Instance& instance, const model::HumanTaskReminded& event, const RecordContext&) {
  model::HumanTask& task = TaskOf(instance, event.run);
  task.reminders = event.count;
  task.remind_at = event.next;
}

}  // namespace stele::apply
