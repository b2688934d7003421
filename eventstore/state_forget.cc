// Erasing what the state database has of instances.
#include <fmt/format.h>

#include <algorithm>

#include "eventstore/state_db.h"

namespace stele::eventstore {
namespace {

enum Family : size_t { kSnapshots = 1, kOpen, kCheckpoint, kByInstance, kNotes };

}  // namespace

Status StateDb::Forget(ShardId shard, const Erasure& erasure) {
  rocksdb::DB& db = handle_.db();
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  rocksdb::WriteBatch batch;
  for (InstanceId instance : erasure.instances) {
    const auto prefix = ShardKey(shard, instance.value);
    batch.Delete(handle_.family(kSnapshots), KeySlice(prefix));
    std::unique_ptr<rocksdb::Iterator> entry(db.NewIterator({}, handle_.family(kByInstance)));
    for (entry->Seek(KeySlice(prefix));
         entry->Valid() && entry->key().starts_with(KeySlice(prefix)); entry->Next())
      batch.Delete(handle_.family(kByInstance), entry->key());
    if (!entry->status().ok())
      return handle_.ErrorOf(entry->status(), "read the index of instances");
  }
  const auto shard_key = ShardKey(shard);
  for (const std::string& note : erasure.notes)
    batch.Delete(handle_.family(kNotes), std::string(View(KeySlice(shard_key))) + note);
  auto status = db.Write(options, &batch);
  // All families as one, so that a crash does not take back a part.
  if (status.ok())
    status = db.Flush(
        {}, {handle_.family(kSnapshots), handle_.family(kOpen), handle_.family(kCheckpoint),
             handle_.family(kByInstance), handle_.family(kNotes)});
  if (status.ok() && !erasure.instances.empty()) {
    const InstanceRange all = EnclosingRange(erasure.instances);
    const auto first = ShardKey(shard, all.first.value), last = ShardKey(shard, all.last.value);
    const rocksdb::Slice from = KeySlice(first), to = KeySlice(last);
    status = db.CompactRange({}, handle_.family(kSnapshots), &from, &to);
  }
  for (const std::string& note : erasure.notes) {
    const std::string key = std::string(View(KeySlice(shard_key))) + note;
    const rocksdb::Slice place(key);
    if (status.ok()) status = db.CompactRange({}, handle_.family(kNotes), &place, &place);
  }
  if (status.ok()) return {};
  return Fail(ErrorCode::kStoreWriteFailed,
              fmt::format("Expected to erase {} instances from {} but found: {}.",
                          erasure.instances.size(), path_, status.ToString()));
}

Status StateDb::ForgetSnapshots(ShardId shard, std::span<const InstanceId> instances) {
  if (instances.empty()) return {};
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  rocksdb::WriteBatch batch;
  for (InstanceId instance : instances)
    batch.Delete(handle_.family(kSnapshots), KeySlice(ShardKey(shard, instance.value)));
  auto status = handle_.db().Write(options, &batch);
  if (status.ok())
    status = handle_.db().Flush({}, {handle_.family(kSnapshots), handle_.family(kOpen),
                                     handle_.family(kCheckpoint), handle_.family(kNotes)});
  if (status.ok()) return {};
  return Fail(ErrorCode::kStoreWriteFailed,
              fmt::format("Expected to erase the snapshots of {} instances from {} but found: {}.",
                          instances.size(), path_, status.ToString()));
}

Status StateDb::Scrub(ShardId shard, const InstanceRange& snapshots) {
  rocksdb::DB& db = handle_.db();
  rocksdb::Status status;
  const auto compact = [&](Family family, const auto& first, const auto& last) {
    const rocksdb::Slice from = KeySlice(first), to = KeySlice(last);
    if (status.ok()) status = db.CompactRange(EveryFile(), handle_.family(family), &from, &to);
  };
  for (const Family family : {kNotes, kOpen})
    compact(family, ShardKey(shard), ShardKey(ShardId(shard.value + 1)));
  compact(kSnapshots, ShardKey(shard, snapshots.first.value),
          ShardKey(shard, snapshots.last.value));
  // Files that are no longer needed are removed by the threads that found them so: wait for them.
  if (status.ok()) status = db.PauseBackgroundWork();
  if (status.ok()) status = db.ContinueBackgroundWork();
  if (status.ok()) return {};
  return Fail(ErrorCode::kStoreWriteFailed,
              fmt::format("Expected to rid {} of what was erased but found: {}.", path_,
                          status.ToString()));
}

}  // namespace stele::eventstore
