// Subscribers that begin in the past, that are slow, that leave.
#include <atomic>
#include <thread>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

using Place = std::pair<uint64_t, uint32_t>;

class EmbedSubscription : public EmbedTest {
 protected:
  void SetUp() override {
    Open();
    Register("hello", kEcho);
    Register("rest", kRest);
  }
  uint64_t Hello() { return Get(engine_->Start({.definition = "hello", .input = kInput})); }
  // The whole log as one subscriber of the beginning is told it at the stop. The engine has stopped
  // then.
  std::vector<Place> WholeLog() {
    std::vector<Place> places;
    engine_.reset();
    Open();
    Get(engine_->Subscribe({.from = 1}, [&](const Event& event) {
      places.emplace_back(event.position, event.ordinal);
    }));
    Do(engine_->Stop());
    return places;
  }
  static std::vector<Place> PlacesOf(const std::vector<Event>& events) {
    std::vector<Place> places;
    for (const Event& event : events) places.emplace_back(event.position, event.ordinal);
    return places;
  }
  static constexpr const char* kInput = R"({"text": "x"})";
};

TEST_F(EmbedSubscription, GoesFromThePastToThePresentWithoutGapOrRepetition) {
  for (int i = 0; i < 200; ++i) Hello();
  std::vector<Event> seen;
  Gate caught_up;
  Get(engine_->Subscribe({.from = 1}, [&](const Event& event) {
    seen.push_back(event);
    if (seen.size() == 300) caught_up.Open();
  }));
  // More is written while it reads what was there.
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) Hello();
    });
  caught_up.Wait();
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 50; ++i) Hello();
  Do(engine_->Stop());
  const std::vector<Place> told = PlacesOf(seen);
  const std::vector<Place> log = WholeLog();
  ASSERT_GE(told.size(), 1'000u);
  // What was written at the stop's end comes behind what the subscriber could be told.
  ASSERT_LE(told.size(), log.size());
  EXPECT_EQ(told, std::vector<Place>(log.begin(), log.begin() + static_cast<long>(told.size())));
  for (const Event& event : seen) {
    if (event.name == "step_activated") {
      EXPECT_EQ(JsonMember(event.json, "step"), "say");
    }
  }
}

TEST_F(EmbedSubscription, GoesOnWhereAnEarlierOneWas) {
  Gate half;
  std::vector<Event> first;
  const uint64_t number = Get(engine_->Subscribe({.from = 1}, [&](const Event& event) {
    first.push_back(event);
    if (first.size() == 20) half.Open();
  }));
  for (int i = 0; i < 20; ++i) End(Hello());
  half.Wait();
  Do(engine_->Unsubscribe(number));
  const Place last{first.back().position, first.back().ordinal};
  for (int i = 0; i < 5; ++i) End(Hello());
  engine_.reset();
  Open();
  std::vector<Place> both = PlacesOf(first);
  Get(engine_->Subscribe({.from = last.first}, [&](const Event& event) {
    const Place place{event.position, event.ordinal};
    if (place > last) both.push_back(place);
  }));
  Do(engine_->Stop());
  EXPECT_EQ(both, WholeLog());
}

TEST_F(EmbedSubscription, OfOneInstanceIsItsHistory) {
  const uint64_t id = Get(engine_->Start({.definition = "rest"}));
  for (int i = 0; i < 20; ++i) Hello();
  Do(engine_->Pause(id));
  std::string lines;
  Gate resumed;
  Get(engine_->Subscribe({.instance = id, .from = 1}, [&](const Event& event) {
    EXPECT_EQ(event.instance, id);
    lines += event.name + "\n";
    if (event.name == "instance_resumed") resumed.Open();
  }));
  Do(engine_->Resume(id));
  resumed.Wait();
  const std::string history = Get(engine_->History(id));
  Do(engine_->Stop());
  std::string expected;
  for (size_t at = 0; at < history.size();) {
    const size_t end = history.find('\n', at);
    expected += *JsonMember(history.substr(at, end - at), "event") + "\n";
    at = end + 1;
  }
  EXPECT_EQ(lines.substr(0, expected.size()), expected);
}

TEST_F(EmbedSubscription, KnowsStepsOfInstancesThatBeganBefore) {
  const uint64_t id = Get(engine_->Start({.definition = "rest"}));
  engine_.reset();
  Open();
  Get(engine_->Continue());
  std::string ended;
  Gate gate;
  Get(engine_->Subscribe(0, [&](const Event& event) {
    if (event.name != "step_cancelled" && event.name != "instance_cancelled") return;
    ended += event.name + " " + JsonMember(event.json, "step").value_or("") + "\n";
    if (event.name == "instance_cancelled") gate.Open();
  }));
  Do(engine_->Cancel(id));
  gate.Wait();
  EXPECT_EQ(Get(engine_->GetStatus(id)).status, "cancelled");
}

