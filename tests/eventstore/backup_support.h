// What the tests of backups share: a store with a log, a backup of it, flipping bytes.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "eventstore/backup.h"
#include "eventstore/restore.h"
#include "eventstore/rocksdb_store.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {

inline constexpr TimeUs kMade{1'800'000'000'000'000};

inline std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline BackupRequest RequestFor(const std::string& directory) {
  BackupRequest request;
  request.directory = directory;
  request.now = kMade;
  request.files = {"settings.json", "secrets.stele"};
  return request;
}

// Blocks of 3 records each, of two instances. Closes the store.
inline void MakeLog(const std::string& path, uint64_t blocks) {
  auto store = OpenRocksDbStore(path);
  ASSERT_OK(store);
  for (uint64_t i = 0; i < blocks; ++i) {
    const uint64_t next = (*store)->NextPosition(ShardId(0)).value;
    ASSERT_OK(AppendNext(**store, RoundRobin(3, 1, next)));
  }
}

inline std::vector<ReadRecord> LogIn(const std::string& path) {
  RocksDbOptions options;
  options.create_if_missing = false;
  auto store = OpenRocksDbStore(path, options);
  if (!store) {
    ADD_FAILURE() << store.error().ToString();
    return {};
  }
  EXPECT_OK((*store)->VerifyChain(ShardId(0)));
  return ReadLog(**store);
}

inline Result<BackupReport> BackUp(const std::string& data, const BackupRequest& request) {
  RocksDbOptions options;
  options.create_if_missing = false;
  auto store = OpenRocksDbStore(data, options);
  if (!store) return std::unexpected(store.error());
  return (*store)->Backup(request);
}

inline RestoreRequest RestoreInto(const std::string& directory, const std::string& target) {
  RestoreRequest request;
  request.directory = directory;
  request.target = target;
  return request;
}

}  // namespace stele::eventstore
