#include "server/rest/statistics_shapes.h"

namespace stele::server::rest {

namespace {

std::vector<ShapeMember> Counts() {
  return {{"started", "count", ""},
          {"completed", "count", ""},
          {"failed", "count", ""},
          {"cancelled", "count", ""},
          {"terminated", "count", ""},
          {"retried", "count", "that had failed, and went on"},
          {"migrated_in", "count", ""},
          {"migrated_out", "count", ""},
          {"failed_attempts", "count", "of their steps"}};
}

Component Statistics() {
  return {"Statistics",
          "Figures of definitions; docs/statistics.md says what each is.",
          {{"definition?", "text", "none: of all"},
           {"version?", "number", "none: of all"},
           {"position", "number", "the last record that this knows of"},
           {"latest", "time|null", "its time"},
           {"from", "time|null", ""},
           {"to", "time|null", ""},
           {"resolution", "text|null", "of whole minutes, hours or days; null: of all time"},
           {"recorded", "flag", "whether any of it is within what is recorded"},
           {"counts", "InstanceCounts", ""},
           {"ended", "count", ""},
           {"success_rate", "rate", "of 1"},
           {"failure_rate", "rate", "of 1"},
           {"throughput_per_minute", "rate", ""},
           {"durations", "Durations", ""},
           {"now", "Standing", ""},
           {"first_started", "time|null", ""},
           {"last_started", "time|null", ""},
           {"last_ended", "time|null", ""},
           {"steps_from?", "time|null", "steps are counted by days"},
           {"steps_to?", "time|null", ""},
           {"retry_success_rate?", "rate", "of one definition, as are those that follow"},
           {"slowest_step?", "text|null", ""},
           {"bottlenecks?", "[Bottleneck]", "which take the most of the time"},
           {"steps?", "[StepStatistics]", ""}}};
}

Component StepStatistics() {
  return {"StepStatistics",
          "",
          {{"step", "text", ""},
           {"type", "text", ""},
           {"container", "flag", "it runs other steps: its time is theirs"},
           {"activated", "count", ""},
           {"completed", "count", ""},
           {"failed", "count", ""},
           {"cancelled", "count", ""},
           {"skipped", "count", ""},
           {"passed", "count", ""},
           {"attempts", "count", ""},
           {"failed_attempts", "count", ""},
           {"interrupted", "count", ""},
           {"timeouts", "count", ""},
           {"retried", "count", ""},
           {"retried_completed", "count", ""},
           {"retry_success_rate", "rate", ""},
           {"share", "rate", "of the time of all steps"},
           {"durations", "Durations", ""},
           {"now", "Runs", ""}}};
}

std::vector<Component> Parts() {
  return {
      {"InstanceCounts", "", Counts()},
      {"Durations",
       "Of what completed; without any there is only the count. In microseconds.",
       {{"count", "count", ""},
        {"total_us?", "number", ""},
        {"average_us?", "rate", ""},
        {"min_us?", "number", ""},
        {"max_us?", "number", ""},
        {"p50_us?", "number", ""},
        {"p90_us?", "number", ""},
        {"p95_us?", "number", ""},
        {"p99_us?", "number", ""},
        {"histogram?", "[Bar]", ""}}},
      {"Bar", "", {{"from_us", "number", ""}, {"to_us", "number", ""}, {"count", "count", ""}}},
      {"Runs",
       "How runs of steps stand now.",
       {{"attempts", "number", ""},
        {"backoffs", "number", ""},
        {"waiting", "number", ""},
        {"parked", "number", ""},
        {"held", "number", ""}}},
      {"Standing",
       "",
       {{"open", "number", ""},
        {"queued", "number", ""},
        {"paused", "number", ""},
        {"queue", "Queue", ""},
        {"runs", "Runs", ""}}},
      {"Queue",
       "",
       {{"instances", "number", ""}, {"attempts", "number", ""}, {"backoffs", "number", ""}}},
      {"Bottleneck", "", {{"step", "text", ""}, {"share", "rate", ""}}},
  };
}

std::vector<Component> Counted() {
  std::vector<ShapeMember> point{{"from", "time", ""}};
  for (ShapeMember& count : Counts()) point.push_back(std::move(count));
  point.push_back({"average_us", "rate|null", ""});
  return {
      {"SeriesPoint", "", std::move(point)},
      {"Series",
       "",
       {{"resolution", "=minute,hour,day", ""},
        {"position", "number", ""},
        {"from", "time|null", ""},
        {"to", "time|null", ""},
        {"points", "[SeriesPoint]", "those in which something happened"}}},
      {"DefinitionFigures",
       "",
       {{"definition", "text", ""},
        {"versions", "count", ""},
        {"newest", "number", ""},
        {"state", "text", "of the newest"},
        {"registered", "time|null", ""},
        {"executions", "count", ""},
        {"open", "number", ""},
        {"success_rate", "rate", ""},
        {"last_executed", "time|null", ""},
        {"average_us", "rate|null", ""}}},
      {"DefinitionFiguresPage",
       "",
       {{"position", "number", ""},
        {"definitions", "[DefinitionFigures]", ""},
        {"next", "text|null", "the cursor of the next page"}}},
  };
}

std::vector<Component> Lists() {
  return {
      {"ErrorFigures",
       "",
       {{"definition", "text", ""},
        {"step", "text|null", "null: of the instance"},
        {"error_type", "text", ""},
        {"count", "count", "how often it was met"},
        {"own", "count", "of them, without those that follow from an error of another row"},
        {"attempts", "count", ""},
        {"steps", "count", ""},
        {"incidents", "count", ""},
        {"instances", "count", ""},
        {"first_occurrence", "time", ""},
        {"last_occurrence", "time", ""},
        {"message", "text", "of the last one"},
        {"instance", "number", "of the last one"},
        {"run", "number|null", ""}}},
      {"ErrorPage",
       "",
       {{"position", "number", ""},
        {"errors", "[ErrorFigures]", ""},
        {"next", "text|null", "the cursor of the next page"}}},
      {"WorkerFigures",
       "",
       {{"name", "text", ""},
        {"completed", "count", "attempts"},
        {"failed", "count", ""},
        {"first", "time", "of its results"},
        {"last", "time", ""}}},
      {"WorkerList",
       "",
       {{"position", "number", ""}, {"workers", "[WorkerFigures]", "heard of last first"}}},
      {"ViewState",
       "",
       {{"view", "text", ""},
        {"version", "number", ""},
        {"serves", "flag", "one is there to answer"},
        {"position", "number", "of that one"},
        {"behind", "count", "records of the log that it does not know of yet"},
        {"building", "number|null", "how far another one is built"}}},
      {"ViewList", "", {{"views", "[ViewState]", ""}}},
  };
}

}  // namespace

std::vector<Component> StatisticsShapes() {
  std::vector<Component> shapes{Statistics(), StepStatistics()};
  for (Component& part : Parts()) shapes.push_back(std::move(part));
  for (Component& counted : Counted()) shapes.push_back(std::move(counted));
  for (Component& list : Lists()) shapes.push_back(std::move(list));
  return shapes;
}

}  // namespace stele::server::rest