TEST_F(EmbedSubscription, ASlowOneHoldsUpNobody) {
  Gate open;
  std::vector<Place> slow;
  Get(engine_->Subscribe(0, [&](const Event& event) {
    open.Wait();
    slow.emplace_back(event.position, event.ordinal);
  }));
  std::vector<Place> quick;
  Gate all;
  std::atomic<int> ends = 0;
  Get(engine_->Subscribe(0, [&](const Event& event) {
    quick.emplace_back(event.position, event.ordinal);
    if (event.name == "instance_completed" && ++ends == 500) all.Open();
  }));
  std::vector<uint64_t> ids;
  for (int i = 0; i < 500; ++i) ids.push_back(Hello());
  for (const uint64_t id : ids) EXPECT_EQ(End(id).status, "completed");
  all.Wait();
  EXPECT_TRUE(slow.empty());
  open.Open();
  Do(engine_->Stop());
  EXPECT_GE(slow.size(), 1'500u);
  EXPECT_EQ(slow, quick);
}

TEST_F(EmbedSubscription, OneThatIsTooFarBehindAtTheStopIsLeftThere) {
  engine_.reset();
  Open({.plugin_backlog = 10});
  for (int i = 0; i < 50; ++i) Hello();
  Gate began, open;
  std::vector<uint64_t> positions;
  Get(engine_->Subscribe({.from = 1}, [&](const Event& event) {
    began.Open();
    open.Wait();
    positions.push_back(event.position);
  }));
  began.Wait();
  std::thread stopping([&] { Do(engine_->Stop()); });
  // Every other call is refused from when the stop has begun.
  while (engine_->Definitions().has_value()) std::this_thread::yield();
  open.Open();
  stopping.join();
  EXPECT_LT(positions.back(), 50u);
  ASSERT_EQ(problems().size(), 1u);
  EXPECT_NE(problems()[0].find("behind"), std::string::npos) << problems()[0];
}

TEST_F(EmbedSubscription, MayCallTheEngineAndLeaveFromInside) {
  std::vector<uint64_t> started;
  std::atomic<uint64_t> number = 0;
  Gate known, done;
  std::string stop_code;
  number = Get(engine_->Subscribe(0, [&](const Event& event) {
    known.Wait();
    if (event.name != "instance_completed") return;
    stop_code = CodeOf(engine_->Stop());
    const uint64_t next = Hello();
    EXPECT_EQ(End(next).status, "completed");
    started.push_back(next);
    if (started.size() < 3) return;
    Do(engine_->Unsubscribe(number));
    done.Open();
  }));
  known.Open();
  Hello();
  done.Wait();
  End(Hello());
  EXPECT_EQ(CodeOf(engine_->Unsubscribe(number)), "STL0406");
  Do(engine_->Stop());
  EXPECT_EQ(started.size(), 3u);
  EXPECT_EQ(stop_code, "STL0604");
}

TEST_F(EmbedSubscription, UnsubscribeWaitsForTheCallThatRuns) {
  Gate began, open;
  std::atomic<bool> over = false;
  const uint64_t number = Get(engine_->Subscribe(0, [&](const Event&) {
    began.Open();
    open.Wait();
    over = true;
  }));
  Hello();
  began.Wait();
  std::thread opening([&] { open.Open(); });
  Do(engine_->Unsubscribe(number));
  EXPECT_TRUE(over);
  opening.join();
}

TEST_F(EmbedSubscription, TwoMayEndOneAnother) {
  std::atomic<uint64_t> a = 0, b = 0;
  Gate known;
  std::atomic<int> ended = 0;
  a = Get(engine_->Subscribe(0, [&](const Event&) {
    known.Wait();
    if (engine_->Unsubscribe(b).has_value()) ++ended;
  }));
  b = Get(engine_->Subscribe(0, [&](const Event&) {
    known.Wait();
    if (engine_->Unsubscribe(a).has_value()) ++ended;
  }));
  known.Open();
  End(Hello());
  Do(engine_->Stop());
  EXPECT_GE(ended, 1);
  EXPECT_LE(ended, 2);
}

TEST_F(EmbedSubscription, ManyComeAndGoWhileMuchHappens) {
  std::atomic<bool> over = false;
  std::thread working([&] {
    while (!over) Hello();
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 30; ++i) {
        Gate one;
        uint64_t last = 0;
        const uint64_t number = Get(engine_->Subscribe({.from = 1}, [&](const Event& event) {
          EXPECT_GE(event.position, last);
          last = event.position;
          one.Open();
        }));
        one.Wait();
        Do(engine_->Unsubscribe(number));
      }
    });
  for (std::thread& thread : threads) thread.join();
  over = true;
  working.join();
}

TEST_F(EmbedSubscription, RefusesAPositionThatTheLogHasNotReached) {
  EXPECT_EQ(CodeOf(engine_->Subscribe({.from = 1'000'000}, [](const Event&) {})), "STL0406");
  EXPECT_EQ(CodeOf(engine_->Subscribe({.instance = 99, .from = 1}, [](const Event&) {})),
            "STL0401");
}

}  // namespace
}  // namespace stele::embed
