#include "server/operations/deeds.h"

#include <fmt/format.h>

#include <utility>

#include "server/operations/limits.h"

namespace stele::server {

namespace {

size_t BytesOf(const replay::Deed& deed) {
  return deed.actor.size() + deed.source.size() + deed.action.size() + deed.definition.size() +
         deed.target.size() + deed.reason.size() + deed.outcome.size();
}

Result<DeedPage> ReadPage(replay::DeedReader reader, const replay::DeedFilter& filter,
                          size_t limit) {
  DeedPage page;
  size_t bytes = 0;
  while (page.deeds.size() < limit && bytes < kMaxDeedPageBytes) {
    const uint64_t looked = reader.looked();
    if (looked >= kMaxDeedRecords) break;
    auto deed = reader.Next(kMaxDeedRecords - looked);
    if (!deed.has_value()) return std::unexpected(deed.error());
    if (!deed->has_value()) break;
    bytes += BytesOf(**deed);
    page.deeds.push_back(*std::move(*deed));
  }
  page.position = Position(reader.place().position.value - 1);
  if (!reader.ended()) page.next = replay::PlaceText(reader.place(), filter);
  return page;
}

}  // namespace

Promised<DeedPage> ReadDeeds(Desk& desk, const Caller& caller, replay::DeedFilter filter,
                             const std::string& from, size_t limit) {
  if (const Status allowed = desk.Allow(caller, Permission::kAudit, {}, filter.instance);
      !allowed.has_value())
    return Result<DeedPage>(std::unexpected(allowed.error()));
  const auto place = replay::ParsePlace(from, filter);
  if (!place.has_value()) return Result<DeedPage>(std::unexpected(place.error()));
  // What is registered behind the end is told by the next question.
  auto known = std::make_shared<model::Registry>(*desk.Definitions());
  known->triggers = desk.registry().triggers;
  const Position end = desk.store().NextPosition(desk.engine().shard_id);
  return desk.ReadLong([log = desk.engine().store, shard = desk.engine().shard_id,
                        filter = std::move(filter), known = std::move(known), end, place = *place,
                        limit] {
    return ReadPage(replay::DeedReader(*log, shard, filter, known, end, place), filter, limit);
  });
}

Result<std::vector<replay::DeedKind>> DeedKindsOf(const std::vector<std::string>& names) {
  std::vector<replay::DeedKind> kinds;
  for (const std::string& name : names) {
    const auto kind = replay::FindDeedKind(name);
    if (!kind.has_value())
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("Expected one of {} but found \"{}\"", replay::DeedKindNames(),
                              name.substr(0, 80)));
    kinds.push_back(*kind);
  }
  return kinds;
}

}  // namespace stele::server
