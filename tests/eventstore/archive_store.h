// Builders for the tests of the archive: small segments, logs of many blocks, what is on the disk.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "eventstore/rocksdb_store.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {

inline RocksDbOptions SmallSegments(uint64_t bytes = 2000) {
  RocksDbOptions options;
  options.archive_segment_bytes = bytes;
  options.index_chunk_records = 40;  // so that the index lies in memory and on the disk
  return options;
}

// Instances of which each has records in `spread` blocks in a row, so that they end one after the
// other: block b has a record of each of the instances b to b + spread - 1. `from` is the first
// block's number; instances count from 1.
inline void AppendOverlapping(EventStore& store, uint64_t from, uint64_t blocks, uint64_t spread,
                              ShardId shard = ShardId(0)) {
  for (uint64_t block = from; block < from + blocks; ++block) {
    Batch batch;
    for (uint64_t i = 0; i < spread; ++i) {
      const uint64_t instance = block + i;
      AddRecord(&batch, instance, 1 + (spread - 1 - i));
    }
    ASSERT_OK(AppendNext(store, batch, shard));
  }
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Names in a directory that end so, sorted.
inline std::vector<std::string> NamesIn(const std::string& directory, const std::string& ending) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored))
    if (entry.path().filename().string().ends_with(ending))
      names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

// Whether any file below the directory has the text, as it is.
inline bool AnyFileHas(const std::string& directory, const std::string& text) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file() && ReadFile(entry.path()).find(text) != std::string::npos)
      return true;
  return false;
}

}  // namespace stele::eventstore
