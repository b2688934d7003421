// The past of an instance: its states, what differs between them, its runs over time.
#include "replay/gantt.h"
#include "replay/gantt_svg.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/moments.h"
#include "server/rest/past_shapes.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;

constexpr std::string_view kSvg = "image/svg+xml";

kj::Promise<http::Response> State(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  const auto when = AskedWhen(call, "at", operations.desk.Now());
  if (!when.has_value()) return Refuse(when.error());
  return Reply(operations.histories.State(call.caller(), *id, *when),
               [](const Object& state) { return http::Json(200, state); });
}

kj::Promise<http::Response> Diff(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  auto from = AskedWhen(call, "from", operations.desk.Now());
  if (!from.has_value()) return Refuse(from.error());
  if (call.Asked("from").empty()) from->seq = Seq(1);
  const auto to = AskedWhen(call, "to", operations.desk.Now());
  if (!to.has_value()) return Refuse(to.error());
  return Reply(operations.histories.Difference(call.caller(), *id, *from, *to),
               [](const Object& found) { return http::Json(200, found); });
}

kj::Promise<http::Response> Bisect(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  return Reply(operations.histories.Bisection(call.caller(), *id, call.Asked("expression"),
                                              call.AskedFlag("exact")),
               [](const Object& found) { return http::Json(200, found); });
}

kj::Promise<http::Response> Timeline(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  const auto limit = static_cast<size_t>(
      call.AskedNumber("limit").value_or(static_cast<int64_t>(replay::kGanttLines)));
  const bool picture = call.request().headers.Get("Accept").contains(kSvg);
  return Reply(operations.histories.Chart(call.caller(), *id, limit),
               [picture](Object& chart) -> http::Response {
                 if (!picture) return http::Json(200, chart);
                 return http::Text(
                     200, std::string(kSvg),
                     replay::GanttToSvg(replay::GanttFromJson(Value(std::move(chart)))));
               });
}

}  // namespace

Resource PastResource(const Operations& operations) {
  const std::string when = "an event's number, or a moment as queries write it";
  return {
      .name = "past",
      .about = "States of instances behind any event, and what differs between them.",
      .routes =
          {{.method = Method::kGet,
            .pattern = "/instances/{id}/state",
            .id = "getState",
            .summary = "The whole state of an instance, now or behind an event of its past.",
            .permission = Permission::kRead,
            .parameters = {Text("at", when + "; now unless given")},
            .answers = {{200, "it is", "PastState"}},
            .handle = [operations](const Call& call) { return State(operations, call); }},
           {.method = Method::kGet,
            .pattern = "/instances/{id}/diff",
            .id = "diffStates",
            .summary = "What differs between two states of an instance.",
            .permission = Permission::kRead,
            .parameters = {Text("from", when + "; the first event unless given"),
                           Text("to", when + "; now unless given")},
            .answers = {{200, "it is", "PastDifference"}},
            .handle = [operations](const Call& call) { return Diff(operations, call); }},
           {.method = Method::kGet,
            .pattern = "/instances/{id}/bisect",
            .id = "bisectHistory",
            .summary = "The event of an instance with which an expression began to hold.",
            .permission = Permission::kRead,
            .parameters =
                {Text("expression", "over the state, as docs/time-travel.md has it"),
                 Flag("exact",
                      "looks behind every event, also of more than 100,000, instead of searching")},
            .answers = {{200, "what was found", "PastBisection"}},
            .handle = [operations](const Call& call) { return Bisect(operations, call); }},
           {.method = Method::kGet,
            .pattern = "/instances/{id}/timeline",
            .id = "getTimeline",
            .summary = "The runs of an instance's steps over time, as data or a picture.",
            .permission = Permission::kRead,
            .parameters = {Number("limit", 1, static_cast<int64_t>(replay::kMaxGanttLines),
                                  "at most so many runs; 1000 unless given")},
            .answers = {{200, "they are", "Timeline"}, {200, "they are", "", std::string(kSvg)}},
            .handle = [operations](const Call& call) { return Timeline(operations, call); }}},
      .components = PastShapes()};
}

}  // namespace stele::server::rest
