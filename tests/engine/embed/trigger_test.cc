#include <stdexcept>
#include <thread>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

class Hand final : public Trigger {
 public:
  struct Held {
    Fire fire;
    int started = 0;
    int stopped = 0;
  };
  explicit Hand(std::shared_ptr<Held> held, bool throws = false)
      : held_(std::move(held)), throws_(throws) {}
  void Start(Fire fire) override {
    ++held_->started;
    held_->fire = std::move(fire);
    if (throws_) throw std::runtime_error("cannot watch");
  }
  void Stop() override { ++held_->stopped; }

 private:
  std::shared_ptr<Held> held_;
  bool throws_;
};

class EmbedTrigger : public EmbedTest {
 protected:
  void SetUp() override {
    Open();
    Register("hello", kEcho);
  }
  // A trigger of the type "tag", and the way to fire it once the engine goes on.
  std::shared_ptr<Hand::Held> Add(uint64_t* number = nullptr) {
    auto held = std::make_shared<Hand::Held>();
    const uint64_t id = Get(engine_->RegisterTrigger("hello", "tag", R"({"branch": "main"})",
                                                     std::make_unique<Hand>(held)));
    if (number != nullptr) *number = id;
    return held;
  }
};

TEST_F(EmbedTrigger, StartsWithContinueAndStopsWithTheEngine) {
  const auto held = Add();
  EXPECT_EQ(held->started, 0);
  Get(engine_->Continue());
  EXPECT_EQ(held->started, 1);
  EXPECT_EQ(held->stopped, 0);
  engine_.reset();
  EXPECT_EQ(held->started, 1);
  EXPECT_EQ(held->stopped, 1);
  EXPECT_EQ(CodeOf(held->fire("k", "{}")), "STL0601");
}

TEST_F(EmbedTrigger, FiresOnceForEachKey) {
  const auto held = Add();
  Get(engine_->Continue());
  const uint64_t first = Get(held->fire("v1", R"({"text": "v1"})"));
  const uint64_t second = Get(held->fire("v2", R"({"text": "v2"})"));
  EXPECT_NE(first, second);
  EXPECT_EQ(Get(held->fire("v1", R"({"text": "other"})")), first);
  const Instance ended = End(first);
  EXPECT_EQ(JsonMember(ended.input, "text"), "v1");
  ASSERT_EQ(ended.tags.size(), 1u);
  EXPECT_EQ(ended.tags[0], "trigger:1");
  End(second);
  EXPECT_EQ(Get(engine_->Query()).size(), 2u);
}

TEST_F(EmbedTrigger, ManyThreadsFireOneKey) {
  const auto held = Add();
  Get(engine_->Continue());
  std::vector<std::thread> threads;
  std::vector<uint64_t> ids(8);
  for (size_t i = 0; i < ids.size(); ++i)
    threads.emplace_back([&, i] { ids[i] = held->fire("k", R"({"text": ""})").value_or(0); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ids, std::vector<uint64_t>(8, ids[0]));
  EXPECT_NE(ids[0], 0u);
  EXPECT_EQ(Get(engine_->Query()).size(), 1u);
}

TEST_F(EmbedTrigger, IsTheSameAfterARestartAndRemembersItsKeys) {
  uint64_t number = 0, again = 0;
  const auto held = Add(&number);
  Get(engine_->Continue());
  const uint64_t id = Get(held->fire("v1", R"({"text": ""})"));
  End(id);
  Reopen();
  const auto later = Add(&again);
  EXPECT_EQ(again, number);
  Get(engine_->Continue());
  EXPECT_EQ(Get(later->fire("v1", "{}")), id);
  EXPECT_EQ(Get(engine_->Query()).size(), 1u);
}

TEST_F(EmbedTrigger, RefusesWhatIsWrong) {
  const auto held = Add();
  Get(engine_->Continue());
  EXPECT_EQ(CodeOf(held->fire("", "{}")), "STL0406");
  EXPECT_EQ(CodeOf(held->fire("k", "[]")), "STL0406");
  EXPECT_EQ(CodeOf(engine_->RegisterTrigger("hello", "tag", R"({"branch": "main"})",
                                            std::make_unique<Hand>(held))),
            "STL0410");
  EXPECT_EQ(CodeOf(engine_->RegisterTrigger("nothing", "tag", "", std::make_unique<Hand>(held))),
            "STL0407");
  EXPECT_EQ(CodeOf(engine_->RegisterTrigger("hello", "tag", "3", std::make_unique<Hand>(held))),
            "STL0406");
  EXPECT_EQ(CodeOf(engine_->RegisterTrigger("hello", "tag", "", nullptr)), "STL0406");
  EXPECT_TRUE(Get(engine_->Query()).empty());
}

TEST_F(EmbedTrigger, ThatIsRegisteredLateStartsAtOnceAndMayThrow) {
  Get(engine_->Continue());
  auto held = std::make_shared<Hand::Held>();
  Get(engine_->RegisterTrigger("hello", "tag", "", std::make_unique<Hand>(held, true)));
  EXPECT_EQ(held->started, 1);
  ASSERT_EQ(problems().size(), 1u);
  EXPECT_NE(problems()[0].find("cannot watch"), std::string::npos);
  EXPECT_EQ(End(Get(held->fire("k", R"({"text": ""})"))).status, "completed");
}

}  // namespace
}  // namespace stele::embed
