// What a page costs among a million instances: keys that it touches, whatever it asks for.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "projections/views/instance_row.h"
#include "tests/projections/search_rows.h"

namespace stele::projections {
namespace {

using Instances = TestTable<InstanceRow>;

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

// The query's first page and its second, of 50 rows each: both are full, and neither touches
// more.
void ExpectPages(const Instances& table, std::string_view query, uint64_t most,
                 std::string_view sort = "") {
  std::string cursor;
  for (int page = 0; page < 2; ++page) {
    const auto found = table.Find(query, 50, cursor, sort);
    ASSERT_TRUE(found.has_value()) << query << ": " << found.error().message;
    EXPECT_EQ(found->rows.size(), 50u) << query;
    EXPECT_LE(found->keys_touched, most) << query;
    fmt::print("{:4} keys for page {} of \"{}\" {}\n", found->keys_touched, page + 1, query, sort);
    cursor = found->next;
  }
}
void ExpectRows(const Instances& table, std::string_view query, size_t rows, uint64_t most) {
  const auto found = table.Find(query, 50);
  ASSERT_TRUE(found.has_value()) << query << ": " << found.error().message;
  EXPECT_EQ(found->rows.size(), rows) << query;
  EXPECT_EQ(found->next, "") << query;
  EXPECT_LE(found->keys_touched, most) << query;
  fmt::print("{:4} keys for all {} of \"{}\"\n", found->keys_touched, rows, query);
}

void ExpectPagesForAFewKeysARow(const Instances& table) {
  ExpectPages(table, "", 110);
  ExpectPages(table, "", 110, "started");
  ExpectPages(table, "status:completed", 110);
  ExpectPages(table, "status:waiting", 110);
  ExpectPages(table, "status:failed", 110, "started");
  ExpectPages(table, "var.customer=42", 110);
  ExpectPages(table, "var.customer=42", 110, "started");
  ExpectPages(table, "started<100h status:failed", 110);
  ExpectPages(table, "started>100h", 110, "started");
  ExpectPages(table, "status:failed,waiting", 250);
  ExpectPages(table, "status:c*", 120);
  // A join: the rarest times the number of terms, and the rows.
  ExpectPages(table, "status:failed definition:order", 400);
  ExpectPages(table, "status:failed definition:ord* started>200h tag:eu,us -tag:us", 600);
  ExpectPages(table, "var.customer=5 status:waiting", 250);
  // What has no index is asked of the rows that the index leads to.
  ExpectPages(table, "status:failed version>0 -tag:eu", 350);
  ExpectPages(table, "-priority:1 -status:completed", 130);
  // One row of three fits: two keys for each that is looked at.
  ExpectPages(table, "-definition:order", 310);
}

void ExpectAFewRowsForAFewKeys(const Instances& table) {
  ExpectRows(table, "id:123456", 1, 5);
  ExpectRows(table, "key:K-100006", 1, 10);
  ExpectRows(table, "key:K-*", 20, 150);
  ExpectRows(table, "100006", 1, 10);
  ExpectRows(table, "key:K-100006 status:running", 0, 10);
  ExpectRows(table, "definition:none", 0, 5);
  ExpectRows(table, "started>2030-01-01", 0, 5);
  ExpectRows(table, "started<2000-01-01", 0, 5);
  ExpectRows(table, "started>200h started<100h key:K-*", 7, 150);
}

void ExpectAnEndWhereNothingLeadsToRows(const Instances& table) {
  // Nothing has an index that tells: the page ends, with a cursor.
  for (const std::string_view query : {"priority>5", "status:failed tag:eu var.customer>99999"}) {
    const auto found = table.Find(query, 50);
    ASSERT_TRUE(found.has_value()) << query;
    EXPECT_TRUE(found->rows.empty()) << query;
    EXPECT_LE(found->keys_touched, kMaxPageKeys + 3) << query;
  }
}

// One test, for the rows take longest.
TEST(MillionInstances, GiveAPageForAFewKeysARow) {
  Instances table;
  const TimeUs first(table.now.value - static_cast<int64_t>(kInstances) * kSecondUs);
  for (uint64_t id = 1; id <= kInstances; ++id) {
    Table<InstanceRow>::Put(table.writer(), std::nullopt, Row(id, first));
    if (id % kBatch == 0) table.Write();
  }
  ExpectPagesForAFewKeysARow(table);
  ExpectAFewRowsForAFewKeys(table);
  ExpectAnEndWhereNothingLeadsToRows(table);
}

}  // namespace
}  // namespace stele::projections
