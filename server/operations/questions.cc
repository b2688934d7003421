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

template <class Row>
Result<Found<Row>> FindPage(const Asked& asked, const projections::Query& query,
                            const Search& search) {
  auto page = projections::Find<Row>(*asked.reader, {.query = query,
                                                     .sort = search.sort,
                                                     .cursor = search.cursor,
                                                     .limit = search.limit,
                                                     .now = asked.now,
                                                     .course = asked.course});
  if (!page.has_value()) return std::unexpected(page.error());
  return Found<Row>{*std::move(page), asked.now};
}

}  // namespace

template <class Ask>
auto Questions::AskOf(const Caller& caller, Permission permission, std::string_view view,
                      const projections::Freshness& freshness, Ask ask)
    -> Promised<typename std::invoke_result_t<Ask, const Asked&>::value_type> {
  using Answer = std::invoke_result_t<Ask, const Asked&>;
  if (const Status allowed = desk_.Allow(caller, permission); !allowed.has_value())
    return Answer(std::unexpected(allowed.error()));
  return desk_.Read([engine = desk_.engine(), view = std::string(view), freshness,
                     now = desk_.Now(), ask = std::move(ask)]() -> Answer {
    const auto asked = projections::AskView(*engine.projector, *engine.store, engine.shard_id, view,
                                            freshness, now);
    if (!asked.has_value()) return std::unexpected(asked.error());
    return ask(*asked);
  });
}

Promised<Found<InstanceRow>> Questions::Instances(const Caller& caller, const Search& search) {
  return AskOf(caller, Permission::kRead, "instances", search.freshness,
               [search](const Asked& asked) -> Result<Found<InstanceRow>> {
                 auto query = projections::ParseQuery(search.query);
                 if (!query.has_value()) return std::unexpected(query.error());
                 return FindPage<InstanceRow>(asked, *query, search);
               });
}

Promised<Found<TaskRow>> Questions::Tasks(const Caller& caller, const Search& search) {
  return AskOf(caller, Permission::kRead, "tasks", search.freshness,
               [search](const Asked& asked) -> Result<Found<TaskRow>> {
                 auto query = projections::ParseQuery(search.query);
                 if (!query.has_value()) return std::unexpected(query.error());
                 if (!Names(*query, "state"))
                   projections::AddCondition(*query, "state", {"open", "claimed"});
                 return FindPage<TaskRow>(asked, *query, search);
               });
}

Promised<projections::Statistics> Questions::Statistics(const Caller& caller,
                                                        const projections::StatisticsScope& scope,
                                                        projections::Freshness freshness) {
  return AskOf(
      caller, Permission::kRead, projections::kStatisticsView, freshness,
      [scope](const Asked& asked) { return projections::ReadStatistics(*asked.reader, scope); });
}

Promised<projections::Series> Questions::Series(const Caller& caller,
                                                const projections::StatisticsScope& scope,
                                                projections::Resolution resolution,
                                                projections::Freshness freshness) {
  return AskOf(caller, Permission::kRead, projections::kStatisticsView, freshness,
               [scope, resolution](const Asked& asked) {
                 return projections::ReadSeries(*asked.reader, scope.definition, scope.from,
                                                scope.to, resolution);
               });
}

Promised<projections::DefinitionPage> Questions::Definitions(const Caller& caller,
                                                             const std::string& after,
                                                             size_t limit) {
  return AskOf(caller, Permission::kRead, projections::kStatisticsView, {},
               [after, limit](const Asked& asked) {
                 return projections::ListDefinitions(*asked.reader, after, limit);
               });
}

Promised<projections::ErrorPage> Questions::Errors(const Caller& caller,
                                                   const projections::ErrorFilter& filter,
                                                   size_t limit, const std::string& cursor,
                                                   projections::Freshness freshness) {
  return AskOf(
      caller, Permission::kRead, projections::kErrorsView, freshness,
      [filter, limit, cursor, log = desk_.engine().store,
       shard = desk_.engine().shard_id](const Asked& asked) {
        auto page = projections::ListErrors(*asked.reader, filter, limit, cursor, asked.course);
        if (!page.has_value()) return page;
        if (const Status read = projections::ReadMessages(*log, shard, *page); !read.has_value())
          return Result<projections::ErrorPage>(std::unexpected(read.error()));
        return page;
      });
}

Promised<projections::WorkerList> Questions::Workers(const Caller& caller) {
  return AskOf(caller, Permission::kReadFigures, projections::kWorkersView, {},
               [](const Asked& asked) { return projections::ListWorkers(*asked.reader); });
}

Promised<projections::StepLogPage> Questions::StepLogs(const Caller& caller, InstanceId instance,
                                                       const std::string& step, size_t limit,
                                                       projections::AttemptPlace after) {
  if (const auto allowed = server::Instances(desk_).Allow(caller, Permission::kRead, instance);
      !allowed.has_value())
    return Result<projections::StepLogPage>(std::unexpected(allowed.error()));
  return AskOf(caller, Permission::kRead, projections::kStepLogsView, {.patience = kLogPatience},
               [instance, step, limit, after](const Asked& asked) {
                 return projections::ReadStepLogs(*asked.reader, instance, step, limit, after);
               });
}

Result<std::vector<projections::ViewState>> Questions::Views(const Caller& caller) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kReadFigures));
  return desk_.engine().projector->States();
}

}  // namespace stele::server
