// Statistics as JSON: read_statistics.h.
#include "projections/views/read_statistics.h"

namespace stele::projections {

namespace {

Value Whole(uint64_t number) {
  return static_cast<int64_t>(std::min<uint64_t>(number, INT64_MAX));
}

// Null: it never was.
Value Moment(TimeUs time) {
  return time ? Value(time.value) : Value();
}

double Rate(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Object CountsToJson(const InstanceCounts& counts) {
  return {{"started", Whole(counts.started)},
          {"completed", Whole(counts.completed)},
          {"failed", Whole(counts.failed)},
          {"cancelled", Whole(counts.cancelled)},
          {"terminated", Whole(counts.terminated)},
          {"retried", Whole(counts.retried)},
          {"migrated_in", Whole(counts.migrated_in)},
          {"migrated_out", Whole(counts.migrated_out)},
          {"failed_attempts", Whole(counts.failed_attempts)}};
}

Object RunsToJson(const RunGauges& runs) {
  return {{"attempts", runs.attempts},
          {"backoffs", runs.backoffs},
          {"waiting", runs.waiting},
          {"parked", runs.parked},
          {"held", runs.held}};
}

Object StepToJson(const StepStatistics& step) {
  const StepCounts& counts = step.counts;
  return {{"step", step.step},
          {"type", step.type},
          {"container", step.container},
          {"activated", Whole(counts.activated)},
          {"completed", Whole(counts.completed)},
          {"failed", Whole(counts.failed)},
          {"cancelled", Whole(counts.cancelled)},
          {"skipped", Whole(counts.skipped)},
          {"passed", Whole(counts.passed)},
          {"attempts", Whole(counts.attempts)},
          {"failed_attempts", Whole(counts.failed_attempts)},
          {"interrupted", Whole(counts.interrupted)},
          {"timeouts", Whole(counts.timeouts)},
          {"retried", Whole(counts.retried)},
          {"retried_completed", Whole(counts.retried_completed)},
          {"retry_success_rate", Rate(counts.retried_completed, counts.retried)},
          {"share", step.share},
          {"durations", ToJson(counts.durations)},
          {"now", RunsToJson(step.now)}};
}

}  // namespace

Object ToJson(const Histogram& durations) {
  if (durations.count() == 0) return {{"count", 0}};
  Array bars;
  for (const Histogram::Bar& bar : durations.Bars())
    bars.push_back(Object{{"from_us", bar.from}, {"to_us", bar.to}, {"count", Whole(bar.count)}});
  return {{"count", Whole(durations.count())},   {"total_us", Whole(durations.sum())},
          {"average_us", durations.Average()},   {"min_us", durations.min()},
          {"max_us", durations.max()},           {"p50_us", durations.Percentile(500)},
          {"p90_us", durations.Percentile(900)}, {"p95_us", durations.Percentile(950)},
          {"p99_us", durations.Percentile(990)}, {"histogram", std::move(bars)}};
}

Object ToJson(const Statistics& statistics) {
  Object object;
  if (!statistics.scope.definition.empty()) object.Set("definition", statistics.scope.definition);
  if (statistics.scope.version != 0)
    object.Set("version", static_cast<int64_t>(statistics.scope.version));
  object.Set("position", Whole(statistics.position.value));
  object.Set("latest", Moment(statistics.latest));
  object.Set("from", Moment(statistics.from));
  object.Set("to", Moment(statistics.to));
  object.Set("resolution", statistics.resolution.has_value()
                               ? Value(ResolutionName(*statistics.resolution))
                               : Value());
  object.Set("recorded", statistics.is_recorded());
  object.Set("counts", CountsToJson(statistics.counts));
  object.Set("ended", Whole(statistics.ended()));
  object.Set("success_rate", statistics.success_rate());
  object.Set("failure_rate", statistics.failure_rate());
  object.Set("throughput_per_minute", statistics.throughput_per_minute());
  object.Set("durations", ToJson(statistics.counts.durations));
  object.Set("now", Object{{"open", statistics.open},
                           {"queued", statistics.queued},
                           {"paused", statistics.paused},
                           {"queue", Object{{"instances", statistics.queued},
                                            {"attempts", statistics.runs.attempts},
                                            {"backoffs", statistics.runs.backoffs}}},
                           {"runs", RunsToJson(statistics.runs)}});
  object.Set("first_started", Moment(statistics.first_started));
  object.Set("last_started", Moment(statistics.last_started));
  object.Set("last_ended", Moment(statistics.last_ended));
  if (statistics.scope.definition.empty()) return object;
  if (statistics.resolution.has_value()) {
    object.Set("steps_from", Moment(statistics.steps_from));
    object.Set("steps_to", Moment(statistics.steps_to));
  }
  object.Set("retry_success_rate", statistics.retry_success_rate());
  const std::string slowest = statistics.slowest_step();
  object.Set("slowest_step", slowest.empty() ? Value() : Value(slowest));
  Array bottlenecks;
  for (const StepStatistics* step : statistics.bottlenecks())
    bottlenecks.push_back(Object{{"step", step->step}, {"share", step->share}});
  object.Set("bottlenecks", std::move(bottlenecks));
  Array steps;
  for (const StepStatistics& step : statistics.steps) steps.push_back(StepToJson(step));
  object.Set("steps", std::move(steps));
  return object;
}

Object ToJson(const Series& series) {
  Array points;
  for (const SeriesPoint& point : series.points) {
    Object object{{"from", point.from.value}};
    for (const Member& member : CountsToJson(point.counts)) object.Set(member.key, member.value);
    object.Set("average_us", point.counts.durations.count() == 0
                                 ? Value()
                                 : Value(point.counts.durations.Average()));
    points.push_back(std::move(object));
  }
  return {{"resolution", ResolutionName(series.resolution)},
          {"position", Whole(series.position.value)},
          {"from", Moment(series.from)},
          {"to", Moment(series.to)},
          {"points", std::move(points)}};
}

Object ToJson(const DefinitionPage& page) {
  Array definitions;
  for (const DefinitionSummary& summary : page.definitions) {
    const Statistics statistics{
        .scope = {}, .resolution = {}, .counts = summary.row.counts, .steps = {}};
    const Histogram& durations = summary.row.counts.durations;
    definitions.push_back(
        Object{{"definition", summary.definition},
               {"versions", static_cast<int64_t>(summary.versions)},
               {"newest", static_cast<int64_t>(summary.newest)},
               {"state", summary.state},
               {"registered", Moment(summary.row.registered)},
               {"executions", Whole(summary.row.counts.started)},
               {"open", summary.row.open},
               {"success_rate", statistics.success_rate()},
               {"last_executed", Moment(summary.row.last_started)},
               {"average_us", durations.count() == 0 ? Value() : Value(durations.Average())}});
  }
  return {{"position", Whole(page.position.value)},
          {"definitions", std::move(definitions)},
          {"next", page.next.empty() ? Value() : Value(page.next)}};
}

}  // namespace stele::projections
