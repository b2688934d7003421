// One open RocksDB database with its column families: opening, closing, errors, keys. The only
// place where RocksDB's statuses become ours. Included by the .cc files of this folder alone.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/statistics.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/database_lock.h"
#include "eventstore/little_endian.h"

namespace stele::eventstore {

// A file is written again when it is as old as that, so that what was erased leaves it.
inline constexpr uint64_t kRewriteSeconds = 24 * 3600;
// For CompactRange: what was erased is in none of the files of the range then. RocksDB leaves those
// of the last level as they are unless it is told not to.
rocksdb::CompactRangeOptions EveryFile();

inline std::string_view View(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// Keys sort by shard, then by the numbers behind it.
template <class... Numbers>
auto ShardKey(ShardId shard, Numbers... numbers) {
  std::array<char, 4 + 8 * sizeof...(Numbers)> key;
  StoreBig(shard.value, key.data());
  size_t at = 4;
  ((StoreBig(numbers, key.data() + at), at += 8), ...);
  return key;
}
template <size_t kSize>
rocksdb::Slice KeySlice(const std::array<char, kSize>& key) {
  return {key.data(), key.size()};
}

// `what` completes "Expected to …".
std::unexpected<Error> RocksError(const rocksdb::Status& status, std::string_view what);

// Whether a database could not be opened because somebody else has it open.
bool IsLocked(const rocksdb::Status& status);

class RocksDbHandle {
 public:
  RocksDbHandle() = default;
  ~RocksDbHandle() { Close(); }
  RocksDbHandle(const RocksDbHandle&) = delete;
  RocksDbHandle& operator=(const RocksDbHandle&) = delete;

  // Opens or creates. The first family must be "default".
  Status Open(const rocksdb::Options& options, const std::string& path,
              const std::vector<rocksdb::ColumnFamilyDescriptor>& families);
  // Opens what is there to read it, and changes nothing.
  Status OpenReadOnly(const rocksdb::Options& options, const std::string& path,
                      const std::vector<rocksdb::ColumnFamilyDescriptor>& families);
  void Close();
  // A new family, behind those that were opened.
  Status AddFamily(const rocksdb::ColumnFamilyDescriptor& family);

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* family(size_t index) const { return families_[index]; }
  size_t families() const { return families_.size(); }
  // What RocksDB has counted since it was opened; 0 when it was opened to read: where there is no
  // memory for its counters RocksDB 7.8 ends the process.
  uint64_t Counted(uint32_t ticker) const;
  // RocksError, and behind what it says of damage the advice.
  std::unexpected<Error> ErrorOf(const rocksdb::Status& status, std::string_view what) const;
  // How what the database holds is made anew: "Everything in … can be …".
  void SetAdvice(std::string advice) { advice_ = std::move(advice); }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::string advice_;
};

// False: a crash has left it without some of these families, while it was made.
bool HasFamilies(const rocksdb::Options& options, const std::string& path,
                 const std::vector<rocksdb::ColumnFamilyDescriptor>& families);

// What both databases have in common: a small machine, quiet logs, bounded files.
rocksdb::Options BaseOptions();

// The value of `key`; nothing when there is none.
Result<bool> GetValue(const RocksDbHandle& handle, size_t family, const rocksdb::Slice& key,
                      std::string* value);

}  // namespace stele::eventstore
