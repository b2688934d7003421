#include "eventstore/whole_log.h"

#include <algorithm>

#include "eventstore/log_rows.h"

namespace stele::eventstore {
namespace {

constexpr size_t kWriteBufferBytes = 32u << 20;

}  // namespace

Result<std::unique_ptr<WholeLog>> WholeLog::OpenBackup(const std::string& name,
                                                       std::shared_ptr<rocksdb::Env> env,
                                                       const std::string& archive) {
  auto whole = std::make_unique<WholeLog>();
  whole->env_ = std::move(env);
  STELE_RETURN_IF_ERROR(whole->log_.OpenCopy(name, whole->env_.get()));
  STELE_RETURN_IF_ERROR(whole->OpenArchive(archive));
  return whole;
}

Result<std::unique_ptr<WholeLog>> WholeLog::OpenData(const std::string& data) {
  auto whole = std::make_unique<WholeLog>();
  STELE_RETURN_IF_ERROR(
      whole->log_.Open(data + "/log", kWriteBufferBytes, /*create=*/false, nullptr));
  STELE_RETURN_IF_ERROR(whole->OpenArchive(data + "/archive"));
  return whole;
}

Status WholeLog::OpenArchive(const std::string& directory) {
  auto opened = ArchiveStore::Open(
      log_, {.directory = directory, .target_bytes = 0, .on_step = nullptr}, /*writable=*/false);
  if (!opened) return std::unexpected(std::move(opened).error());
  archive_ = std::move(*opened);
  return {};
}

Result<std::vector<ShardId>> WholeLog::Shards() const {
  auto shards = log_.Shards();
  if (!shards) return shards;
  for (const ShardId id : archive_->Shards())
    if (std::ranges::find(*shards, id) == shards->end()) shards->push_back(id);
  std::ranges::sort(*shards);
  return shards;
}

Result<BackedUpShard> WholeLog::End(ShardId shard) const {
  BackedUpShard found{.shard = shard, .end = {}, .last_time = {}};
  Result<LogTail> tail = log_.ReadTail(shard);
  if (!tail) return std::unexpected(std::move(tail).error());
  found.end = *tail == LogTail() ? archive_->View(shard)->end() : *tail;
  if (found.end == LogTail()) return found;
  BlockReader reader;
  STELE_RETURN_IF_ERROR(OpenBlockAt(*Source(shard, found.end.next), shard,
                                    Position(found.end.next.value - 1), &reader));
  RecordView record;
  Error error{};
  while (!reader.AtEnd()) {
    if (!reader.Next(&record, &error)) return std::unexpected(std::move(error));
    if (!reader.cut()) found.last_time = record.header.time;
  }
  return found;
}

std::unique_ptr<BlockSource> WholeLog::Source(ShardId shard, Position end) const {
  return archive_->Source(
      shard, log_.Source(shard, [end] { return end; }, /*sequential=*/true), /*sequential=*/true);
}

Result<ChainReport> WholeLog::Inspect(ShardId shard, const LogTail& end) const {
  const LogRows rows(log_);
  auto report = InspectBlocks(*Source(shard, end.next), shard, end, &rows);
  if (report) STELE_RETURN_IF_ERROR(CheckCutCount(shard, *archive_->View(shard), *report));
  return report;
}

}  // namespace stele::eventstore
