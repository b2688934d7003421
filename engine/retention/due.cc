#include "engine/retention/due.h"

#include <algorithm>

namespace stele::retention {

namespace {

constexpr size_t kScannedAtOnce = 256;

}  // namespace

Result<std::vector<InstanceId>> WholeTree(const projections::ViewReader& closed, InstanceId root,
                                          const MayGo& may_go) {
  std::vector<InstanceId> tree{root};
  for (size_t i = 0; i < tree.size(); ++i) {
    const auto row = projections::FindClosed(closed, tree[i]);
    if (!row.has_value()) return std::unexpected(row.error());
    if (!row->has_value() || !may_go(tree[i], **row)) return std::vector<InstanceId>();
    const auto called = projections::CalledBy(closed, tree[i]);
    if (!called.has_value()) return std::unexpected(called.error());
    tree.insert(tree.end(), called->begin(), called->end());
  }
  std::ranges::reverse(tree);
  return tree;
}

std::optional<TimeUs> DueScan::EndedBefore(DefinitionId definition) const {
  const model::RegisteredDefinition* registered = registry_.Find(definition);
  if (registered == nullptr) return std::nullopt;
  const int64_t own = registered->definition->retention_us;
  const int64_t kept = own > 0 ? own : policy_.closed_us;
  if (kept <= 0) return std::nullopt;
  return TimeUs(now_.value - kept);
}

Status DueScan::Scan(const projections::ViewReader& closed) {
  const std::optional<TimeUs> before = EndedBefore(definition_);
  std::vector<projections::ClosedPlace> places;
  if (before.has_value()) {
    auto listed = projections::ListClosed(closed, definition_, after_, *before, kScannedAtOnce);
    if (!listed.has_value()) return std::unexpected(listed.error());
    places = *std::move(listed);
  }
  if (places.empty()) {
    definition_ = definition_.Next();
    after_ = {};
    return {};
  }
  after_ = places.back();
  for (const projections::ClosedPlace& place : places) {
    const auto tree =
        WholeTree(closed, place.instance, [&](InstanceId, const projections::ClosedRow& row) {
          const auto limit = EndedBefore(row.definition);
          return limit.has_value() && row.ended < *limit;
        });
    if (!tree.has_value()) return std::unexpected(tree.error());
    found_.insert(found_.end(), tree->begin(), tree->end());
  }
  return {};
}

Result<std::vector<InstanceId>> DueScan::Next(const projections::ViewReader& closed, size_t most) {
  while (found_.size() < most && definition_.value <= registry_.definitions.size())
    STELE_RETURN_IF_ERROR(Scan(closed));
  const auto end = found_.begin() + static_cast<ptrdiff_t>(std::min(most, found_.size()));
  std::vector<InstanceId> next(found_.begin(), end);
  found_.erase(found_.begin(), end);
  std::ranges::sort(next);
  return next;
}

}  // namespace stele::retention
