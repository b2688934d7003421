#include "cli/open_data.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "eventstore/rocksdb_store.h"

namespace stele::cli {

Result<std::unique_ptr<eventstore::EventStore>> OpenForReading(const Arguments& arguments,
                                                               bool damaged) {
  const std::string path = arguments.Get("--data", kDefaultData);
  std::error_code ignored;
  if (!std::filesystem::exists(path + "/log", ignored))
    return Fail(ErrorCode::kStoreNotFound,
                fmt::format("Expected the data of earlier runs in {} but found none; --data names "
                            "another directory",
                            path));
  eventstore::RocksDbOptions options;
  options.create_if_missing = false;
  options.open_damaged = damaged;
  return eventstore::OpenRocksDbStore(path, options);
}

Result<InstanceId> ParseInstanceId(const std::string& word) {
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
  if (error == std::errc() && end == word.data() + word.size() && id != 0) return InstanceId(id);
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected an instance's number but found \"{}\"", word));
}

}  // namespace stele::cli
