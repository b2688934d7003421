// The orders of a search: by every field that sorts, against a plain sort of all rows.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <optional>
#include <random>

#include "projections/views/instance_row.h"
#include "projections/views/task_row.h"
#include "tests/projections/search_rows.h"

namespace stele::projections {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

using Ids = std::vector<uint64_t>;
using Instances = TestTable<InstanceRow>;

constexpr int64_t kSecondUs = 1'000'000;

template <class Row>
std::vector<Row> FindAll(const TestTable<Row>& table, std::string_view query, std::string_view sort,
                         size_t limit) {
  std::vector<Row> rows;
  std::string cursor;
  do {
    const auto page = table.Find(query, limit, cursor, sort);
    if (!page.has_value()) {
      ADD_FAILURE() << query << " by " << sort << ": " << page.error().message;
      return rows;
    }
    std::ranges::copy(page->rows, std::back_inserter(rows));
    cursor = page->next;
  } while (!cursor.empty());
  return rows;
}

Ids IdsOf(const std::vector<InstanceRow>& rows) {
  Ids ids;
  for (const InstanceRow& row : rows) ids.push_back(row.id.value);
  return ids;
}

// What a row is sorted by; nothing: it has none.
template <class Key>
using KeyOf = std::function<std::optional<Key>(const InstanceRow&)>;

bool StartedLater(const InstanceRow& a, const InstanceRow& b) {
  return a.started != b.started ? a.started > b.started : a.id > b.id;
}

// By numbers: equal ones by their ids, the same way.
std::vector<InstanceRow> SortedByNumber(std::vector<InstanceRow> rows, const KeyOf<int64_t>& key,
                                        bool descending) {
  std::ranges::sort(rows, [&](const InstanceRow& a, const InstanceRow& b) {
    const auto x = key(a), y = key(b);
    if (!x || !y) return x || y ? x.has_value() : StartedLater(a, b);
    if (*x != *y) return descending ? *x > *y : *x < *y;
    return descending ? a.id > b.id : b.id > a.id;
  });
  return rows;
}

// By texts: equal ones by when they started, the latest first.
std::vector<InstanceRow> SortedByText(std::vector<InstanceRow> rows, const KeyOf<std::string>& key,
                                      bool descending) {
  std::ranges::sort(rows, [&](const InstanceRow& a, const InstanceRow& b) {
    const auto x = key(a), y = key(b);
    if (!x || !y) return x || y ? x.has_value() : StartedLater(a, b);
    if (*x != *y) return descending ? *x > *y : *x < *y;
    return StartedLater(a, b);
  });
  return rows;
}

std::vector<InstanceRow> SomeRows(Instances& table, uint64_t count, uint64_t stride) {
  std::mt19937 random(11);
  const auto below = [&](uint32_t n) { return random() % n; };
  std::vector<InstanceRow> rows;
  for (uint64_t i = 1; i <= count; ++i) {
    InstanceRow row{.id = InstanceId(i * stride), .definition = fmt::format("d{}", below(9))};
    row.version = 1;
    row.started = TimeUs(table.now.value - static_cast<int64_t>(below(500)) * kSecondUs);
    row.status = std::vector<std::string>{"running", "failed", "completed"}[below(3)];
    if (row.status != "running")
      row.ended = row.started.Plus(static_cast<int64_t>(below(50)) * kSecondUs);
    if (below(3) != 0) row.business_key = fmt::format("K-{}", below(200));
    row.priority = static_cast<int32_t>(below(7)) - 3;
    table.Put(row);
    rows.push_back(row);
  }
  table.Write();
  return rows;
}

void ExpectEveryOrder(const Instances& table, const std::vector<InstanceRow>& all) {
  const std::vector<std::pair<std::string, KeyOf<int64_t>>> numbers = {
      {"started", [](const auto& row) { return std::optional(row.started.value); }},
      {"ended",
       [](const auto& row) { return row.ended ? std::optional(row.ended.value) : std::nullopt; }},
      {"duration",
       [](const auto& row) {
         return row.ended ? std::optional(row.ended.value - row.started.value) : std::nullopt;
       }},
      {"priority", [](const auto& row) { return std::optional<int64_t>(row.priority); }},
  };
  const std::vector<std::pair<std::string, KeyOf<std::string>>> texts = {
      {"definition", [](const auto& row) { return std::optional(row.definition); }},
      {"status", [](const auto& row) { return std::optional(row.status); }},
      {"key",
       [](const auto& row) {
         return row.business_key.empty() ? std::nullopt : std::optional(row.business_key);
       }},
  };
  const std::vector<std::pair<std::string, std::function<bool(const InstanceRow&)>>> queries = {
      {"", [](const auto&) { return true; }},
      {"status:failed", [](const auto& row) { return row.status == "failed"; }},
      {"-status:failed definition:d3",
       [](const auto& row) { return row.status != "failed" && row.definition == "d3"; }},
      {"priority>1", [](const auto& row) { return row.priority > 1; }},
      {"definition:d1 started>250s",
       [&](const auto& row) {
         return row.definition == "d1" && row.started.value > table.now.value - 250 * kSecondUs;
       }},
      {"definition:none", [](const auto&) { return false; }},
  };
  for (const auto& [query, holds] : queries) {
    std::vector<InstanceRow> rows = all;
    std::erase_if(rows, [&](const InstanceRow& row) { return !holds(row); });
    const auto expect = [&](const std::string& sort, const std::vector<InstanceRow>& expected) {
      for (const size_t limit : {3, 50, 1'000})
        EXPECT_EQ(IdsOf(FindAll(table, query, sort, limit)), IdsOf(expected))
            << query << " by " << sort << ", pages of " << limit;
    };
    for (const auto& [name, key] : numbers) {
      expect("-" + name, SortedByNumber(rows, key, true));
      expect(name, SortedByNumber(rows, key, false));
    }
    for (const auto& [name, key] : texts) {
      expect("-" + name, SortedByText(rows, key, true));
      expect(name, SortedByText(rows, key, false));
    }
  }
}

TEST(Sort, ByEveryFieldGivesTheRowsOfAPlainSort) {
  Instances table;
  const auto rows = SomeRows(table, 300, 1);
  ExpectEveryOrder(table, rows);
}

TEST(Sort, OfRowsThatAreFarApartGivesThemToo) {
  Instances table;
  const auto rows = SomeRows(table, 120, (1 << 18) + 77);
  ExpectEveryOrder(table, rows);
}

TEST(Sort, FollowsARowThatChanges) {
  Instances table;
  InstanceRow one{.id = InstanceId(1), .definition = "a", .status = "running", .priority = 1};
  InstanceRow two{.id = InstanceId(2), .definition = "b", .status = "running", .priority = 2};
  one.started = two.started = TimeUs(10);
  table.Put(one);
  table.Put(two);
  table.Write();
  EXPECT_EQ(IdsOf(FindAll(table, "", "-priority", 1)), (Ids{2, 1}));
  EXPECT_EQ(IdsOf(FindAll(table, "", "-ended", 1)), (Ids{2, 1})) << "neither has";
  one.priority = 3;
  one.ended = TimeUs(20);
  table.Put(one);
  table.Write();
  EXPECT_EQ(IdsOf(FindAll(table, "", "-priority", 1)), (Ids{1, 2}));
  EXPECT_EQ(IdsOf(FindAll(table, "", "ended", 1)), (Ids{1, 2}));
  table.Erase(InstanceKey(InstanceId(1)));
  table.Write();
  for (const std::string_view sort : {"-priority", "ended", "definition", "key", "started"})
    EXPECT_EQ(IdsOf(FindAll(table, "", sort, 1)), Ids{2}) << sort;
}

TEST(Sort, OfTasksIsByWhenTheyWereCreatedAndAreDueAndByPriority) {
  TestTable<TaskRow> table;
  const auto put = [&](uint64_t instance, uint32_t run, int64_t created, int64_t due,
                       int32_t priority) {
    TaskRow row{.instance = InstanceId(instance), .run = RunId(run), .state = "open"};
    row.type = "manual";
    row.created = TimeUs(created);
    row.due = TimeUs(due);
    row.priority = priority;
    table.Put(row);
  };
  put(1, 1, 30, 0, 5);
  put(1, 2, 20, 900, 5);
  put(5'000, 7, 10, 100, -2);
  table.Write();
  const auto found = [&](std::string_view sort) {
    Ids ids;
    for (const TaskRow& row : FindAll(table, "state:open", sort, 2))
      ids.push_back(row.instance.value * 10 + row.run.value);
    return ids;
  };
  EXPECT_EQ(found(""), (Ids{11, 12, 50'007}));
  EXPECT_EQ(found("created"), (Ids{50'007, 12, 11}));
  EXPECT_EQ(found("due"), (Ids{50'007, 12, 11})) << "what is never due comes last";
  EXPECT_EQ(found("-due"), (Ids{12, 50'007, 11}));
  EXPECT_EQ(found("-priority"), (Ids{12, 11, 50'007}));
  EXPECT_EQ(found("priority"), (Ids{50'007, 11, 12}));
}

TEST(Sort, OfRowsOfOneMomentGivesTheLatestFirst) {
  Instances table;
  for (uint64_t id = 1; id <= 3'000; ++id) {
    InstanceRow row{.id = InstanceId(id), .definition = "order", .status = "running"};
    row.started = TimeUs(7);
    table.Put(row);
  }
  table.Write();
  EXPECT_EQ(IdsOf(table.Find("", 3)->rows), (Ids{3'000, 2'999, 2'998}));
  EXPECT_EQ(IdsOf(table.Find("", 3, "", "started")->rows), (Ids{1, 2, 3}));
  const Ids all = IdsOf(FindAll(table, "", "", 700));
  EXPECT_THAT(all, SizeIs(3'000));
  EXPECT_TRUE(std::ranges::is_sorted(all, std::greater()));
}

TEST(Sort, TakesNoCursorOfAnotherCourse) {
  Instances table;
  for (uint64_t id = 1; id <= 9; ++id) {
    InstanceRow row{.id = InstanceId(id), .definition = "order", .status = "running"};
    row.started = TimeUs(static_cast<int64_t>(id));
    table.Put(row);
  }
  table.Write();
  const ViewReader reader = table.Read();
  SearchRequest request{.query = {}, .sort = {}, .cursor = {}, .limit = 3, .now = table.now};
  const auto now = Find<InstanceRow>(reader, request);
  request.course = "as of 20";
  const auto then = Find<InstanceRow>(reader, request);
  request.cursor = then->next;
  EXPECT_TRUE(Find<InstanceRow>(reader, request).has_value());
  request.cursor = now->next;
  EXPECT_EQ(Find<InstanceRow>(reader, request).error().code, ErrorCode::kInvalidInput);
  request.course.clear();
  EXPECT_TRUE(Find<InstanceRow>(reader, request).has_value());
  request.cursor = then->next;
  EXPECT_THAT(Find<InstanceRow>(reader, request).error().message, HasSubstr("moment or table"));
}

TEST(Sort, ByWhatDoesNotSortNamesWhatDoes) {
  Instances table;
  const auto page = table.Find("", 5, "", "-tag");
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(page.error().message,
              HasSubstr("status, definition, key, ended, duration, priority but found \"-tag\""));
}

TEST(Sort, ThatHasToLookAtTooMuchSaysSo) {
  // In each of many blocks one row fits, and is last in the order.
  Instances table;
  for (uint64_t block = 0; block < kMaxPageKeys; ++block) {
    InstanceRow row{.id = InstanceId(block << 10 | 1), .definition = "a", .status = "completed"};
    row.started = TimeUs(1);
    row.ended = TimeUs(9);
    table.Put(row);
    row.id = InstanceId(block << 10 | 2);
    row.ended = TimeUs(5);
    row.tags = {"rare"};
    table.Put(row);
  }
  table.Write();
  EXPECT_THAT(table.Find("tag:rare", 50)->rows, SizeIs(50));
  std::string cursor;
  std::string error;
  for (int page = 0; page < 5 && error.empty(); ++page) {
    const auto found = table.Find("tag:rare", 50, cursor, "-duration");
    if (!found.has_value()) {
      error = found.error().ToString();
    } else {
      EXPECT_LE(found->keys_touched, kMaxPageKeys + 5);
      cursor = found->next;
    }
  }
  EXPECT_THAT(error, AllOf(HasSubstr("STL0002"), HasSubstr("sort by started")));
}

}  // namespace
}  // namespace stele::projections
