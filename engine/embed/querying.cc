// What is asked of views: instances, tasks for people, figures.
#include <algorithm>

#include "base/json.h"
#include "engine/embed/core.h"
#include "engine/embed/views.h"
#include "projections/search.h"
#include "projections/views/instance_row.h"
#include "projections/views/read_statistics.h"
#include "projections/views/task_row.h"

namespace stele::embed {

namespace {

using projections::InstanceRow;
using projections::Query;
using projections::TaskRow;

template <class F>
projections::Freshness FreshnessOf(const F& filter) {
  return {.as_of = filter.as_of,
          .as_of_us = filter.as_of_us,
          .after = filter.after,
          .patience = filter.patience};
}

bool Names(const Query& query, std::string_view field) {
  return std::ranges::find(query.conditions, field, &projections::Condition::field) !=
         query.conditions.end();
}

std::vector<std::string> OneOf(const std::string& value) {
  return value.empty() ? std::vector<std::string>() : std::vector{value};
}

void Narrow(Query& query, const Filter& filter) {
  // What it waits for is told beside it.
  projections::AddCondition(query, "status",
                            filter.status == "running"
                                ? std::vector<std::string>{"running", "waiting", "parked"}
                                : OneOf(filter.status));
  if (filter.open)
    projections::AddCondition(query, "status",
                              {"running", "waiting", "parked", "paused", "queued", "compensating"});
  projections::AddCondition(query, "definition", OneOf(filter.definition));
  projections::AddCondition(query, "key", OneOf(filter.business_key));
  projections::AddCondition(query, "tag", OneOf(filter.tag));
}

void Narrow(Query& query, const TaskFilter& filter) {
  std::vector<std::string> whom = OneOf(filter.person);
  for (const std::string& group : filter.groups) whom.push_back("@" + group);
  projections::AddCondition(query, "for", whom);
  projections::AddCondition(query, "definition", OneOf(filter.definition));
  if (!Names(query, "state")) projections::AddCondition(query, "state", {"open", "claimed"});
}

Instance ToInstance(InstanceRow row) {
  Instance instance;
  instance.id = row.id.value;
  instance.definition = std::move(row.definition);
  instance.version = row.version;
  const bool waits = row.status == "waiting" || row.status == "parked";
  instance.status = waits ? "running" : std::move(row.status);
  instance.business_key = std::move(row.business_key);
  instance.tags = std::move(row.tags);
  instance.priority = row.priority;
  instance.started_us = row.started.value;
  instance.ended_us = row.ended.value;
  instance.kind = std::move(row.error_kind);
  instance.message = std::move(row.error_message);
  for (projections::RowWait& wait : row.waits)
    instance.waits.push_back({std::move(wait.what), std::move(wait.step), std::move(wait.subject)});
  for (projections::OpenStep& step : row.steps)
    instance.steps.push_back({std::move(step.id), std::move(step.label), std::move(step.state),
                              step.attempt, step.since.value});
  instance.progress = row.ProgressPercent();
  instance.parent = row.parent.value;
  instance.updated_us = row.updated.value;
  instance.deadline_us = row.deadline.value;
  return instance;
}

Task ToTask(TaskRow row) {
  const auto approvals = std::ranges::count(row.votes, true, &projections::RowVote::approved);
  return {.instance = row.instance.value,
          .definition = std::move(row.definition),
          .step = std::move(row.step),
          .run = row.run.value,
          .label = std::move(row.label),
          .type = std::move(row.type),
          .title = std::move(row.title),
          .state = std::move(row.state),
          .assignees = std::move(row.assignees),
          .groups = std::move(row.groups),
          .claimed_by = std::move(row.claimed_by),
          .approvals = static_cast<uint32_t>(approvals),
          .min_approvers = row.min_approvers,
          .since_us = row.created.value,
          .due_us = row.due.value,
          .completed_us = row.completed.value,
          .business_key = std::move(row.business_key)};
}

// The page of `view` that the filter asks for, its rows made into Out by `make`.
template <class Row, class Out, class Core, class F>
Result<Page<Out>> Find(Core& core, std::string_view view, const F& filter, Out (*make)(Row)) {
  if (core.OnLoop()) return RefuseOnLoop();
  const Visit visit(*core.door());
  if (!visit.entered()) return RefuseStopped();
  auto query = projections::ParseQuery(filter.query);
  if (!query.has_value()) return std::unexpected(ToError(query.error()));
  Narrow(*query, filter);
  const auto asked = core.views().Ask(view, FreshnessOf(filter), core.clock().Now());
  if (!asked.has_value()) return std::unexpected(ToError(asked.error()));
  auto found = projections::Find<Row>(*asked->reader, {.query = *std::move(query),
                                                       .sort = filter.sort,
                                                       .cursor = filter.cursor,
                                                       .limit = filter.limit,
                                                       .now = asked->now,
                                                       .course = asked->course});
  if (!found.has_value()) return std::unexpected(ToError(found.error()));
  Page<Out> page{.rows = {}, .next = std::move(found->next), .position = found->position.value};
  for (Row& row : found->rows) page.rows.push_back(make(std::move(row)));
  return page;
}

}  // namespace

Result<Page<Instance>> Engine::Query(const Filter& filter) {
  return Find<InstanceRow, Instance, Core>(*core_, "instances", filter, ToInstance);
}

Result<Page<Task>> Engine::Tasks(const TaskFilter& filter) {
  return Find<TaskRow, Task, Core>(*core_, "tasks", filter, ToTask);
}

Result<std::string> Engine::Statistics(const Stretch& stretch) {
  if (core_->OnLoop()) return RefuseOnLoop();
  const Visit visit(*core_->door());
  if (!visit.entered()) return RefuseStopped();
  const auto asked = core_->views().Ask(projections::kStatisticsView,
                                        {.after = stretch.after, .patience = stretch.patience},
                                        core_->clock().Now());
  if (!asked.has_value()) return std::unexpected(ToError(asked.error()));
  const auto statistics =
      projections::ReadStatistics(*asked->reader, {.definition = stretch.definition,
                                                   .version = stretch.version,
                                                   .from = TimeUs(stretch.from_us),
                                                   .to = TimeUs(stretch.to_us)});
  if (!statistics.has_value()) return std::unexpected(ToError(statistics.error()));
  return ToJson(Value(projections::ToJson(*statistics)));
}

Result<std::vector<ViewState>> Engine::Views() {
  if (core_->OnLoop()) return RefuseOnLoop();
  const Visit visit(*core_->door());
  if (!visit.entered()) return RefuseStopped();
  const auto failure = core_->views().failure();
  std::vector<ViewState> states;
  for (const projections::ViewState& state : core_->views().States())
    states.push_back({.name = state.name,
                      .version = state.version,
                      .position = state.position.value,
                      .lag = state.lag,
                      .answers = state.serves,
                      .building = state.building,
                      .built = state.built.value,
                      .failure = failure.has_value() ? failure->ToString() : std::string()});
  return states;
}

}  // namespace stele::embed
