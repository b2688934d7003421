// Searches: what a query finds, page by page, against a plain look at every row.
#include "projections/search.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <random>

#include "projections/views/instance_row.h"
#include "tests/projections/search_rows.h"

namespace stele::projections {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Ids = std::vector<uint64_t>;
using Instances = TestTable<InstanceRow>;

constexpr int64_t kHourUs = 3'600'000'000;
constexpr int64_t kStart = 1'699'920'000'000'000;  // 2023-11-14, midnight

InstanceRow Row(uint64_t id) {
  return {.id = InstanceId(id),
          .definition = "order",
          .version = 1,
          .status = "running",
          .started = TimeUs(kStart + static_cast<int64_t>(id) * kHourUs)};
}

Ids IdsOf(const std::vector<InstanceRow>& rows) {
  Ids ids;
  for (const InstanceRow& row : rows) ids.push_back(row.id.value);
  return ids;
}

// All pages of a query, in order.
Ids FindAll(const Instances& table, std::string_view query, size_t limit = 50,
            std::string_view sort = "") {
  Ids ids;
  std::string cursor;
  do {
    const auto page = table.Find(query, limit, cursor, sort);
    if (!page.has_value()) {
      ADD_FAILURE() << query << ": " << page.error().message;
      return ids;
    }
    EXPECT_LE(page->rows.size(), limit);
    std::ranges::copy(IdsOf(page->rows), std::back_inserter(ids));
    cursor = page->next;
  } while (!cursor.empty());
  return ids;
}

std::string ErrorOf(const Instances& table, std::string_view query, std::string_view cursor = "",
                    std::string_view sort = "") {
  const auto page = table.Find(query, 5, cursor, sort);
  return page.has_value() ? "none" : page.error().ToString();
}

TEST(Search, FindsByEveryKindOfField) {
  Instances table;
  InstanceRow one = Row(1);
  one.status = "failed";
  one.tags = {"eu", "vip"};
  one.error_kind = "http";
  one.error_message = "Connection refused: api.example.com";
  one.ended = one.started.Plus(90'000'000);
  InstanceRow two = Row(2);
  two.definition = "order-express";
  two.version = 3;
  two.business_key = "A-17";
  two.priority = 5;
  two.deadline = table.now.Plus(kHourUs);
  two.variables = {{.name = "customer", .value = "42"}, {.name = "total", .value = "9.5"}};
  InstanceRow three = Row(3);
  three.definition = "invoice";
  three.parent = InstanceId(2);
  three.priority = -1;
  three.trigger = TriggerId(4);
  three.steps = {{.run = RunId(1), .id = "review", .label = "review[0]"}};
  three.variables = {{.name = "customer", .value = "7", .is_input = true}};
  for (const InstanceRow& row : {one, two, three}) table.Put(row);
  table.Write();
  const std::vector<std::pair<std::string_view, Ids>> cases = {
      {"", {3, 2, 1}},
      {"status:failed", {1}},
      {"status:failed,running", {3, 2, 1}},
      {"-status:failed", {3, 2}},
      {"-status:failed,r*", {}},
      {"status!=completed,paused", {3, 2, 1}},
      {"-status:*", {}},
      {"definition:order", {1}},
      {"definition:order*", {2, 1}},
      {"definition:order*,inv*", {3, 2, 1}},
      {"-definition:order*", {3}},
      {"version:3", {2}},
      {"version>1", {2}},
      {"key:A-17", {2}},
      {"key:*", {2}},
      {"tag:vip tag:eu", {1}},
      {"tag!=vip", {3, 2}},
      {"parent:2", {3}},
      {"priority:-1", {3}},
      {"priority>=0", {2, 1}},
      {"priority<5 priority>-1", {1}},
      {"var.customer=42", {2}},
      {"var.customer=4*", {2}},
      {"var.customer:*", {2}},
      {"var.total>9", {2}},
      {"-var.total>9", {3, 1}},
      {"var.total<=9", {}},
      {"input.customer:7", {3}},
      {"error:http", {1}},
      {"refused", {1}},
      {"REFUSED connection", {1}},
      {"\"refused api\"", {1}},
      {"refuse", {}},
      {"refuse*", {1}},
      {"-refused", {3, 2}},
      {"refused,17", {2, 1}},
      {"text:\"api refused\",nothing", {1}},
      {"has:error", {1}},
      {"has:deadline,parent", {3, 2}},
      {"-has:key", {3, 1}},
      {"step:review", {3}},
      {"trigger:4", {3}},
      {"id:2", {2}},
      {"id:3,1,99", {3, 1}},
      {"-id:2", {3, 1}},
      {"id:2 status:failed", {}},
      {"ended>2023-01-01", {1}},
      {"-ended>2023-01-01", {3, 2}},
      {"duration>60s", {3, 2, 1}},
      {"duration<=90s", {1}},
      {"duration<90s", {}},
      {"deadline<+2h", {2}},
      {"deadline<now", {}},
      {"started:2023-11-14", {3, 2, 1}},
      {"started:2023-11-15", {}},
      {"started>2023-11-14T01:00:00Z", {3, 2}},
      {"started>=2023-11-14T01:00:00Z started<2023-11-14T03:00:00Z", {2, 1}},
      {"started<2023-11-14", {}},
      {"started>2023-11-14", {}},
      {"started<=2023-11-14", {3, 2, 1}},
      {"-started<2023-11-14T02:00:00Z", {3, 2}},
      {"started>2023-11-15 started<2023-11-13", {}},
      {"started:2023-11-13,2023-11-14", {3, 2, 1}},
  };
  for (const auto& [query, ids] : cases) {
    EXPECT_EQ(FindAll(table, query), ids) << query;
    EXPECT_EQ(FindAll(table, query, 1), ids) << query;
    EXPECT_EQ(FindAll(table, query, 1, "started"), Ids(ids.rbegin(), ids.rend())) << query;
  }
}

TEST(Search, TakesADurationAsTheMomentThatLongAgo) {
  Instances table;
  for (const uint64_t hours : {1, 23, 25, 48}) {
    InstanceRow row = Row(hours);
    row.started = TimeUs(table.now.value - static_cast<int64_t>(hours) * kHourUs);
    table.Put(row);
  }
  table.Write();
  EXPECT_EQ(FindAll(table, "started>24h"), (Ids{1, 23})) << "since then";
  EXPECT_EQ(FindAll(table, "started<24h"), (Ids{25, 48})) << "before that";
  EXPECT_EQ(FindAll(table, "started>=25h started<2h"), (Ids{23, 25}));
}

TEST(Search, GoesOnFromTheSameMomentOnEveryPage) {
  Instances table;
  for (uint64_t id = 1; id <= 4; ++id) {
    InstanceRow row = Row(id);
    row.started = TimeUs(table.now.value - static_cast<int64_t>(id) * kHourUs);
    table.Put(row);
  }
  table.Write();
  const auto first = table.Find("started>210m", 2);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(IdsOf(first->rows), (Ids{1, 2}));
  table.now = table.now.Plus(kHourUs);  // by now 3 has started more than 210 minutes ago
  const auto second = table.Find("started>210m", 2, first->next);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(IdsOf(second->rows), Ids{3});
  EXPECT_EQ(second->next, "");
}

TEST(Search, OfRowsThatStartedTogetherHasEachOnce) {
  Instances table;
  Ids all;
  for (uint64_t id = 1; id <= 20; ++id) {
    InstanceRow row = Row(id);
    row.started = TimeUs(kStart);
    table.Put(row);
    all.push_back(id);
  }
  table.Write();
  EXPECT_EQ(FindAll(table, "status:running", 3), Ids(all.rbegin(), all.rend()));
  EXPECT_EQ(FindAll(table, "status:running", 3, "started"), all);
}

TEST(Search, HasNoCursorWhenThePageEndsWithTheLastRow) {
  Instances table;
  for (uint64_t id = 1; id <= 4; ++id) table.Put(Row(id));
  table.Write();
  const auto page = table.Find("", 4);
  ASSERT_TRUE(page.has_value());
  EXPECT_THAT(page->rows, SizeIs(4));
  EXPECT_EQ(page->next, "");
  EXPECT_EQ(page->position, Position(1));
}

TEST(Search, GoesOnAlthoughTheRowWhereItStoodIsGone) {
  Instances table;
  for (uint64_t id = 1; id <= 5; ++id) table.Put(Row(id));
  table.Write();
  const auto page = table.Find("status:running", 2);
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(IdsOf(page->rows), (Ids{5, 4}));
  InstanceRow ended = Row(3);
  ended.status = "completed";
  table.Put(ended);
  table.Write();
  const auto next = table.Find("status:running", 2, page->next);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(IdsOf(next->rows), (Ids{2, 1}));
}

// A condition as people write it, and what it means.
struct Meaning {
  std::string text;
  std::function<bool(const InstanceRow&)> holds;
};

std::vector<Meaning> Meanings(TimeUs now) {
  std::vector<Meaning> all;
  for (const std::string status : {"running", "failed", "completed"})
    all.push_back(
        {"status:" + status, [=](const InstanceRow& row) { return row.status == status; }});
  all.push_back({"status:failed,completed", [](const InstanceRow& row) {
                   return row.status == "failed" || row.status == "completed";
                 }});
  for (const std::string tag : {"a", "ab", "b"})
    all.push_back({"tag:" + tag, [=](const InstanceRow& row) {
                     return std::ranges::find(row.tags, tag) != row.tags.end();
                   }});
  all.push_back({"tag:a*", [](const InstanceRow& row) {
                   return std::ranges::any_of(
                       row.tags, [](const std::string& tag) { return tag.starts_with("a"); });
                 }});
  all.push_back({"definition:d1*,d2", [](const InstanceRow& row) {
                   return row.definition.starts_with("d1") || row.definition == "d2";
                 }});
  all.push_back({"priority>3", [](const InstanceRow& row) { return row.priority > 3; }});
  all.push_back({"priority:2", [](const InstanceRow& row) { return row.priority == 2; }});
  all.push_back({"started>20h", [=](const InstanceRow& row) {
                   return row.started.value > now.value - 20 * kHourUs;
                 }});
  all.push_back({"started<=10h", [=](const InstanceRow& row) {
                   return row.started.value <= now.value - 10 * kHourUs;
                 }});
  all.push_back({"has:error", [](const InstanceRow& row) { return !row.error_kind.empty(); }});
  return all;
}

TEST(Search, OfAnyConditionsFindsWhatALookAtEveryRowFinds) {
  Instances table;
  std::mt19937 random(7);
  const auto below = [&](uint32_t n) { return random() % n; };
  std::vector<InstanceRow> rows;
  for (uint64_t id = 1; id <= 500; ++id) {
    InstanceRow row = Row(id);
    row.started = TimeUs(table.now.value - below(40) * kHourUs);
    row.status = std::vector<std::string>{"running", "failed", "completed"}[below(3)];
    for (const std::string tag : {"a", "ab", "b"})
      if (below(4) == 0) row.tags.push_back(tag);
    row.definition = fmt::format("d{}", below(25));
    row.priority = static_cast<int32_t>(below(6));
    if (row.status == "failed") row.error_kind = "http";
    table.Put(row);
    rows.push_back(row);
  }
  table.Write();
  std::ranges::stable_sort(rows, [](const InstanceRow& a, const InstanceRow& b) {
    return a.started != b.started ? a.started > b.started : a.id > b.id;
  });
  const std::vector<Meaning> meanings = Meanings(table.now);
  for (int round = 0; round < 300; ++round) {
    std::string query;
    std::vector<InstanceRow> expected = rows;
    for (uint32_t n = 1 + below(3); n > 0; --n) {
      const Meaning& meaning = meanings[below(static_cast<uint32_t>(meanings.size()))];
      const bool negated = below(4) == 0;
      query += (negated ? " -" : " ") + meaning.text;
      std::erase_if(expected,
                    [&](const InstanceRow& row) { return meaning.holds(row) == negated; });
    }
    Ids ids = IdsOf(expected);
    EXPECT_EQ(FindAll(table, query, 1 + below(60)), ids) << query;
    std::ranges::reverse(ids);
    EXPECT_EQ(FindAll(table, query, 1 + below(60), "started"), ids) << query << " oldest first";
  }
}

TEST(Search, EndsAPageThatReadsTooMuchAndGoesOn) {
  Instances table;
  for (uint64_t id = 1; id <= kMaxPageKeys; ++id) {
    InstanceRow row = Row(id);
    if (id == 1) row.priority = 9;
    table.Put(row);
  }
  table.Write();
  const auto first = table.Find("priority>8");
  ASSERT_TRUE(first.has_value());
  EXPECT_THAT(first->rows, IsEmpty());
  EXPECT_NE(first->next, "");
  EXPECT_LE(first->keys_touched, kMaxPageKeys + 2);
  EXPECT_EQ(FindAll(table, "priority>8"), Ids{1});
}

// Two tags that take turns, and meet once, in the oldest row. `apart`: the distance of ids.
void PutTurns(Instances& table, uint64_t apart) {
  for (uint64_t id = 1; id <= kMaxPageKeys; ++id) {
    InstanceRow row = Row(id);
    row.id = InstanceId(id * apart);
    row.tags = {id % 2 == 0 ? "even" : "odd"};
    if (id == 1) row.tags = {"even", "odd"};
    table.Put(row);
  }
  table.Write();
}

TEST(Search, EndsAPageInTheMiddleOfAJoinAndGoesOn) {
  Instances table;
  PutTurns(table, 1 << 10);  // a row in each block
  const auto first = table.Find("tag:even tag:odd");
  ASSERT_TRUE(first.has_value());
  EXPECT_THAT(first->rows, IsEmpty());
  EXPECT_NE(first->next, "");
  EXPECT_EQ(FindAll(table, "tag:even tag:odd"), Ids{1 << 10});
}

TEST(Search, JoinsBlocksOfRowsAtOnce) {
  Instances table;
  PutTurns(table, 1);
  const auto first = table.Find("tag:even tag:odd");
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(IdsOf(first->rows), Ids{1});
  EXPECT_EQ(first->next, "");
  EXPECT_LE(first->keys_touched, 40u);
}

TEST(Search, AsksForMoreOfAPrefixThatStandsForTooMuch) {
  Instances table;
  for (uint64_t id = 1; id <= kMaxPrefixValues + 1; ++id) {
    InstanceRow row = Row(id);
    row.business_key = fmt::format("A-{:04}", id);
    if (id == 7) row.status = "failed";
    table.Put(row);
  }
  table.Write();
  EXPECT_THAT(ErrorOf(table, "key:A*"),
              AllOf(HasSubstr("STL0002"), HasSubstr("at most 100 values of key that begin with "
                                                    "\"A\"")));
  EXPECT_EQ(FindAll(table, "key:A-000*"), (Ids{9, 8, 7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(FindAll(table, "key:A* status:failed"), Ids{7}) << "another condition leads to rows";
}

TEST(Search, NamesWhatItKnowsOfWhatItDoesNot) {
  Instances table;
  table.Put(Row(1));
  table.Write();
  EXPECT_THAT(ErrorOf(table, "x staus:failed"),
              AllOf(HasSubstr("STL0108"), HasSubstr("at column 3 of the query"),
                    HasSubstr("did you mean status?"), HasSubstr("var.NAME")));
  EXPECT_THAT(ErrorOf(table, "var:x"), HasSubstr("did you mean"));
  EXPECT_THAT(ErrorOf(table, "status:faild"),
              AllOf(HasSubstr("STL0406"), HasSubstr("did you mean failed?")));
  EXPECT_THAT(ErrorOf(table, "status>failed"), HasSubstr("\":\" or \"!=\""));
  EXPECT_THAT(ErrorOf(table, "priority:high"), HasSubstr("an integer"));
  EXPECT_THAT(ErrorOf(table, "priority:1*"), HasSubstr("an integer"));
  EXPECT_THAT(ErrorOf(table, "duration:5s"), HasSubstr("a comparison"));
  EXPECT_THAT(ErrorOf(table, "duration>soon"), HasSubstr("a duration such as 90s"));
  EXPECT_THAT(ErrorOf(table, "started>yesterday"), HasSubstr("a day (2026-01-31)"));
  for (const char* const bare : {"started>2026", "started>1.5", "started>+2", "started>\"3 \""})
    EXPECT_THAT(ErrorOf(table, bare), HasSubstr("a day (2026-01-31)")) << bare;
  EXPECT_THAT(ErrorOf(table, "started:24h"), HasSubstr("a comparison"));
  EXPECT_THAT(ErrorOf(table, "started>2026-02-30"), HasSubstr("a day (2026-01-31)"));
  EXPECT_THAT(ErrorOf(table, "id:x"), HasSubstr("the number of one"));
  EXPECT_THAT(ErrorOf(table, "id:-1"), HasSubstr("the number of one"));
  EXPECT_THAT(ErrorOf(table, "key:\"\""), HasSubstr("a value (-key:* is none) for \"key\""));
  EXPECT_THAT(ErrorOf(table, "var.x>big"), HasSubstr("a number to compare with"));
  EXPECT_THAT(ErrorOf(table, "text:..."), HasSubstr("a word of letters or digits"));
  EXPECT_THAT(ErrorOf(table, "", "", "colour"),
              HasSubstr("-started (the latest first) or started"));
}

TEST(Search, NamesTheColumnOfAValueThatDoesNotFit) {
  Instances table;
  EXPECT_THAT(ErrorOf(table, "tag:a status:failed,failled"),
              HasSubstr("at column 21 of the query but found \"failled\""));
  EXPECT_THAT(ErrorOf(table, "id:1*"), HasSubstr("column 4 of the query but found \"1*\""));
  EXPECT_THAT(ErrorOf(table, "text:*"), HasSubstr("but found \"*\""));
  EXPECT_THAT(ErrorOf(table, "started>soon"), HasSubstr("column 9 of the query"));
  EXPECT_THAT(ErrorOf(table, "started>100000d"), HasSubstr("or now of at most 10 years for"));
  EXPECT_THAT(ErrorOf(table, "duration<1000000d"), HasSubstr("2h of at most 10 years for"));
}

TEST(Search, FindsWhatHasAnyNumberOrMoment) {
  Instances table;
  InstanceRow ended = Row(1);
  ended.ended = ended.started.Plus(kHourUs);
  ended.status = "completed";
  table.Put(ended);
  InstanceRow called = Row(2);
  called.parent = InstanceId(1);
  table.Put(called);
  table.Write();
  EXPECT_EQ(FindAll(table, "ended:*"), Ids{1});
  EXPECT_EQ(FindAll(table, "-ended:*"), Ids{2});
  EXPECT_EQ(FindAll(table, "parent:*"), Ids{2});
  EXPECT_EQ(FindAll(table, "parent:7,*"), Ids{2});
  EXPECT_EQ(FindAll(table, "started:* duration:*"), (Ids{2, 1}));
}

TEST(Search, ReadsMomentsAsPeopleWriteThem) {
  Instances table;
  for (uint64_t id = 1; id <= 4; ++id) table.Put(Row(id));
  table.Write();
  for (const std::string_view two :
       {"2023-11-14T02:00:00Z", "2023-11-14 02:00", "2023-11-14T02:00", "2023-11-14T10:00:00+0800",
        "2023-11-14T10:00+08:00", "2023-11-14T10:00+08", "2023-11-14T02:00:00.0"})
    EXPECT_EQ(FindAll(table, fmt::format("started>\"{}\"", two)), (Ids{4, 3})) << two;
  for (const std::string_view none : {"2023-11-14T02", "2023-11-14T02:00:", "2023-11-14T02:00+8",
                                      "2023-11-14T25:00", "2023-11-14T02:00Zz"})
    EXPECT_THAT(ErrorOf(table, fmt::format("started>\"{}\"", none)), HasSubstr("STL0406")) << none;
}

TEST(Search, NamesAPrefixOfAVariableAsItWasAskedFor) {
  Instances table;
  for (uint64_t id = 1; id <= kMaxPrefixValues + 1; ++id) {
    InstanceRow row = Row(id);
    row.variables = {{.name = "n", .value = fmt::format("1{}", id)}};
    table.Put(row);
  }
  table.Write();
  EXPECT_THAT(ErrorOf(table, "var.n:1*"), HasSubstr("values of \"var.n\" that begin with \"1\""));
}

TEST(Search, TakesNoCursorButItsOwn) {
  Instances table;
  for (uint64_t id = 1; id <= 9; ++id) table.Put(Row(id));
  table.Write();
  const std::string cursor = table.Find("status:running", 3)->next;
  EXPECT_EQ(ErrorOf(table, " status=running ", cursor), "none") << "the same query";
  EXPECT_THAT(ErrorOf(table, "status:failed", cursor), HasSubstr("one of another query"));
  EXPECT_THAT(ErrorOf(table, "status:running", cursor, "started"),
              HasSubstr("one of another query"));
  EXPECT_THAT(ErrorOf(table, "status:running", "abc"), HasSubstr("as the page before gave it"));
  for (size_t at = 0; at < cursor.size(); ++at) {
    std::string damaged = cursor;
    damaged[at] = damaged[at] == '0' ? '1' : '0';
    EXPECT_THAT(ErrorOf(table, "status:running", damaged), HasSubstr("STL0406")) << at;
    EXPECT_THAT(ErrorOf(table, "status:running", cursor.substr(0, at)),
                at == 0 ? HasSubstr("none") : HasSubstr("STL0406"));
  }
}

TEST(Search, RefusesAPageOfNoRowsOrTooMany) {
  Instances table;
  EXPECT_FALSE(table.Find("", 0).has_value());
  EXPECT_TRUE(table.Find("", kMaxPageRows).has_value());
  EXPECT_FALSE(table.Find("", kMaxPageRows + 1).has_value());
}

}  // namespace
}  // namespace stele::projections
