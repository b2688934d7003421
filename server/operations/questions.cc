#include "server/operations/questions.h"

#include <algorithm>

#include "projections/query.h"
#include "server/operations/instances.h"
#include "server/operations/limits.h"

namespace stele::server {

namespace {

using projections::Asked;
using projections::InstanceRow;
using projections::TaskRow;

bool Names(const projections::Query& query, std::string_view field) {
  return std::ranges::find(query.conditions, field, &projections::Condition::field) !=
         query.conditions.end();
}

// Waits for the view, or builds one as it was.
bool MayTakeLong(const projections::Freshness& freshness) {
  return freshness.as_of > 0 || freshness.as_of_us > 0 || freshness.patience.count() > 0;
}

// The cursor as the view wrote it.
Result<std::string> OpenCursor(const Seal& seal, const Sight& sight, const std::string& cursor) {
  if (sight.sees_all() || cursor.empty()) return cursor;
  if (auto opened = seal.Open(cursor)) return *std::move(opened);
  return Fail(ErrorCode::kInvalidInput,
              "Expected a cursor as the page before gave it but found none of this server since it "
              "was started, or of before it was changed what may be seen; begin with the first "
              "page");
}

// What is handed out of it.
void SealCursor(const Seal& seal, const Sight& sight, std::string& cursor) {
  if (!sight.sees_all() && !cursor.empty()) cursor = seal.Close(cursor);
}

}  // namespace

template <class Ask>
auto Questions::AskOf(const Question& question, Ask ask)
    -> Promised<typename std::invoke_result_t<Ask, const Asked&, const Sight&>::value_type> {
  using Answer = std::invoke_result_t<Ask, const Asked&, const Sight&>;
  const auto& [caller, permission, view, definition, freshness] = question;
  if (const Status allowed = desk_.Allow(caller, permission, definition); !allowed.has_value())
    return Answer(std::unexpected(allowed.error()));
  auto answer = [engine = desk_.engine(), view = std::string(view), freshness, now = desk_.Now(),
                 sight = desk_.SightOf(caller, permission), ask = std::move(ask)]() -> Answer {
    const auto asked = projections::AskView(*engine.projector, *engine.store, engine.shard_id, view,
                                            freshness, now);
    if (!asked.has_value()) return std::unexpected(asked.error());
    return ask(*asked, sight);
  };
  if (MayTakeLong(freshness)) return desk_.ReadLong(std::move(answer));
  return desk_.Read(std::move(answer));
}

template <class Row>
Promised<Found<Row>> Questions::Find(const Caller& caller, std::string_view view,
                                     const Search& search, bool open_alone) {
  return AskOf({.caller = caller, .view = view, .freshness = search.freshness},
               [search, open_alone, seal = seal_](const Asked& asked,
                                                  const Sight& sight) -> Result<Found<Row>> {
                 auto query = projections::ParseQuery(search.query);
                 if (!query.has_value()) return std::unexpected(query.error());
                 if (open_alone && !Names(*query, "state"))
                   projections::AddCondition(*query, "state", {"open", "claimed"});
                 auto cursor = OpenCursor(*seal, sight, search.cursor);
                 if (!cursor.has_value()) return std::unexpected(cursor.error());
                 auto page = projections::Find<Row>(*asked.reader, {.query = *std::move(query),
                                                                    .sort = search.sort,
                                                                    .cursor = *std::move(cursor),
                                                                    .limit = search.limit,
                                                                    .now = asked.now,
                                                                    .course = asked.course,
                                                                    .hidden = sight.hidden()});
                 if (!page.has_value()) return std::unexpected(page.error());
                 SealCursor(*seal, sight, page->next);
                 return Found<Row>{*std::move(page), asked.now};
               });
}

Promised<Found<InstanceRow>> Questions::Instances(const Caller& caller, const Search& search) {
  return Find<InstanceRow>(caller, "instances", search, false);
}

Promised<Found<TaskRow>> Questions::Tasks(const Caller& caller, const Search& search) {
  return Find<TaskRow>(caller, "tasks", search, true);
}

Promised<projections::Statistics> Questions::Statistics(const Caller& caller,
                                                        const projections::StatisticsScope& scope,
                                                        projections::Freshness freshness) {
  return AskOf({.caller = caller,
                .view = projections::kStatisticsView,
                .definition = scope.definition,
                .freshness = freshness},
               [scope](const Asked& asked, const Sight& sight) {
                 projections::StatisticsScope seen = scope;
                 seen.hidden = sight.hidden();
                 return projections::ReadStatistics(*asked.reader, seen);
               });
}

Promised<projections::Series> Questions::Series(const Caller& caller,
                                                const projections::StatisticsScope& scope,
                                                projections::Resolution resolution,
                                                projections::Freshness freshness) {
  return AskOf({.caller = caller,
                .view = projections::kStatisticsView,
                .definition = scope.definition,
                .freshness = freshness},
               [scope, resolution](const Asked& asked, const Sight& sight) {
                 projections::StatisticsScope seen = scope;
                 seen.hidden = sight.hidden();
                 return projections::ReadSeries(*asked.reader, seen, resolution);
               });
}

Promised<projections::DefinitionPage> Questions::Definitions(const Caller& caller,
                                                             const std::string& after, size_t limit,
                                                             projections::Freshness freshness) {
  return AskOf({.caller = caller, .view = projections::kStatisticsView, .freshness = freshness},
               [after, limit](const Asked& asked, const Sight& sight) {
                 return projections::ListDefinitions(*asked.reader, after, limit, sight.hidden());
               });
}

Promised<projections::ErrorPage> Questions::Errors(const Caller& caller,
                                                   const projections::ErrorFilter& filter,
                                                   size_t limit, const std::string& cursor,
                                                   projections::Freshness freshness) {
  return AskOf(
      {.caller = caller,
       .view = projections::kErrorsView,
       .definition = filter.definition,
       .freshness = freshness},
      [filter, limit, cursor, log = desk_.engine().store, shard = desk_.engine().shard_id,
       seal = seal_](const Asked& asked, const Sight& sight) -> Result<projections::ErrorPage> {
        auto place = OpenCursor(*seal, sight, cursor);
        if (!place.has_value()) return std::unexpected(place.error());
        projections::ErrorFilter seen = filter;
        seen.hidden = sight.hidden();
        auto page = projections::ListErrors(*asked.reader, seen, limit, *place, asked.course);
        if (!page.has_value()) return page;
        STELE_RETURN_IF_ERROR(projections::ReadMessages(*log, shard, *page));
        SealCursor(*seal, sight, page->next);
        return page;
      });
}

Promised<projections::WorkerList> Questions::Workers(const Caller& caller,
                                                     projections::Freshness freshness) {
  return AskOf(
      {.caller = caller,
       .permission = Permission::kReadFigures,
       .view = projections::kWorkersView,
       .freshness = freshness},
      [](const Asked& asked, const Sight&) { return projections::ListWorkers(*asked.reader); });
}

Promised<projections::StepLogPage> Questions::StepLogs(const Caller& caller, InstanceId instance,
                                                       const std::string& step, size_t limit,
                                                       projections::AttemptPlace after) {
  const auto of = server::Instances(desk_).Allow(caller, Permission::kRead, instance);
  if (!of.has_value()) return Result<projections::StepLogPage>(std::unexpected(of.error()));
  return AskOf({.caller = caller,
                .view = projections::kStepLogsView,
                .definition = *of,
                .freshness = {.patience = kLogPatience}},
               [instance, step, limit, after](const Asked& asked, const Sight&) {
                 return projections::ReadStepLogs(*asked.reader, instance, step, limit, after);
               });
}

Result<std::vector<projections::ViewState>> Questions::Views(const Caller& caller) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kReadFigures));
  return desk_.engine().projector->States();
}

}  // namespace stele::server
