// A store of views in a directory of its own with one table, for tests of tables and searches.
#pragma once

#include <gtest/gtest.h>

#include "projections/search.h"
#include "tests/eventstore/records.h"

namespace stele::projections {

template <class Row>
class TestTable {
 public:
  TestTable() {
    auto store = ViewStore::Open(directory_.path() + "/views");
    EXPECT_TRUE(store.has_value()) << store.error().message;
    store_ = *std::move(store);
    generation_ = *store_->Create("rows", 1);
    writer_ = std::make_unique<ViewWriter>(*generation_);
  }

  ViewWriter& writer() { return *writer_; }
  ViewReader Read() const { return ViewReader(generation_); }

  void Put(const Row& row) { Table<Row>::Put(*writer_, row); }
  void Erase(const std::string& key) { Table<Row>::Erase(*writer_, key); }
  // What was put is there for readers.
  void Write() {
    const ViewStore::Change change{generation_.get(), writer_.get()};
    position_ = position_.Next();
    const Status written = store_->Write({&change, 1}, position_);
    EXPECT_TRUE(written.has_value()) << written.error().message;
  }

  // A page, asked for as people do.
  Result<Page<Row>> Find(std::string_view query, size_t limit = kDefaultPageRows,
                         std::string_view cursor = "", std::string_view sort = "") const {
    Result<Query> parsed = ParseQuery(query);
    if (!parsed.has_value()) return std::unexpected(parsed.error());
    const ViewReader reader = Read();
    return projections::Find<Row>(reader, {.query = *std::move(parsed),
                                           .sort = std::string(sort),
                                           .cursor = std::string(cursor),
                                           .limit = limit,
                                           .now = now});
  }

  TimeUs now{1'700'000'000'000'000};

 private:
  eventstore::TempDir directory_;
  std::unique_ptr<ViewStore> store_;
  std::shared_ptr<Generation> generation_;
  std::unique_ptr<ViewWriter> writer_;
  Position position_;
};

}  // namespace stele::projections
