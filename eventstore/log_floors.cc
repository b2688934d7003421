#include "eventstore/log_floors.h"

#include <algorithm>

#include "eventstore/rocksdb_handle.h"

namespace stele::eventstore {
namespace {

// Every key was written once, so that dropping it uncovers nothing older.
class FloorFilter final : public rocksdb::CompactionFilter {
 public:
  explicit FloorFilter(std::map<ShardId, Position> floors) : floors_(std::move(floors)) {}
  const char* Name() const override { return "stele.log.floor"; }
  Decision FilterV2(int, const rocksdb::Slice& key, ValueType, const rocksdb::Slice&, std::string*,
                    std::string* skip_until) const override {
    if (key.size() != 12) return Decision::kKeep;
    const ShardId shard(LoadBig<uint32_t>(key.data()));
    const auto floor = floors_.find(shard);
    if (floor == floors_.end() || LoadBig<uint64_t>(key.data() + 4) >= floor->second.value)
      return Decision::kKeep;
    const auto next = ShardKey(shard, floor->second.value);
    skip_until->assign(next.data(), next.size());
    return Decision::kRemoveAndSkipUntil;
  }

 private:
  const std::map<ShardId, Position> floors_;
};

class FloorFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  explicit FloorFilterFactory(std::shared_ptr<const LogFloors> floors)
      : floors_(std::move(floors)) {}
  const char* Name() const override { return "stele.log.floors"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context&) override {
    return std::make_unique<FloorFilter>(floors_->All());
  }

 private:
  const std::shared_ptr<const LogFloors> floors_;
};

}  // namespace

std::atomic<uint64_t>& LogFloors::Slot(ShardId shard) const {
  std::lock_guard lock(mutex_);
  return floors_[shard];
}

void LogFloors::Raise(ShardId shard, Position floor) {
  std::atomic<uint64_t>& slot = Slot(shard);
  slot = std::max(slot.load(), floor.value);
}

std::map<ShardId, Position> LogFloors::All() const {
  std::lock_guard lock(mutex_);
  std::map<ShardId, Position> all;
  for (const auto& [shard, floor] : floors_) all[shard] = Position(floor.load());
  return all;
}

std::shared_ptr<rocksdb::CompactionFilterFactory> MakeFloorFilterFactory(
    std::shared_ptr<const LogFloors> floors) {
  return std::make_shared<FloorFilterFactory>(std::move(floors));
}

}  // namespace stele::eventstore
