#include "cli/json_report.h"

#include "engine/model/names.h"

namespace stele::cli {

namespace {

Value OrNull(const Payload& payload) {
  return payload.has_value() ? payload.value() : Value();
}

Value ErrorOf(std::string_view kind, std::string_view message) {
  return Object{{"kind", kind}, {"message", message}};
}

Array VotesOf(const replay::StepLine& line) {
  Array votes;
  for (const model::Vote& vote : line.votes)
    votes.push_back(Object{{"person", vote.person},
                           {"approved", vote.approved},
                           {"comment", vote.comment},
                           {"time", vote.time.value}});
  return votes;
}

}  // namespace

Array StepsToJson(const replay::Timeline& timeline) {
  Array steps;
  for (const replay::StepLine& line : timeline.lines()) {
    Object step{
        {"step", line.id}, {"label", line.label}, {"state", replay::StepStateName(line.state)}};
    if (line.run) step.Set("run", static_cast<int64_t>(line.run.value));
    if (line.purpose != model::Purpose::kNormal) step.Set("purpose", model::EnumName(line.purpose));
    if (!line.attempts.empty())
      step.Set("attempts", static_cast<int64_t>(line.attempts.back().number));
    step.Set("started", line.started.value);
    if (line.ended) step.Set("ended", line.ended.value);
    if (line.due) step.Set("due", line.due.value);
    if (line.output.has_value()) step.Set("output", line.output.value());
    if (line.child) step.Set("child", static_cast<int64_t>(line.child.value));
    if (!line.claimed_by.empty()) step.Set("claimed_by", line.claimed_by);
    if (!line.votes.empty()) step.Set("votes", VotesOf(line));
    const bool failed = line.state != replay::StepState::kCompleted && !line.kind.empty();
    if (failed) step.Set("error", ErrorOf(line.kind, line.message));
    steps.push_back(std::move(step));
  }
  return steps;
}

Object RunToJson(InstanceId instance, const Ending& ending, const replay::Timeline& timeline) {
  Value error;
  if (!ending.failure.kind.empty()) {
    error = ErrorOf(ending.failure.kind, ending.failure.message);
    if (const replay::StepLine* line = timeline.FindRun(ending.failure.run))
      error.as_object().Set("step", line->label);
  }
  const int64_t took = ending.ended ? ending.ended.value - timeline.started().value : 0;
  Object document{{"instance", static_cast<int64_t>(instance.value)},
                  {"definition", timeline.definition().name},
                  {"status", ending.status},
                  {"output", OrNull(ending.output)},
                  {"error", std::move(error)},
                  {"steps", StepsToJson(timeline)},
                  {"duration", static_cast<double>(took) / 1e6}};
  if (!ending.waiting_for.empty()) document.Set("waiting_for", ending.waiting_for);
  return document;
}

}  // namespace stele::cli
