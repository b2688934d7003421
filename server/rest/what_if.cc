// What would have become of an instance: a dry fork.
#include "server/operations/what_if.h"

#include <utility>

#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/forking.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;
using Others = Component::Others;

Object ObjectIn(const Call& call, std::string_view name) {
  const Value* value = call.Find(name);
  return value == nullptr ? Object() : value->as_object();
}

kj::Promise<http::Response> Ask(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  const auto place = GivenPlace(call, operations.desk.Now());
  if (!place.has_value()) return Refuse(place.error());
  const auto version = static_cast<uint32_t>(call.Number("version", 0));
  std::string definition = call.Text("definition");
  auto plan = GivenPlan(call, version != 0 || !definition.empty());
  if (!plan.has_value()) return Refuse(plan.error());
  WhatIfRequest request{.at = *place,
                        .variables = ObjectIn(call, "variables"),
                        .version = version,
                        .definition = std::move(definition),
                        .plan = *std::move(plan),
                        .stubs = ObjectIn(call, "stubs")};
  return Reply(
      AskWhatIf(operations.desk, operations.instances, call.caller(), *id, std::move(request)),
      [](const Object& report) { return http::Json(200, report); });
}

std::vector<Component> CourseShapes() {
  return {
      {"WhatIfEvent",
       "An event, with the members of its kind.",
       {{"seq", "number", "in the history of its course"},
        {"time", "time", ""},
        {"event", "text", "\"step_completed\""},
        {"why?", "text", "of one that was of no use: why"}},
       Others::kAny},
      {"WhatIfParting",
       "The first event that differs.",
       {{"recorded", "WhatIfEvent|null", "none: no more is recorded"},
        {"now", "WhatIfEvent|null", "none: no more happens"}}},
      {"WhatIfOutcome",
       "What became of a step.",
       {{"status",
         "=running,backoff,delay,children,held,waiting,parked,completed,failed,cancelled,skipped",
         ""},
        {"attempts?", "number", ""},
        {"error?", "Failure", ""},
        {"output?", "any", ""}}},
      {"WhatIfStep",
       "A step that ran in one course alone, or came to something else.",
       {{"step", "text", "its id, with the indices of the loops around"},
        {"now_called?", "text", "in the other version, where that is another name"},
        {"purpose?", "=fallback,compensation", ""},
        {"recorded", "WhatIfOutcome|null", "none: it did not run"},
        {"now", "WhatIfOutcome|null", "none: it does not run"}}},
      {"WhatIfUnanswered",
       "An attempt of which no result is known.",
       {{"step", "text", "its label"},
        {"type", "text", "of its task"},
        {"run", "number", ""},
        {"attempt", "number", ""}}},
      {"WhatIfEnd",
       "How a course ends.",
       {{"status", "text", ""},
        {"seq", "number", "of its last event"},
        {"time", "time", "of that"},
        {"output?", "any", ""},
        {"error?", "Failure", ""},
        {"waiting_for?", "any", "as of an instance"},
        {"end?", "=ended,waits,stopped", "of the course of now; stopped: it would not end"},
        {"unanswered?", "[WhatIfUnanswered]", "of the course of now"}}},
  };
}

std::vector<Component> WhatIfShapes() {
  std::vector<Component> shapes = CourseShapes();
  shapes.push_back(
      {"WhatIf",
       "Where a dry fork leaves, and what is different in it.",
       {{"seq?", "number", "behind that event, with all of its record; this or at must be given"},
        {"at?", "moment|null", "the same by a time"},
        {"variables?", "object|null", "name to value; others are as they were"},
        {"version?", "version|null", "of its definition, to go on in"},
        {"definition?", "text|null", "a text of one, in place of a version"},
        {"plan?", "object", "as of a migration, to that version or text, which must be given"},
        {"stubs?", "object|null", "step ids or task types to outputs"}},
       Others::kRefused});
  shapes.push_back(
      {"WhatIfChanges",
       "",
       {{"version?", "number", ""},
        {"variables?", "object", ""},
        {"unknown_variables?", "[text]", "of these, those that nothing has or declares"},
        {"stubs?", "object", ""}}});
  shapes.push_back({"WhatIfResults",
                    "Results of tasks.",
                    {{"recorded", "number", "that there are behind the fork"},
                     {"reused", "number", "as recorded: the step was handed the same"},
                     {"assumed", "number", "as recorded, though it was handed something else"},
                     {"stubbed", "number", ""},
                     {"repeated", "number", "the last output that is recorded of the step"}}});
  shapes.push_back({"WhatIfCauses",
                    "What people, operators and messages did.",
                    {{"applied", "number", ""},
                     {"unused", "number", ""},
                     {"list", "[WhatIfEvent]", "the first of those that were of no use"}}});
  shapes.push_back(
      {"WhatIfReport",
       "",
       {{"instance", "number", ""},
        {"definition", "text", "its name"},
        {"version", "number", "that it ran there"},
        {"asked", "number", "the event that was asked for"},
        {"at", "number", "the last event of its record, behind which the fork leaves"},
        {"position", "number", "of that record"},
        {"time", "time", "of that record"},
        {"changes", "WhatIfChanges", ""},
        {"followed", "number", "events that are as recorded"},
        {"beyond", "number", "events behind the last recorded one"},
        {"left", "WhatIfParting|null", "none: the path was never left"},
        {"results", "WhatIfResults", ""},
        {"causes", "WhatIfCauses", ""},
        {"steps", "[WhatIfStep]", "at most 1,000"},
        {"changed_steps", "number", "all of them"},
        {"recorded", "WhatIfEnd", ""},
        {"now", "WhatIfEnd", ""},
        {"patch", "any", "a JSON Patch from the recorded end's state to that of now"}}});
  return shapes;
}

}  // namespace

Resource WhatIfResource(const Operations& operations) {
  return {.name = "what-if",
          .about = "What would have become of an instance. Nothing is recorded.",
          .routes = {{.method = Method::kPost,
                      .pattern = "/instances/{id}/what-if",
                      .id = "askWhatIf",
                      .summary = "A dry fork: decides what is recorded behind an event again, with "
                                 "something changed.",
                      .permission = Permission::kRead,
                      .body = ObjectOf("WhatIf"),
                      .answers = {{200, "a report", "WhatIfReport"}},
                      .handle = [operations](const Call& call) { return Ask(operations, call); }}},
          .components = WhatIfShapes()};
}

}  // namespace stele::server::rest
