#include "projections/views/statistics_rows.h"

namespace stele::projections {

namespace {

TimeUs Earlier(TimeUs one, TimeUs other) {
  if (!one) return other;
  if (!other) return one;
  return std::min(one, other);
}

}  // namespace

void InstanceCounts::Merge(const InstanceCounts& other) {
  started += other.started;
  completed += other.completed;
  failed += other.failed;
  cancelled += other.cancelled;
  terminated += other.terminated;
  retried += other.retried;
  migrated_in += other.migrated_in;
  migrated_out += other.migrated_out;
  failed_attempts += other.failed_attempts;
  durations.Merge(other.durations);
}

void RunGauges::Merge(const RunGauges& other) {
  attempts += other.attempts;
  backoffs += other.backoffs;
  waiting += other.waiting;
  parked += other.parked;
  held += other.held;
}

void DefinitionRow::Merge(const DefinitionRow& other) {
  registered = Earlier(registered, other.registered);
  counts.Merge(other.counts);
  open += other.open;
  queued += other.queued;
  paused += other.paused;
  runs.Merge(other.runs);
  first_started = Earlier(first_started, other.first_started);
  last_started = std::max(last_started, other.last_started);
  last_ended = std::max(last_ended, other.last_ended);
}

void StepCounts::Merge(const StepCounts& other) {
  activated += other.activated;
  completed += other.completed;
  failed += other.failed;
  cancelled += other.cancelled;
  skipped += other.skipped;
  passed += other.passed;
  attempts += other.attempts;
  failed_attempts += other.failed_attempts;
  interrupted += other.interrupted;
  timeouts += other.timeouts;
  retried += other.retried;
  retried_completed += other.retried_completed;
  durations.Merge(other.durations);
}

void StepsCounts::Merge(const StepsCounts& other) {
  steps.resize(std::max(steps.size(), other.steps.size()));
  for (size_t i = 0; i < other.steps.size(); ++i) steps[i].Merge(other.steps[i]);
}

}  // namespace stele::projections
