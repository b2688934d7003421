#include "server/observation/reading.h"

#include <algorithm>
#include <utility>

#include "projections/views/read_statistics.h"
#include "server/observation/named_series.h"

namespace stele::server {

namespace {

using projections::DefinitionSummary;

Result<std::vector<DefinitionSummary>> AllDefinitions(const projections::ViewReader& reader) {
  std::vector<DefinitionSummary> all;
  std::string after;
  do {
    auto page = projections::ListDefinitions(reader, after, kMaxNamedSeries);
    if (!page.has_value()) return std::unexpected(page.error());
    after = page->next;
    std::ranges::move(page->definitions, std::back_inserter(all));
  } while (!after.empty());
  return all;
}

Status AddTasks(const projections::ViewReader& reader, const std::string& definition,
                CountedWork& work) {
  const auto statistics = projections::ReadStatistics(reader, {.definition = definition});
  if (!statistics.has_value()) return std::unexpected(statistics.error());
  for (const projections::StepStatistics& step : statistics->steps) {
    if (step.container) continue;
    SeriesOf(work.tasks, step.type).Merge(step.counts);
  }
  return {};
}

Result<CountedWork> CountWork(const projections::Projector& projector) {
  const auto reader = projector.Read(projections::kStatisticsView);
  if (!reader.has_value()) return std::unexpected(reader.error());
  auto definitions = AllDefinitions(*reader);
  if (!definitions.has_value()) return std::unexpected(definitions.error());
  std::ranges::stable_sort(*definitions, std::greater(), [](const DefinitionSummary& definition) {
    return definition.row.counts.started;
  });
  CountedWork work;
  for (const DefinitionSummary& definition : *definitions) {
    SeriesOf(work.definitions, definition.definition).Merge(definition.row);
    work.all.Merge(definition.row);
    STELE_RETURN_IF_ERROR(AddTasks(*reader, definition.definition, work));
  }
  return work;
}

}  // namespace

StoredFigures ReadStored(const projections::Projector& projector,
                         const eventstore::EventStore& store, ShardId shard) {
  StoredFigures figures{.store = store.Stats(),
                        .last = Position(store.NextPosition(shard).value - 1),
                        .views = projector.States(),
                        .views_failure = projector.failure(),
                        .work = {},
                        .process = ReadProcess()};
  if (auto work = CountWork(projector); work.has_value()) figures.work = *std::move(work);
  return figures;
}

}  // namespace stele::server
