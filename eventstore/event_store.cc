#include "eventstore/event_store.h"

#include <fmt/format.h>

#include "eventstore/backup.h"
#include "eventstore/block_sealer.h"

namespace stele::eventstore {

Status EventStore::Append(ShardId shard, Position expected, const Batch& batch) {
  const LogTail tail = Tail(shard);
  if (expected != tail.next)
    return Fail(ErrorCode::kStoreWrongPosition,
                fmt::format("Expected an append at position {} of shard {} but found {}.",
                            tail.next.value, shard.value, expected.value));
  BlockSealer sealer(payload_keys());
  SealedBlock block;
  STELE_RETURN_IF_ERROR(sealer.Seal(shard, tail, batch, &block));
  return Write(block);
}

Result<uint64_t> EventStore::VerifyChain(ShardId shard) const {
  auto report = InspectChain(shard);
  if (!report) return std::unexpected(std::move(report).error());
  return report->records;
}

Status EventStore::DestroyKeys(ShardId, std::span<const InstanceId>, std::span<const Position>) {
  return Fail(ErrorCode::kUnsupported,
              "Expected a log whose payloads are sealed, to destroy keys of them, but found one "
              "without encryption");
}

Result<bool> EventStore::KeyDestroyed(ShardId, InstanceId) const {
  return false;
}

Result<BackupReport> EventStore::Backup(const BackupRequest& request) const {
  return Fail(ErrorCode::kUnsupported,
              fmt::format("Expected a store on disk for a backup to {} but found one without files",
                          request.directory));
}

}  // namespace stele::eventstore
