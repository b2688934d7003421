// What auditors ask: who did what.
#include <fmt/format.h>
#include <kj/debug.h>

#include <memory>

#include "base/json.h"
#include "replay/audit/deed_text.h"
#include "server/operations/deeds.h"
#include "server/operations/limits.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/moments.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;
using replay::Deed;

constexpr std::string_view kLines = "application/x-ndjson";
constexpr std::string_view kCsv = "text/csv";

struct Asked {
  Desk& desk;
  Caller caller;
  replay::DeedFilter filter;
  size_t limit;  // deeds that are still to be told
  std::string (*line)(const Deed&) = nullptr;
};

Result<replay::DeedFilter> FilterOf(const Call& call, TimeUs now) {
  const auto since = AskedMoment(call, "since", now);
  if (!since.has_value()) return std::unexpected(since.error());
  const auto until = AskedMoment(call, "until", now);
  if (!until.has_value()) return std::unexpected(until.error());
  auto kinds = DeedKindsOf(call.AllAsked("kind"));
  if (!kinds.has_value()) return std::unexpected(kinds.error());
  if (call.AskedFlag("denied")) kinds->push_back(replay::DeedKind::kDenied);
  return replay::DeedFilter{
      .instance = InstanceId(static_cast<uint64_t>(call.AskedNumber("instance").value_or(0))),
      .definition = call.Asked("definition"),
      .actor = call.Asked("actor"),
      .since = *since,
      .until = *until,
      .kinds = *std::move(kinds),
      .all = call.AskedFlag("all")};
}

std::string JsonLine(const Deed& deed) {
  return stele::ToJson(Value(replay::ToJson(deed))) + "\n";
}

kj::Promise<void> WriteLines(Asked asked, const DeedPage& page, http::BodyWriter& out) {
  std::string lines;
  for (const Deed& deed : page.deeds) lines += asked.line(deed);
  asked.limit -= page.deeds.size();
  return out.Write(std::move(lines)).then([asked, next = page.next, &out]() -> kj::Promise<void> {
    if (next.empty() || asked.limit == 0) return kj::READY_NOW;
    return ReadDeeds(asked.desk, asked.caller, asked.filter, next, std::min(asked.limit, kMaxDeeds))
        .then([asked, &out](Result<DeedPage> more) -> kj::Promise<void> {
          // The head is sent: the connection is cut, so that nobody takes it for the whole.
          if (!more.has_value()) return KJ_EXCEPTION(FAILED, more.error().ToString().c_str());
          return WriteLines(asked, *more, out);
        });
  });
}

http::Response PageResponse(const DeedPage& page) {
  Array deeds;
  for (const Deed& deed : page.deeds) deeds.emplace_back(replay::ToJson(deed));
  return http::Json(200, PageOf(page.position, "deeds", std::move(deeds), page.next));
}

// All of them, a line each.
kj::Promise<http::Response> Download(Asked asked, const std::string& from, std::string_view type,
                                     std::string head) {
  auto first =
      ReadDeeds(asked.desk, asked.caller, asked.filter, from, std::min(asked.limit, kMaxDeeds));
  return Reply(kj::mv(first), [asked, type, head = std::move(head)](DeedPage& page) {
    return http::Stream(
        std::string(type), [asked, head, page = std::move(page)](http::BodyWriter& out) {
          return out.Write(head).then([asked, page, &out] { return WriteLines(asked, page, out); });
        });
  });
}

kj::Promise<http::Response> Report(const Operations& operations, const Call& call) {
  const auto filter = FilterOf(call, operations.desk.Now());
  if (!filter.has_value()) return Refuse(filter.error());
  const auto limit = call.AskedNumber("limit");
  const std::string from = call.Asked("cursor");
  const std::string_view accepts = call.request().headers.Get("Accept");
  const bool csv = accepts.contains(kCsv);
  Asked asked{operations.desk, call.caller(), *filter,
              limit.has_value() ? static_cast<size_t>(*limit) : SIZE_MAX,
              csv ? replay::CsvLine : JsonLine};
  if (csv) return Download(std::move(asked), from, kCsv, replay::CsvHead());
  if (accepts.contains(kLines)) return Download(std::move(asked), from, kLines, "");
  return Reply(ReadDeeds(operations.desk, call.caller(), *filter, from,
                         limit.has_value() ? static_cast<size_t>(*limit) : kDefaultDeeds),
               PageResponse);
}

std::vector<Component> Shapes() {
  return {{"Deed",
           "What somebody did.",
           {{"time", "time", ""},
            {"position", "number", "of its record"},
            {"seq", "number", "of its event in the instance's history, or the registry's"},
            {"instance?", "number", "none: of none, or of several"},
            {"definition?", "text", "the name"},
            {"kind", "text", "\"operate\""},
            {"action", "text", "\"cancel\""},
            {"actor?", "text", "who; none: a stranger, or the engine"},
            {"source?", "text", "from where"},
            {"target?", "text", "what else it was done to"},
            {"reason?", "text", "as it was given"},
            {"outcome", "text", "\"done\", what the instance came to with it, or \"denied\""},
            {"erased?", "flag", "its texts were erased"}}},
          {"DeedPage",
           "",
           {{"deeds", "[Deed]", ""},
            {"next", "text|null", "the `cursor` of the next page; one may have no deeds"},
            {"position", "number", "the last record that was looked at"}}}};
}

}  // namespace

Resource AuditResource(const Operations& operations) {
  const int64_t most = static_cast<int64_t>(kMaxDeeds);
  return {
      .name = "audit",
      .about = "Who did what.",
      .routes = {{.method = Method::kGet,
                  .pattern = "/audit/report",
                  .id = "getAuditReport",
                  .summary = "Who did what to which instance, by page or, as CSV or lines of "
                             "JSON, all of it.",
                  .permission = Permission::kAudit,
                  .parameters = {Number("instance", 1, INT64_MAX, "of that one alone"),
                                 Text("definition", "of that name alone"),
                                 Text("actor", "by that one alone"),
                                 Text("since", "a moment: recorded then or later"),
                                 Text("until", "a moment: recorded before"),
                                 Texts("kind", replay::DeedKindNames()),
                                 Flag("denied", "attempts that were denied"),
                                 Flag("all", "what the engine and workers did, too"),
                                 Number("limit", 1, most,
                                        "at most so many; 200 unless given, of lines all"),
                                 Text("cursor", "the `next` of the page before")},
                  .answers = {{200, "a page", "DeedPage"},
                              {200, "a line each", "Deed", std::string(kLines)},
                              {200, "a line each", "", std::string(kCsv)}},
                  .handle = [operations](const Call& call) { return Report(operations, call); }}},
      .components = Shapes()};
}

}  // namespace stele::server::rest
