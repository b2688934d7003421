#include "cli/json_report.h"

#include "replay/to_json.h"

namespace stele::cli {

namespace {

Value OrNull(const Payload& payload) {
  return payload.has_value() ? payload.value() : Value();
}

}  // namespace

Object RunToJson(InstanceId instance, const Ending& ending, const replay::Timeline& timeline) {
  Value error;
  if (!ending.failure.kind.empty()) {
    error = Object{{"kind", ending.failure.kind}, {"message", ending.failure.message}};
    if (const replay::StepLine* line = timeline.FindRun(ending.failure.run))
      error.as_object().Set("step", line->label);
  }
  const int64_t took = ending.ended ? ending.ended.value - timeline.started().value : 0;
  Object document{{"instance", static_cast<int64_t>(instance.value)},
                  {"definition", timeline.definition().name},
                  {"status", ending.status},
                  {"output", OrNull(ending.output)},
                  {"error", std::move(error)},
                  {"steps", replay::StepsToJson(timeline)},
                  {"duration", static_cast<double>(took) / 1e6}};
  if (!ending.waiting_for.empty()) document.Set("waiting_for", ending.waiting_for);
  return document;
}

}  // namespace stele::cli
