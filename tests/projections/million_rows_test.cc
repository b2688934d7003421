// What a page costs among a million instances: keys that it touches, whatever it asks for.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "projections/views/instance_row.h"
#include "tests/projections/search_rows.h"

namespace stele::projections {
namespace {

constexpr uint64_t kInstances = 1'000'000;
constexpr uint64_t kBatch = 10'000;
constexpr int64_t kSecondUs = 1'000'000;

// One a second: nine of ten completed, one of a hundred failed, one of a thousand waits.
InstanceRow Row(uint64_t id, TimeUs first) {
  InstanceRow row{.id = InstanceId(id),
                  .definition = id % 3 == 0 ? "invoice" : "order",
                  .version = 1,
                  .status = "completed",
                  .started = first.Plus(static_cast<int64_t>(id) * kSecondUs)};
  if (id % 10 == 1) row.status = "running";
  if (id % 100 == 3) row.status = "failed";
  if (id % 1'000 == 5) row.status = "waiting";
  if (row.status == "failed") row.error_kind = "http";
  if (id % 50'000 == 6) row.business_key = fmt::format("K-{}", id);
  if (id % 3 == 1) row.tags = {"eu"};
  row.variables = {{.name = "customer", .value = std::to_string(id % 5'000)}};
  return row;
}

class MillionInstances : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    table_ = std::make_unique<TestTable<InstanceRow>>();
    const TimeUs first(table_->now.value - static_cast<int64_t>(kInstances) * kSecondUs);
    for (uint64_t id = 1; id <= kInstances; ++id) {
      Table<InstanceRow>::Put(table_->writer(), std::nullopt, Row(id, first));
      if (id % kBatch == 0) table_->Write();
    }
  }
  static void TearDownTestSuite() { table_.reset(); }

  // The query's first page and its second, of 50 rows each: both are full, and neither touches
  // more.
  static void ExpectPages(std::string_view query, uint64_t most, std::string_view sort = "") {
    std::string cursor;
    for (int page = 0; page < 2; ++page) {
      const auto found = table_->Find(query, 50, cursor, sort);
      ASSERT_TRUE(found.has_value()) << query << ": " << found.error().message;
      EXPECT_EQ(found->rows.size(), 50u) << query;
      EXPECT_LE(found->keys_touched, most) << query;
      fmt::print("{:4} keys for page {} of \"{}\" {}\n", found->keys_touched, page + 1, query,
                 sort);
      cursor = found->next;
    }
  }
  static void ExpectRows(std::string_view query, size_t rows, uint64_t most) {
    const auto found = table_->Find(query, 50);
    ASSERT_TRUE(found.has_value()) << query << ": " << found.error().message;
    EXPECT_EQ(found->rows.size(), rows) << query;
    EXPECT_EQ(found->next, "") << query;
    EXPECT_LE(found->keys_touched, most) << query;
    fmt::print("{:4} keys for all {} of \"{}\"\n", found->keys_touched, rows, query);
  }

  static inline std::unique_ptr<TestTable<InstanceRow>> table_;
};

TEST_F(MillionInstances, GiveAPageForAFewKeysARow) {
  ExpectPages("", 110);
  ExpectPages("", 110, "started");
  ExpectPages("status:completed", 110);
  ExpectPages("status:waiting", 110);
  ExpectPages("status:failed", 110, "started");
  ExpectPages("var.customer=42", 110);
  ExpectPages("var.customer=42", 110, "started");
  ExpectPages("started<100h status:failed", 110);
  ExpectPages("started>100h", 110, "started");
  ExpectPages("status:failed,waiting", 250);
  ExpectPages("status:c*", 120);
  // A join: the rarest times the number of terms, and the rows.
  ExpectPages("status:failed definition:order", 400);
  ExpectPages("status:failed definition:ord* started>200h tag:eu,us -tag:us", 600);
  ExpectPages("var.customer=5 status:waiting", 250);
  // What has no index is asked of the rows that the index leads to.
  ExpectPages("status:failed version>0 -tag:eu", 350);
  ExpectPages("-status:completed", 1'000);
}

TEST_F(MillionInstances, GiveAFewRowsForAFewKeys) {
  ExpectRows("id:123456", 1, 5);
  ExpectRows("key:K-100006", 1, 10);
  ExpectRows("key:K-*", 20, 150);
  ExpectRows("100006", 1, 10);
  ExpectRows("key:K-100006 status:running", 0, 10);
  ExpectRows("definition:none", 0, 5);
  ExpectRows("started>2030-01-01", 0, 5);
  ExpectRows("started<2000-01-01", 0, 5);
  ExpectRows("started>200h started<100h key:K-*", 7, 150);
}

TEST_F(MillionInstances, AreNotReadByAQueryThatLeadsNowhere) {
  // Nothing has an index that tells: the page ends, with a cursor.
  for (const std::string_view query : {"priority>5", "status:failed tag:eu var.customer>99999"}) {
    const auto found = table_->Find(query, 50);
    ASSERT_TRUE(found.has_value()) << query;
    EXPECT_TRUE(found->rows.empty()) << query;
    EXPECT_LE(found->keys_touched, kMaxPageKeys + 3) << query;
  }
}

}  // namespace
}  // namespace stele::projections
