// The index of instances in the state database. Key: shard, instance, first seq (big-endian);
// value: the instance's blocks of one chunk as varints: the first block's position, then for each
// further block the distance in seq and in position from the one before.
#include <fmt/format.h>
#include <rocksdb/sst_file_writer.h>

#include <filesystem>

#include "eventstore/state_db.h"

namespace stele::eventstore {
namespace {

enum Family : size_t { kMarks = 0, kByInstance = 4 };

void PutVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

bool TakeVarint(std::string_view* in, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && !in->empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in->front());
    in->remove_prefix(1);
    *value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool DecodeBlocks(Seq first_seq, std::string_view value, std::vector<InstanceBlock>* blocks) {
  uint64_t block = 0;
  if (!TakeVarint(&value, &block)) return false;
  blocks->push_back({first_seq, Position(block)});
  while (!value.empty()) {
    uint64_t seqs = 0, positions = 0;
    if (!TakeVarint(&value, &seqs) || !TakeVarint(&value, &positions)) return false;
    const InstanceBlock last = blocks->back();
    blocks->push_back({last.first_seq.Plus(seqs), last.block.Plus(positions)});
  }
  return true;
}

std::unexpected<Error> IndexError(const rocksdb::Status& status, ShardId shard) {
  return Fail(ErrorCode::kStoreWriteFailed,
              fmt::format("Expected to extend the index of shard {} but found: {}.", shard.value,
                          status.ToString()));
}

rocksdb::Status WriteEntries(ShardId shard, const std::vector<IndexEntry>& entries,
                             rocksdb::SstFileWriter* writer) {
  std::string value;
  for (size_t i = 0; i < entries.size();) {
    const IndexEntry& first = entries[i];
    value.clear();
    PutVarint(first.block.value, &value);
    for (++i; i < entries.size() && entries[i].instance == first.instance; ++i) {
      PutVarint(entries[i].first_seq.value - entries[i - 1].first_seq.value, &value);
      PutVarint(entries[i].block.value - entries[i - 1].block.value, &value);
    }
    const auto key = ShardKey(shard, first.instance.value, first.first_seq.value);
    const auto status = writer->Put(KeySlice(key), value);
    if (!status.ok()) return status;
  }
  return writer->Finish();
}

}  // namespace

Result<Position> StateDb::IndexedTo(ShardId shard) const {
  std::string value;
  auto found = GetValue(handle_, kMarks, KeySlice(ShardKey(shard)), &value);
  if (!found) return std::unexpected(std::move(found).error());
  if (!*found) return Position(1);
  if (value.size() != 8)
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected 8 bytes for the end of the index of shard {} but found {}.",
                            shard.value, value.size()));
  return Position(LoadLittle<uint64_t>(value.data()));
}

Status StateDb::Ingest(ShardId shard, const std::vector<IndexEntry>& entries, Position end) {
  if (entries.empty()) return {};  // nothing but records that were cut out
  const std::string file = fmt::format("{}/{}.ingest", path_, next_file_++);
  rocksdb::SstFileWriter writer({}, handle_.db().GetOptions(handle_.family(kByInstance)),
                                handle_.family(kByInstance));
  auto status = writer.Open(file);
  if (status.ok()) status = WriteEntries(shard, entries, &writer);
  if (status.ok()) {
    ingested_bytes_ += writer.FileSize();
    rocksdb::IngestExternalFileOptions options;
    // RocksDB opens a file that it moves to append to it, and its encrypted file system (7.8.3)
    // then writes a second beginning at the end. A copy is as large as a chunk of the index.
    options.move_files = cipher_ == nullptr;
    options.write_global_seqno = false;
    status = handle_.db().IngestExternalFile(handle_.family(kByInstance), {file}, options);
  }
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  if (!status.ok()) return IndexError(status, shard);
  // A crash before this is durable has the chunk's blocks indexed again, with the same result.
  char mark[8];
  StoreLittle(end.value, mark);
  STELE_RETURN_IF_ERROR(Put(kMarks, KeySlice(ShardKey(shard)), rocksdb::Slice(mark, sizeof mark)));
  status = handle_.db().Flush({}, handle_.family(kMarks));
  return status.ok() ? Status() : IndexError(status, shard);
}

Status StateDb::FindBlocks(ShardId shard, InstanceId instance, Seq from,
                           std::vector<InstanceBlock>* blocks) const {
  const auto start = ShardKey(shard, instance.value, from.value);
  const auto is_of_instance = [&](const rocksdb::Slice& key) {
    return key.size() == start.size() && std::memcmp(key.data(), start.data(), 12) == 0;
  };
  std::unique_ptr<rocksdb::Iterator> entry(
      handle_.db().NewIterator({}, handle_.family(kByInstance)));
  entry->SeekForPrev(KeySlice(start));
  if (!entry->Valid() || !is_of_instance(entry->key())) entry->Seek(KeySlice(start));
  std::vector<InstanceBlock> found;
  for (; entry->Valid() && is_of_instance(entry->key()); entry->Next()) {
    const Seq first_seq(LoadBig<uint64_t>(entry->key().data() + 12));
    if (!DecodeBlocks(first_seq, View(entry->value()), &found))
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected a list of blocks in the index of instance {} of shard {} "
                              "but found other bytes.",
                              instance.value, shard.value));
  }
  if (!entry->status().ok()) return handle_.ErrorOf(entry->status(), "read the index of instances");
  blocks->insert(blocks->end(), found.begin(), found.end());
  return {};
}

uint64_t StateDb::index_bytes_written() const {
  return ingested_bytes_ + handle_.Counted(rocksdb::COMPACT_WRITE_BYTES);
}

}  // namespace stele::eventstore
