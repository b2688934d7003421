// What happened to an instance: its events, its steps, what they printed.
#include <fmt/format.h>
#include <kj/debug.h>

#include <charconv>

#include "base/json.h"
#include "server/operations/limits.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/instance_shapes.h"
#include "server/rest/moments.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;

constexpr std::string_view kLines = "application/x-ndjson";

http::Response PageResponse(const HistoryPage& page) {
  Array events;
  for (const Object& event : page.events) events.emplace_back(event);
  return http::Json(200, Object{{"events", std::move(events)},
                                {"next", page.next ? Whole(page.next.value) : Value()},
                                {"position", Whole(page.position.value)}});
}

// What is still to be written of a download.
struct Rest {
  Histories& histories;
  Caller caller;
  InstanceId instance;
  size_t limit;  // events
};

// The page's events a line each, then those of the pages behind it.
kj::Promise<void> WriteLines(Rest rest, const HistoryPage& page, http::BodyWriter& out) {
  std::string lines;
  for (const Object& event : page.events) {
    WriteJson(Value(event), lines);
    lines += '\n';
  }
  rest.limit -= page.events.size();
  return out.Write(std::move(lines)).then([rest, next = page.next, &out]() -> kj::Promise<void> {
    if (!next || rest.limit == 0) return kj::READY_NOW;
    return rest.histories
        .Events(rest.caller, rest.instance, next, std::min(rest.limit, kMaxHistoryEvents))
        .then([rest, &out](Result<HistoryPage> more) -> kj::Promise<void> {
          // The head is sent: the connection is cut, so that nobody takes it for the whole.
          if (!more.has_value()) return KJ_EXCEPTION(FAILED, more.error().ToString().c_str());
          return WriteLines(rest, *more, out);
        });
  });
}

kj::Promise<http::Response> History(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  const Seq from(static_cast<uint64_t>(call.AskedNumber("from").value_or(1)));
  const auto limit = call.AskedNumber("limit");
  const auto at_once = [&](size_t otherwise) {
    return limit.has_value() ? static_cast<size_t>(*limit) : otherwise;
  };
  if (!call.request().headers.Get("Accept").contains(kLines))
    return Reply(
        operations.histories.Events(call.caller(), *id, from, at_once(kDefaultHistoryEvents)),
        PageResponse);
  const Rest rest{operations.histories, call.caller(), *id, at_once(SIZE_MAX)};
  return Reply(operations.histories.Events(call.caller(), *id, from, at_once(kMaxHistoryEvents)),
               [rest](HistoryPage& page) {
                 return http::Stream(std::string(kLines),
                                     [rest, page = std::move(page)](http::BodyWriter& out) {
                                       return WriteLines(rest, page, out);
                                     });
               });
}

kj::Promise<http::Response> Steps(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  return Reply(operations.histories.Steps(call.caller(), *id),
               [](const Array& steps) { return http::Json(200, Object{{"steps", steps}}); });
}

// "3-2": behind the second attempt of the run 3.
Result<projections::AttemptPlace> PlaceOf(const std::string& cursor) {
  projections::AttemptPlace place;
  if (cursor.empty()) return place;
  const char* const end = cursor.data() + cursor.size();
  const auto run = std::from_chars(cursor.data(), end, place.run.value);
  if (run.ec == std::errc() && run.ptr != end && *run.ptr == '-')
    if (const auto attempt = std::from_chars(run.ptr + 1, end, place.attempt);
        attempt.ec == std::errc() && attempt.ptr == end)
      return place;
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("Expected the `next` of a page of logs as the cursor but found \"{}\"", cursor));
}

kj::Promise<http::Response> Logs(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  const auto after = PlaceOf(call.Asked("cursor"));
  if (!after.has_value()) return Refuse(after.error());
  // The view has no word for an instance that is not there.
  if (const auto there = operations.instances.Allow(call.caller(), Permission::kRead, *id);
      !there.has_value())
    return Refuse(there.error());
  return Reply(operations.questions.StepLogs(call.caller(), *id, call.Asked("step"),
                                             AskedLimit(call), *after),
               [](const projections::StepLogPage& page) {
                 Object shown = projections::ToJson(page);
                 if (page.next.run)
                   shown.Set("next", fmt::format("{}-{}", page.next.run.value, page.next.attempt));
                 return http::Json(200, shown);
               });
}

}  // namespace

Resource HistoriesResource(const Operations& operations) {
  return {
      .name = "histories",
      .about = "What happened to instances, from the log.",
      .routes = {{.method = Method::kGet,
                  .pattern = "/instances/{id}/history",
                  .id = "getHistory",
                  .summary =
                      "The events of an instance, by page or, as lines of JSON, all of them.",
                  .permission = Permission::kRead,
                  .parameters = {Number("from", 1, INT64_MAX, "the first event's seq"),
                                 Number("limit", 1, projections::kMaxPageRows,
                                        "at most so many; 200 unless given, of lines all")},
                  .answers = {{200, "a page", "HistoryPage"},
                              {200, "a page", "HistoryEvent", std::string(kLines)}},
                  .handle = [operations](const Call& call) { return History(operations, call); }},
                 {.method = Method::kGet,
                  .pattern = "/instances/{id}/steps",
                  .id = "getSteps",
                  .summary = "What became of every step of an instance.",
                  .permission = Permission::kRead,
                  .answers = {{200, "they are", "StepRuns"}},
                  .handle = [operations](const Call& call) { return Steps(operations, call); }},
                 {.method = Method::kGet,
                  .pattern = "/instances/{id}/logs",
                  .id = "getLogs",
                  .summary = "What the attempts of an instance's steps printed.",
                  .permission = Permission::kRead,
                  .parameters =
                      Together({{Text("step", "of that id or label alone")}, PageParameters()}),
                  .answers = {{200, "a page", "LogPage"}},
                  .handle = [operations](const Call& call) { return Logs(operations, call); }}},
      .components = HistoryShapes()};
}

}  // namespace stele::server::rest
