// The database that is the truth: the families `log` (blocks), `meta` (format, known ends) and,
// once payloads are sealed, `keys`, all through the write-ahead log. Kept apart from the database
// of what can be rebuilt, so that a snapshot never queues behind a commit and no commit behind an
// ingestion.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/block_source.h"
#include "eventstore/event_store.h"
#include "eventstore/log_floors.h"
#include "eventstore/rocksdb_handle.h"

namespace stele::eventstore {

class LogDb {
 public:
  // Whether the directory holds a log, whole or not. Until a log's making is through it has no file
  // CURRENT, and nothing that would be lost.
  static bool Exists(const std::string& path);
  // kStoreLocked when it is open elsewhere, kStoreNotFound when there is none and `create` is
  // false, kStoreUnknownFormat for one of a newer build.
  // A damaged write-ahead log is kStoreCorrupt, unless `damage` is given: then the entries that can
  // be read are there to be read, nothing can be written, and `damage` says what was found.
  Status Open(const std::string& path, size_t write_buffer_bytes, bool create,
              std::optional<Error>* damage);
  // The same to read alone, as others may meanwhile: nothing on the disk is changed. A format that
  // was not noted yet is taken for this one.
  Status OpenToRead(const std::string& path, std::optional<Error>* damage);
  // A log as it lies in a backup, to be read. REQUIRES: `env` outlives it.
  Status OpenCopy(const std::string& name, rocksdb::Env* env);
  void Close();

  // Synced. Thread: any.
  // With rows of the tree, as one.
  Status WriteBlock(const SealedBlock& block, const std::vector<KeyRow>& rows);
  // A stored block of another log, into one that is being built: durable with the next Flush.
  Status ImportBlock(ShardId shard, Position first, std::string_view bytes);
  Status Flush();

  // The shards that have blocks or a known end.
  Result<std::vector<ShardId>> Shards() const;
  // Where the blocks end, those below the floor left out; checks the last one.
  Result<LogTail> ReadTail(ShardId shard) const;
  // An end that the log is known to have had; Position 1 when none was noted.
  Result<LogTail> ReadKnownTail(ShardId shard) const;
  Status WriteKnownTail(ShardId shard, const LogTail& tail);

  // The blocks from the floor on. `end` is asked for the end of what is durable.
  std::unique_ptr<BlockSource> Source(ShardId shard, std::function<Position()> end,
                                      bool sequential) const;

  // What the archive notes (archive_notes.h), one batch, synced. Thread: any.
  struct MetaChange {
    std::string key;
    std::optional<std::string> value;  // nothing: the key goes
  };
  Status WriteMeta(const std::vector<MetaChange>& changes);
  Result<std::optional<std::string>> ReadMeta(std::string_view key) const;
  // The keys come without the prefix.
  Status ForEachMeta(
      std::string_view prefix,
      const std::function<Status(std::string_view key, std::string_view value)>& visit) const;

  // The keys come whole, those from `from` on, in order, until `visit` says false.
  Status ForEachMetaFrom(
      std::string_view prefix, std::string_view from,
      const std::function<Result<bool>(std::string_view key, std::string_view value)>& visit) const;

  // The last row with the prefix whose key, without it, is at most `key`; nothing when there is
  // none. The row's key comes without the prefix.
  struct MetaRow {
    std::string key;
    std::string value;
  };
  Result<std::optional<MetaRow>> LastMeta(std::string_view prefix, std::string_view key) const;

  // The payloads' keys (payload_keys.h): log_keys.cc.
  bool HasKeys() const { return handle_.families() > kKeysFamily; }
  // REQUIRES: open to write.
  Status MakeKeys();
  Result<std::optional<std::string>> ReadKey(std::string_view name) const;
  // Puts the rows, whatever was there, and notes the change, durably and as one. REQUIRES:
  // HasKeys().
  Status PutKeys(const std::vector<KeyRow>& rows, const MetaChange& note);
  // What stood in these rows before is gone from the files when it returns.
  Status ScrubKeys(const std::vector<KeyRow>& rows);
  // Both, for one row of `meta`.
  Status ReplaceMeta(const std::string& key, const std::string& value);
  // Into a log that is being built. REQUIRES: HasKeys().
  Status ImportKey(std::string_view name, std::string_view value);
  // All, in the order of their names.
  Status ForEachKey(
      const std::function<Status(std::string_view name, std::string_view value)>& visit) const;

  // Blocks before `floor` are no part of this log any more. REQUIRES: noted durably.
  void RaiseFloor(ShardId shard, Position floor) { floors_->Raise(shard, floor); }
  // Removes them from the disk. Waits for compactions; appends go on.
  Status GiveBack(ShardId shard);
  // A name that no other database has.
  Result<std::string> Identity() const;

  // Fills what concerns the log.
  void AddStats(StoreStats* stats) const;

  // For backups.
  rocksdb::DB& database() const { return handle_.db(); }

 private:
  static constexpr size_t kKeysFamily = 3;

  Status CheckFormat(bool note_when_missing);
  // What families the database in `path` has, those that every log has being there.
  std::vector<rocksdb::ColumnFamilyDescriptor> FamiliesOf(const rocksdb::Options& options,
                                                          const std::string& path,
                                                          size_t write_buffer_bytes) const;
  Status Scrub(size_t family, const std::string& first, const std::string& last);

  ReadingLock lock_;  // of OpenToRead
  const std::shared_ptr<LogFloors> floors_ = std::make_shared<LogFloors>();
  RocksDbHandle handle_;
};

}  // namespace stele::eventstore
