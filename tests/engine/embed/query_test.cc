// What views answer a program: queries, pages, the past, figures; and that what was written is
// read.
#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

class EmbedQuery : public EmbedTest {
 protected:
  void SetUp() override {
    Open();
    Register("hello", kEcho);
    Register("rest", kRest);
    Register("review", "  - {id: review, type: approval, config: {assignees: [anna]}}\n");
    Get(engine_->Continue());
  }

  std::vector<uint64_t> Ids(const Filter& filter) {
    std::vector<uint64_t> ids;
    for (const Instance& instance : Get(engine_->Query(filter))) ids.push_back(instance.id);
    return ids;
  }
  uint64_t Hello(const std::string& text, const std::string& key = "") {
    const uint64_t id = Get(engine_->Start(
        {.definition = "hello", .input = JsonObject({{"text", text}}), .business_key = key}));
    End(id);
    return id;
  }
};

TEST_F(EmbedQuery, KnowsWhatWasWrittenBeforeIt) {
  uint64_t before = 0;
  for (int i = 0; i < 100; ++i) {
    const Started started = Get(engine_->Start({.definition = "rest"}));
    EXPECT_GT(started.position, before);
    before = started.position;
    const Page<Instance> found =
        Get(engine_->Query({.query = "id:" + std::to_string(started.instance)}));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_GE(found.position, started.position);
    const Written paused = Get(engine_->Pause(started.instance));
    EXPECT_GT(paused.position, started.position);
    EXPECT_EQ(Ids({.query = "status:paused id:" + std::to_string(started.instance)}),
              std::vector{started.instance});
    const Written ended = Get(engine_->Terminate(started.instance));
    EXPECT_GT(ended.position, paused.position);
    EXPECT_EQ(Get(engine_->Query({.status = "terminated", .after = ended.position}))[0].id,
              started.instance);
  }
}

TEST_F(EmbedQuery, OfAnInstanceThatWasSeenToEndSaysSo) {
  for (int i = 0; i < 50; ++i) {
    const uint64_t id = Hello("x");
    EXPECT_EQ(Get(engine_->Query({.limit = 1}))[0].status, "completed");
    EXPECT_EQ(Get(engine_->Query({.limit = 1}))[0].id, id);
  }
}

TEST_F(EmbedQuery, TakesTheSyntaxThatAllQueriesHave) {
  const uint64_t one = Hello("one", "A-1");
  const uint64_t two = Hello("two", "B-2");
  const uint64_t rest = Get(engine_->Start({.definition = "rest", .tags = {"eu"}}));
  EXPECT_EQ(Ids({.query = "input.text:one"}), std::vector{one});
  EXPECT_EQ(Ids({.query = "key:B*"}), std::vector{two});
  EXPECT_EQ(Ids({.query = "definition:he* started>1h"}), (std::vector{two, one}));
  EXPECT_EQ(Ids({.query = "started<1h"}), std::vector<uint64_t>{});
  EXPECT_EQ(Ids({.query = "tag:eu", .open = true}), std::vector{rest});
  EXPECT_EQ(Ids({.query = "tag:eu", .definition = "hello"}), std::vector<uint64_t>{});
  EXPECT_EQ(Ids({.sort = "started"}), (std::vector{one, two, rest}));
  const Instance open = Get(engine_->Query({.query = "step:rest"}))[0];
  EXPECT_EQ(open.status, "running");
  ASSERT_EQ(open.steps.size(), 1u);
  EXPECT_EQ(open.steps[0].label, "rest");
  EXPECT_EQ(open.progress, 0u);
  EXPECT_EQ(Get(engine_->Query({.query = "id:" + std::to_string(one)}))[0].progress, 100u);
}

TEST_F(EmbedQuery, TellsWhatAnInstanceWaitsFor) {
  const uint64_t id = Start("review");
  const Page<Instance> found = Get(engine_->Query({.query = "status:waiting waiting:people"}));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].id, id);
  EXPECT_EQ(found[0].status, "running");
  ASSERT_EQ(found[0].waits.size(), 1u);
  EXPECT_EQ(found[0].waits[0].what, "people");
  EXPECT_EQ(Ids({.status = "running"}), std::vector{id});
}

TEST_F(EmbedQuery, GoesOnFromPageToPage) {
  std::set<uint64_t> started;
  for (int i = 0; i < 25; ++i) started.insert(Start("rest"));
  std::set<uint64_t> found;
  Filter filter{.query = "definition:rest", .limit = 10};
  std::vector<size_t> sizes;
  do {
    const Page<Instance> page = Get(engine_->Query(filter));
    for (const Instance& instance : page) EXPECT_TRUE(found.insert(instance.id).second);
    sizes.push_back(page.size());
    filter.cursor = page.next;
  } while (!filter.cursor.empty());
  EXPECT_EQ(found, started);
  EXPECT_EQ(sizes, (std::vector<size_t>{10, 10, 5}));
}

