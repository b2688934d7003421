// Rows with their index: what is written, and what goes when a row changes.
#include "projections/table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "projections/views/instance_row.h"
#include "projections/views/task_row.h"
#include "tests/projections/search_rows.h"

namespace stele::projections {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::set<std::string> KeysOf(const TestTable<InstanceRow>& table) {
  const ViewReader reader = table.Read();
  std::set<std::string> all;
  for (KeyCursor keys = reader.Keys(""); keys.valid(); keys.Next()) all.emplace(keys.key());
  return all;
}

InstanceRow Row(uint64_t id, std::string status = "running") {
  return {.id = InstanceId(id),
          .definition = "order",
          .version = 1,
          .status = std::move(status),
          .started = TimeUs(static_cast<int64_t>(id) * 1'000'000)};
}

// The keys that a row alone has.
std::set<std::string> KeysOfOne(const InstanceRow& row) {
  TestTable<InstanceRow> table;
  table.Put(row);
  table.Write();
  return KeysOf(table);
}

TEST(Table, OfARowThatChangedHasTheKeysOfTheNewOneAlone) {
  InstanceRow before = Row(1);
  before.tags = {"eu", "eu", "new"};
  before.business_key = "A-1";
  InstanceRow after = Row(1, "failed");
  after.tags = {"eu"};
  after.error_kind = "http";
  after.error_message = "refused";
  after.started = TimeUs(9);  // even the order
  TestTable<InstanceRow> table;
  table.Put(before);
  table.Write();
  table.Put(after);
  table.Write();
  EXPECT_EQ(KeysOf(table), KeysOfOne(after));
}

TEST(Table, OfSeveralChangesInABatchHasTheLastAlone) {
  TestTable<InstanceRow> table;
  table.Put(Row(1, "running"));
  table.Put(Row(1, "waiting"));
  table.Put(Row(1, "completed"));
  table.Write();
  EXPECT_EQ(KeysOf(table), KeysOfOne(Row(1, "completed")));
}

TEST(Table, OfARowThatWasErasedHasNothing) {
  TestTable<InstanceRow> table;
  table.Put(Row(1));
  table.Put(Row(2));
  table.Write();
  table.Erase(InstanceKey(InstanceId(1)));
  table.Erase(InstanceKey(InstanceId(3)));
  table.Write();
  EXPECT_EQ(KeysOf(table), KeysOfOne(Row(2)));
  table.Erase(InstanceKey(InstanceId(2)));
  table.Write();
  EXPECT_THAT(KeysOf(table), IsEmpty());
}

TEST(Table, WritesNothingForARowThatIsAsItWas) {
  TestTable<InstanceRow> table;
  table.Put(Row(1));
  table.Write();
  table.Put(Row(1));
  EXPECT_TRUE(table.writer().empty());
}

TEST(Table, ReadsARowBackWhole) {
  InstanceRow row = Row(7, "waiting");
  row.steps = {{.run = RunId(3),
                .id = "review",
                .label = "review[2]",
                .state = "waiting",
                .since = TimeUs(5),
                .attempt = 2}};
  row.waits = {{.what = "people", .step = "review[2]", .subject = "anna", .since = TimeUs(5)}};
  row.variables = {{.name = "customer.id", .value = "42", .is_input = true}};
  TestTable<InstanceRow> table;
  table.Put(row);
  table.Write();
  const ViewReader reader = table.Read();
  const auto read = FindOne<InstanceRow>(reader, InstanceKey(InstanceId(7)));
  ASSERT_TRUE(read.has_value() && read->has_value());
  EXPECT_EQ(EncodeRow(**read), EncodeRow(row));
  const auto none = FindOne<InstanceRow>(reader, InstanceKey(InstanceId(8)));
  ASSERT_TRUE(none.has_value());
  EXPECT_FALSE(none->has_value());
}

TEST(Table, HasItsFieldsWhereTheirNumbersSay) {
  const auto numbers = [](const TableSchema& schema) {
    for (size_t i = 0; i < schema.fields.size(); ++i)
      if (schema.fields[i].id != i + 1) return false;
    return !schema.fields.empty();
  };
  EXPECT_TRUE(numbers(InstanceRow::Schema()));
  EXPECT_TRUE(numbers(TaskRow::Schema()));
}

// The page for people has a word on each.
TEST(Table, HasEachOfItsFieldsInThePageOnQueries) {
  std::ifstream file(STELE_SOURCE_DIR "/docs/queries.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  const size_t tasks = page.find("## Fields of tasks");
  ASSERT_NE(tasks, std::string::npos);
  const auto expect = [](const TableSchema& schema, std::string_view text) {
    for (const Field& field : schema.fields) {
      const bool named = field.kind == FieldKind::kNamed;
      EXPECT_TRUE(text.contains(fmt::format("`{}{}`", field.name, named ? ".NAME" : "")))
          << schema.rows << ": " << field.name;
      for (const std::string_view value : field.values)
        EXPECT_TRUE(text.contains(fmt::format("`{}`", value))) << field.name << ": " << value;
    }
  };
  expect(InstanceRow::Schema(), std::string_view(page).substr(0, tasks));
  expect(TaskRow::Schema(), std::string_view(page).substr(tasks));
}

}  // namespace
}  // namespace stele::projections
