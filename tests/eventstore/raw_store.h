// A store's files through RocksDB alone, behind the store's back: what damage is made with.
#pragma once

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stele::eventstore {

// Opens `<path>/log` with its families; closes it in the end.
class RawStore {
 public:
  explicit RawStore(const std::string& path) {
    const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {"default", {}}, {"log", {}}, {"meta", {}}};
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open({}, path + "/log", families, &handles_, &db);
    EXPECT_TRUE(status.ok()) << status.ToString();
    db_.reset(db);
  }
  ~RawStore() {
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  }

  using Entry = std::pair<std::string, std::string>;  // key, value
  std::vector<Entry> Blocks() const {
    std::vector<Entry> blocks;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, handles_[1]));
    for (it->SeekToFirst(); it->Valid(); it->Next())
      blocks.emplace_back(it->key().ToString(), it->value().ToString());
    return blocks;
  }
  void PutBlock(const std::string& key, const std::string& value) {
    EXPECT_TRUE(db_->Put({}, handles_[1], key, value).ok());
  }
  void DeleteBlock(const std::string& key) { EXPECT_TRUE(db_->Delete({}, handles_[1], key).ok()); }
  void PutMeta(const std::string& key, const std::string& value) {
    EXPECT_TRUE(db_->Put({}, handles_[2], key, value).ok());
  }

 private:
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace stele::eventstore
