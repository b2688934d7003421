// The database of a shard's views, on RocksDB: a column family for each generation of a view. One
// generation of a view serves; another may be built beside it and take its place.
//
// A batch of changes and the position up to which they hold are written as one, without a
// write-ahead log: a crash takes back what has not been flushed (64 MiB at most), never a part of a
// batch, and the log is read again from there. The whole directory may be deleted while nobody has
// it open.
//
// Keys of the family `default`: "g" and the number of a generation: what it is; "p" and the number:
// its position and the mark of the log there; "u" and the number: Generation::cut_before.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/database_lock.h"
#include "eventstore/file_cipher.h"
#include "projections/view_writer.h"

namespace rocksdb {
class Cache;
class ColumnFamilyHandle;
class DB;
class Iterator;
class Snapshot;
}  // namespace rocksdb

namespace stele::projections {

// One building of a view. Threads: any; it is written by one at a time.
class Generation {
 public:
  Generation(std::shared_ptr<rocksdb::DB> db, rocksdb::ColumnFamilyHandle* family, uint64_t number,
             std::string view, uint32_t version, bool serves, Position position);
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  uint64_t number() const { return number_; }
  const std::string& view() const { return view_; }
  uint32_t version() const { return version_; }
  bool serves() const { return serves_; }
  // The last record that is in it; 0: none.
  Position position() const { return Position(position_); }
  // What was noted with the position when the store was opened (log_mark.h).
  const std::string& stored_mark() const { return stored_mark_; }
  // Whether there is such a key.
  Result<bool> Get(std::string_view key, std::string* value) const;
  // Those that begin so, in order.
  Result<std::vector<std::string>> Keys(std::string_view prefix) const;
  // When its building began, the instances that the registry's records up to here had purged were
  // cut out of the log: it sees nothing of them but their totals.
  Position cut_before() const { return Position(cut_before_); }

 private:
  friend class ViewStore;
  friend class ViewReader;

  std::shared_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* family_;
  const uint64_t number_;
  const std::string view_;
  const uint32_t version_;
  std::atomic<bool> serves_;
  std::atomic<uint64_t> position_;
  std::atomic<uint64_t> cut_before_ = 0;
  std::string stored_mark_;
};

// Keys in their order, from Seek on, within a prefix. Not for concurrent use.
class KeyCursor {
 public:
  // Where the database stops looking: what was erased behind the prefix is not passed.
  struct Bounds;
  KeyCursor(std::unique_ptr<Bounds> bounds, std::unique_ptr<rocksdb::Iterator> iterator,
            std::string prefix, uint64_t* touched);
  ~KeyCursor();
  KeyCursor(KeyCursor&&) noexcept;

  // To the first key that is not before this one.
  void Seek(std::string_view key);
  void Next();
  // To the last key that is not behind this one, and to the one before.
  void SeekBack(std::string_view key);
  void Previous();
  bool valid() const;
  std::string_view key() const;
  std::string_view value() const;
  // What went wrong when it is not valid.
  Status status() const;

 private:
  std::unique_ptr<Bounds> bounds_;  // read by the iterator
  std::unique_ptr<rocksdb::Iterator> iterator_;
  std::string prefix_;
  uint64_t* touched_;
};

// A generation as it was at one moment. Not for concurrent use; cheap to make. An old one keeps the
// store from giving back space.
class ViewReader {
 public:
  explicit ViewReader(std::shared_ptr<const Generation> generation);
  ~ViewReader();
  ViewReader(ViewReader&& other) noexcept;
  ViewReader(const ViewReader&) = delete;

  const Generation& generation() const { return *generation_; }
  // The last record that it shows.
  Position position() const { return position_; }
  Result<std::optional<std::string>> Get(std::string_view key) const;
  // At the first key with the prefix.
  KeyCursor Keys(std::string prefix) const;
  // Keys that were read or passed so far: what an answer costs.
  uint64_t keys_touched() const { return *touched_; }

 private:
  std::shared_ptr<const Generation> generation_;
  const rocksdb::Snapshot* snapshot_;
  Position position_;
  std::unique_ptr<uint64_t> touched_;
};

class ViewStore {
 public:
  // Made when it is not there. One that is damaged, or in which damage was found when it was read,
  // is deleted and made anew. kStoreLocked: another process has it open.
  // Its files go through the cipher, if there is one (EventStore::file_cipher): one that was
  // written otherwise is made anew, too.
  static Result<std::unique_ptr<ViewStore>> Open(
      const std::string& path,
      const std::shared_ptr<const eventstore::FileCipher>& cipher = nullptr);
  // One that is there, beside others that read it; nothing on the disk is changed, and every write
  // is refused. kStoreCorrupt: damaged, or not to be used; kStoreNotFound: there is none.
  static Result<std::unique_ptr<ViewStore>> OpenToRead(
      const std::string& path,
      const std::shared_ptr<const eventstore::FileCipher>& cipher = nullptr);
  // Writes what is in memory. REQUIRES: nobody uses a generation or reader of it any more.
  ~ViewStore();
  ViewStore(const ViewStore&) = delete;
  ViewStore& operator=(const ViewStore&) = delete;

  // What was wrong with the one that was deleted; empty: nothing was.
  const std::string& repaired() const { return repaired_; }

  std::vector<std::shared_ptr<Generation>> generations() const;
  // The one that answers for the view, or null.
  std::shared_ptr<Generation> Serving(std::string_view view) const;
  // An empty one, which does not serve.
  Result<std::shared_ptr<Generation>> Create(std::string_view view, uint32_t version);
  // Notes Generation::cut_before. REQUIRES: nothing was written to it.
  Status NoteCutBefore(const std::shared_ptr<Generation>& generation, Position position);
  // From then on it answers for its view; the one before is dropped.
  Status Serve(const std::shared_ptr<Generation>& generation);
  // Its data goes when nobody reads it any more.
  Status Drop(const std::shared_ptr<Generation>& generation);

  struct Change {
    Generation* generation;
    ViewWriter* writer;
  };
  // All of them, and their new position, as one. The writers are empty then. `mark`: of the record
  // at the position (log_mark.h).
  Status Write(std::span<const Change> changes, Position position, std::string_view mark = {});
  // What was written is on the disk.
  Status Sync();
  // What was erased, or written over, is in no file any more.
  Status Compact();

 private:
  ViewStore() = default;
  static Result<std::unique_ptr<ViewStore>> OpenOnce(
      const std::string& path, const std::shared_ptr<const eventstore::FileCipher>& cipher);
  Status Load(const std::string& path, const std::shared_ptr<const eventstore::FileCipher>& cipher,
              bool to_read);

  eventstore::ReadingLock lock_;  // of OpenToRead
  std::shared_ptr<rocksdb::Cache> cache_;
  std::shared_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* default_ = nullptr;
  mutable std::mutex mutex_;  // of what follows
  std::vector<std::shared_ptr<Generation>> generations_;
  uint64_t last_number_ = 0;
  std::string repaired_;
};

}  // namespace stele::projections
