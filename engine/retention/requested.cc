#include "engine/retention/requested.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "engine/retention/tiering.h"
#include "projections/query.h"
#include "projections/search.h"
#include "projections/views/instance_row.h"

namespace stele::retention {

namespace {

Result<std::vector<InstanceId>> InstancesOfSubject(const projections::ViewReader& reader,
                                                   const std::string& key) {
  std::set<InstanceId> found;
  for (const auto& [field, value] :
       {std::pair<std::string_view, std::string>("key", key), {"tag", "subject:" + key}}) {
    projections::SearchRequest request;
    projections::AddCondition(request.query, field, {value});
    request.limit = projections::kMaxPageRows;
    do {
      auto page = projections::Find<projections::InstanceRow>(reader, request);
      if (!page.has_value()) return std::unexpected(page.error());
      for (const projections::InstanceRow& row : page->rows) found.insert(row.id);
      request.cursor = std::move(page->next);
    } while (!request.cursor.empty());
  }
  if (!found.empty()) return std::vector<InstanceId>(found.begin(), found.end());
  return Fail(ErrorCode::kUnknownInstance,
              fmt::format("Expected instances with the business key or the tag `subject:` \"{}\" "
                          "but found none",
                          key));
}

Result<std::vector<InstanceId>> NamedInstances(RetentionService& service,
                                               const Requested& requested) {
  std::vector<InstanceId> named = requested.instances;
  if (requested.subject.empty()) return named;
  STELE_RETURN_IF_ERROR(service.CatchUp());
  const auto reader = service.projector().Read("instances");
  if (!reader.has_value()) return std::unexpected(reader.error());
  const auto subject = InstancesOfSubject(*reader, requested.subject);
  if (!subject.has_value()) return std::unexpected(subject.error());
  named.insert(named.end(), subject->begin(), subject->end());
  return named;
}

}  // namespace

Result<RetentionReport> Retain(RetentionService& service, const Requested& requested, bool dry) {
  const auto named = NamedInstances(service, requested);
  if (!named.has_value()) return std::unexpected(named.error());
  Result<RetentionReport> report =
      requested.empty() ? service.Run(dry, requested.asker)
                        : service.PurgeNamed(*named, requested.reason, dry, requested.asker);
  if (report.has_value() && report->records != 0)
    STELE_RETURN_IF_ERROR(service.Scrub(report->purged));
  return report;
}

Result<ErasureReport> Erase(RetentionService& service, const Requested& requested) {
  const auto named = NamedInstances(service, requested);
  // Nobody has the key: messages may.
  const bool none = !named.has_value() && named.error().code == ErrorCode::kUnknownInstance;
  if (!named.has_value() && !none) return std::unexpected(named.error());
  auto erased = service.Erase(named.has_value() ? *named : requested.instances, requested.subject,
                              requested.reason, requested.asker);
  if (none && erased.has_value() && erased->instances.empty() && erased->sent == 0)
    return std::unexpected(named.error());
  return erased;
}

Result<Position> EndOf(const eventstore::EventStore& store, ShardId shard,
                       const ArchiveRange& range) {
  if (range.before.has_value()) return FirstNotBefore(store, shard, *range.before);
  if (range.keep_bytes.has_value()) return FirstWithin(store, shard, *range.keep_bytes);
  return store.NextPosition(shard);
}

}  // namespace stele::retention
