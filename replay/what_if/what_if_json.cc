// A report of a dry fork as JSON.
#include "base/json.h"
#include "engine/model/names.h"
#include "replay/what_if/what_if.h"

namespace stele::replay {

namespace {

int64_t Whole(uint64_t number) {
  return static_cast<int64_t>(number);
}

// Of a payload that was recorded or decided.
Value Shown(const Payload& payload) {
  if (!payload.has_value()) return Value();
  Result<Value> parsed = ParseJson(payload.text(), nullptr, kWrittenJson);
  return parsed.has_value() ? *std::move(parsed) : Value(payload.text());
}

Value ToJson(const std::optional<PathEvent>& event) {
  if (!event.has_value()) return Value();
  Object shown{{"seq", Whole(event->seq.value)}, {"time", event->time.value}};
  for (const Member& member : event->event) shown.Set(member.key, member.value);
  return shown;
}

Value ToJson(const std::optional<StepOutcome>& outcome) {
  if (!outcome.has_value()) return Value();
  Object shown{{"status", Value(StepStateName(outcome->state))}};
  if (outcome->attempts > 0) shown.Set("attempts", Whole(outcome->attempts));
  if (!outcome->kind.empty())
    shown.Set("error", Object{{"kind", outcome->kind}, {"message", outcome->message}});
  if (outcome->output.has_value()) shown.Set("output", Shown(outcome->output));
  return shown;
}

Value ToJson(const StepChanges& changes) {
  Array list;
  for (const StepChange& change : changes.list) {
    Object one{{"step", change.label}};
    if (!change.now_called.empty()) one.Set("now_called", change.now_called);
    if (change.purpose != model::Purpose::kNormal)
      one.Set("purpose", Value(model::EnumName(change.purpose)));
    one.Set("recorded", ToJson(change.recorded));
    one.Set("now", ToJson(change.now));
    list.push_back(std::move(one));
  }
  return list;
}

Object ToJson(const CourseOutcome& outcome) {
  Object shown{
      {"status", outcome.status}, {"seq", Whole(outcome.seq.value)}, {"time", outcome.time.value}};
  if (outcome.output.has_value()) shown.Set("output", Shown(outcome.output));
  if (!outcome.failure.kind.empty())
    shown.Set("error",
              Object{{"kind", outcome.failure.kind}, {"message", outcome.failure.message}});
  if (!outcome.waiting_for.empty()) shown.Set("waiting_for", outcome.waiting_for);
  return shown;
}

std::string_view NameOf(CourseEnd end) {
  switch (end) {
    case CourseEnd::kEnded:
      return "ended";
    case CourseEnd::kWaiting:
      return "waits";
    case CourseEnd::kBound:
      return "stopped";
  }
  return "";
}

Object ChangesOf(const WhatIfReport& report) {
  Object changes;
  if (report.to_version != 0) changes.Set("version", Whole(report.to_version));
  Object variables;
  for (const model::NamedPayload& set : report.sets) variables.Set(set.name, Shown(set.value));
  if (!variables.empty()) changes.Set("variables", std::move(variables));
  if (!report.unknown.empty())
    changes.Set("unknown_variables", Array(report.unknown.begin(), report.unknown.end()));
  Object stubs;
  for (const Stub& stub : report.stubs) stubs.Set(stub.name, Shown(stub.output));
  if (!stubs.empty()) changes.Set("stubs", std::move(stubs));
  return changes;
}

Array UnusedOf(const WhatIfReport& report) {
  Array causes;
  for (const UnusedCause& cause : report.unused_causes) {
    Value shown = ToJson(std::optional(cause.event));
    shown.as_object().Set("why", cause.why);
    causes.push_back(std::move(shown));
  }
  return causes;
}

Object NowOf(const WhatIfReport& report) {
  Object now = ToJson(report.now);
  now.Set("end", NameOf(report.end));
  Array unanswered;
  for (const Unanswered& one : report.unanswered)
    unanswered.push_back(Object{{"step", one.label},
                                {"type", one.type},
                                {"run", Whole(one.run.value)},
                                {"attempt", Whole(one.attempt)}});
  if (!unanswered.empty()) now.Set("unanswered", std::move(unanswered));
  return now;
}

}  // namespace

Object ToJson(const WhatIfReport& report) {
  Value left;
  if (report.parting.has_value())
    left = Object{{"recorded", ToJson(report.parting->recorded)},
                  {"now", ToJson(report.parting->now)}};
  return {{"instance", Whole(report.instance.value)},
          {"definition", report.definition},
          {"version", Whole(report.version)},
          {"asked", Whole(report.asked.value)},
          {"at", Whole(report.at.value)},
          {"position", Whole(report.position.value)},
          {"time", report.time.value},
          {"changes", ChangesOf(report)},
          {"followed", Whole(report.followed)},
          {"beyond", Whole(report.beyond)},
          {"left", std::move(left)},
          {"results", Object{{"recorded", Whole(report.results.recorded)},
                             {"reused", Whole(report.results.reused)},
                             {"assumed", Whole(report.results.assumed)},
                             {"stubbed", Whole(report.results.stubbed)},
                             {"repeated", Whole(report.results.repeated)}}},
          {"causes", Object{{"applied", Whole(report.applied)},
                            {"unused", Whole(report.unused)},
                            {"list", UnusedOf(report)}}},
          {"steps", ToJson(report.steps)},
          {"changed_steps", Whole(report.steps.count)},
          {"recorded", ToJson(report.recorded)},
          {"now", NowOf(report)},
          {"patch", report.patch}};
}

}  // namespace stele::replay
