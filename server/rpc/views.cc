#include "server/rpc/views.h"

#include <fmt/format.h>

#include "base/json.h"
#include "server/rpc/answer.h"
#include "server/rpc/given.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

kj::Promise<void> ViewsServer::instances(InstancesContext context) {
  Given given;
  given.Add(access_->Check());
  Search search = given.Search(context.getParams().getSearch());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, search = std::move(search)] {
    return access->operations().questions.Instances(access->caller(), search);
  }),
                [context](const Found<projections::InstanceRow>& found) mutable {
                  Show(found, context.getResults().initPage());
                });
}

kj::Promise<void> ViewsServer::statistics(StatisticsContext context) {
  Given given;
  given.Add(access_->Check());
  projections::StatisticsScope scope = given.Scope(context.getParams().getScope());
  const projections::Freshness freshness = given.Freshness(context.getParams().getFreshness());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(
      access_->WhenFree([access = access_, scope = std::move(scope), freshness] {
        return access->operations().questions.Statistics(access->caller(), scope, freshness);
      }),
      [context](const projections::Statistics& statistics) mutable {
        context.getResults().setStatistics(TextOf(ToJson(Value(projections::ToJson(statistics)))));
      });
}

kj::Promise<void> ViewsServer::series(SeriesContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  projections::StatisticsScope scope = given.Scope(params.getScope());
  const projections::Freshness freshness = given.Freshness(params.getFreshness());
  const std::string word = given.Name(params.getResolution(), "resolution");
  const auto resolution = projections::FindResolution(word);
  if (!resolution.has_value())
    given.Add(ErrorCode::kInvalidInput,
              fmt::format("resolution: Expected minute, hour or day but found \"{}\"", word));
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, scope = std::move(scope), freshness,
                                   resolution = *resolution] {
    return access->operations().questions.Series(access->caller(), scope, resolution, freshness);
  }),
                [context](const projections::Series& series) mutable {
                  context.getResults().setSeries(
                      TextOf(ToJson(Value(projections::ToJson(series)))));
                });
}

kj::Promise<void> ViewsServer::definitions(DefinitionsContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  std::string after = given.Name(params.getAfter(), "after");
  const projections::Freshness freshness = given.Freshness(params.getFreshness());
  const auto limit =
      LimitOf(params.getLimit(), projections::kDefaultPageRows, projections::kMaxPageRows);
  if (!limit.has_value()) given.Add(limit.error().code, limit.error().message);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, after = std::move(after), limit = *limit,
                                   freshness] {
    return access->operations().questions.Definitions(access->caller(), after, limit, freshness);
  }),
                [context](const projections::DefinitionPage& page) mutable {
                  context.getResults().setPage(TextOf(ToJson(Value(projections::ToJson(page)))));
                });
}

kj::Promise<void> ViewsServer::errors(ErrorsContext context) {
  const auto params = context.getParams();
  const auto asked = params.getFilter();
  Given given;
  given.Add(access_->Check());
  projections::ErrorFilter filter{.definition = given.Name(asked.getDefinition(), "definition"),
                                  .step = given.Name(asked.getStep(), "step"),
                                  .kind = given.Text(asked.getKind(), "kind"),
                                  .since = TimeUs(asked.getSince()),
                                  .since_text = given.Text(asked.getSinceText(), "sinceText")};
  const projections::Freshness freshness = given.Freshness(params.getFreshness());
  std::string cursor = given.Text(params.getCursor(), "cursor");
  const auto limit =
      LimitOf(params.getLimit(), projections::kDefaultPageRows, projections::kMaxPageRows);
  if (!limit.has_value()) given.Add(limit.error().code, limit.error().message);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, filter = std::move(filter), limit = *limit,
                                   cursor = std::move(cursor), freshness] {
    return access->operations().questions.Errors(access->caller(), filter, limit, cursor,
                                                 freshness);
  }),
                [context](const projections::ErrorPage& page) mutable {
                  context.getResults().setPage(TextOf(ToJson(Value(projections::ToJson(page)))));
                });
}

kj::Promise<void> ViewsServer::workers(WorkersContext context) {
  Given given;
  given.Add(access_->Check());
  const projections::Freshness freshness = given.Freshness(context.getParams().getFreshness());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(
      access_->WhenFree([access = access_, freshness] {
        return access->operations().questions.Workers(access->caller(), freshness);
      }),
      [context](const projections::WorkerList& workers) mutable {
        context.getResults().setWorkers(TextOf(ToJson(Value(projections::ToJson(workers)))));
      });
}

kj::Promise<void> ViewsServer::states(StatesContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  return Answer(access_->operations().questions.Views(access_->caller()),
                [context](const std::vector<projections::ViewState>& states) mutable {
                  auto list = context.getResults().initViews(static_cast<unsigned>(states.size()));
                  for (unsigned i = 0; i < states.size(); ++i) Show(states[i], list[i]);
                });
}

}  // namespace stele::server::rpc