TEST_F(EmbedQuery, SaysWhatItExpected) {
  const auto said = [&](const Filter& filter) {
    const auto found = engine_->Query(filter);
    return found.has_value() ? "" : found.error().ToString();
  };
  EXPECT_NE(said({.query = "statu:failed"}).find("STL0108"), std::string::npos);
  EXPECT_NE(said({.query = "statu:failed"}).find("status"), std::string::npos);
  EXPECT_NE(said({.status = "asleep"}).find("terminated"), std::string::npos);
  EXPECT_NE(said({.sort = "colour"}).find("started"), std::string::npos);
  EXPECT_NE(said({.cursor = "0123"}).find("STL0406"), std::string::npos);
  EXPECT_NE(said({.limit = 1'001}).find("1000"), std::string::npos);
  EXPECT_NE(said({.query = "status:("}).find("STL"), std::string::npos);
  EXPECT_NE(said({.after = 1'000'000}).find("the end of the log"), std::string::npos);
  EXPECT_NE(said({.as_of = 1'000'000}).find("the end of the log"), std::string::npos);
}

TEST_F(EmbedQuery, ShowsThePast) {
  const Started started = Get(engine_->Start({.definition = "rest"}));
  Get(engine_->Terminate(started));
  EXPECT_EQ(Get(engine_->Query({.as_of = started.position}))[0].status, "running");
  EXPECT_EQ(Ids({.as_of = started.position - 1}), std::vector<uint64_t>{});
  const int64_t at = Get(engine_->GetStatus(started)).started_us;
  EXPECT_EQ(Ids({.as_of_us = at - 1}), std::vector<uint64_t>{});
  EXPECT_EQ(Get(engine_->Query({.as_of_us = at}))[0].id, started.instance);
  const uint64_t review = Start("review");
  const Written approved = Get(engine_->Approve(review, "review", {.by = "anna"}));
  EXPECT_TRUE(Get(engine_->Tasks()).empty());
  EXPECT_EQ(Get(engine_->Tasks({.as_of = approved.position - 1}))[0].instance, review);
  EXPECT_EQ(Get(engine_->Tasks({.query = "state:approved"}))[0].state, "approved");
}

TEST_F(EmbedQuery, KeepsACursorToItsMoment) {
  std::vector<Started> started;
  for (int i = 0; i < 3; ++i) started.push_back(Get(engine_->Start({.definition = "rest"})));
  const uint64_t then = started.back().position;
  const std::string of_now = Get(engine_->Query({.limit = 1})).next;
  const std::string of_then = Get(engine_->Query({.limit = 1, .as_of = then})).next;
  const auto refused = [&](const Filter& filter) {
    const auto found = engine_->Query(filter);
    return !found.has_value() && found.error().ToString().contains("STL0406");
  };
  EXPECT_TRUE(refused({.cursor = of_now, .as_of = then}));
  EXPECT_TRUE(refused({.cursor = of_then}));
  EXPECT_EQ(Ids({.cursor = of_then, .as_of = then}),
            (std::vector{started[1].instance, started[0].instance}));
  // What had not ended then had lasted until then.
  EXPECT_EQ(Ids({.query = "duration>0s", .as_of = started[0].position}), std::vector<uint64_t>{});
}

TEST_F(EmbedQuery, CountsFigures) {
  Hello("a");
  Hello("b");
  const std::string figures = Get(engine_->Statistics({.definition = "hello"}));
  EXPECT_EQ(JsonMember(JsonMember(figures, "counts").value_or(""), "completed"), "2");
  EXPECT_EQ(JsonMember(figures, "success_rate"), "1.0");
  EXPECT_EQ(CodeOf(engine_->Statistics({.definition = "nothing"})), "STL0407");
}

TEST_F(EmbedQuery, TellsHowFarViewsAreBehind) {
  Hello("a");
  EXPECT_EQ(Ids({}).size(), 1u);
  std::set<std::string> names;
  for (const ViewState& view : Get(engine_->Views())) {
    names.insert(view.name);
    EXPECT_TRUE(view.answers);
    EXPECT_EQ(view.failure, "");
    EXPECT_LE(view.lag, 1'000u);
  }
  EXPECT_TRUE(names.contains("instances"));
  EXPECT_TRUE(names.contains("tasks"));
  EXPECT_TRUE(names.contains("statistics"));
}

TEST_F(EmbedQuery, AnswersFromViewsThatWereDeletedOrDamaged) {
  const uint64_t id = Hello("a");
  engine_.reset();
  std::filesystem::remove_all(directory_ + "/views");
  Open();
  EXPECT_EQ(Ids({}), std::vector{id});
  engine_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/views/0"))
    if (entry.path().filename().string().starts_with("MANIFEST"))
      std::ofstream(entry.path(), std::ios::trunc) << "no manifest";
  Open();
  EXPECT_EQ(Ids({}), std::vector{id});
  ASSERT_EQ(problems().size(), 1u);
  EXPECT_NE(problems()[0].find("built anew"), std::string::npos) << problems()[0];
}

TEST_F(EmbedQuery, OfManyThreadsBesideWritersIsAnsweredUntilTheEngineStops) {
  std::atomic<bool> stopped = false;
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      while (!stopped) {
        const auto started = engine_->Start({.definition = "rest"});
        if (!started.has_value()) {
          EXPECT_EQ(started.error().code, "STL0601");
          return;
        }
        const auto found = engine_->Query({.query = "id:" + std::to_string(started->instance)});
        if (!found.has_value()) {
          EXPECT_EQ(found.error().code, "STL0601");
          return;
        }
        EXPECT_EQ(found->size(), 1u);
        ++answered;
      }
    });
  threads.emplace_back([&] {
    while (!stopped && engine_->Views().has_value()) std::this_thread::yield();
  });
  while (answered < 50) std::this_thread::yield();
  Do(engine_->Stop());
  stopped = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(CodeOf(engine_->Tasks()), "STL0601");
  EXPECT_EQ(CodeOf(engine_->Views()), "STL0601");
  EXPECT_EQ(CodeOf(engine_->Statistics()), "STL0601");
}

}  // namespace
}  // namespace stele::embed
