#include <atomic>
#include <set>
#include <thread>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

class EmbedStart : public EmbedTest {
 protected:
  void SetUp() override {
    Open();
    Register("hello", kEcho, "outputs: {said: '{{steps.say.output.text}}'}\n");
    Register("rest", kRest, "variables: {n: 1, m: 2}\n");
    Get(engine_->Continue());
  }
};

TEST_F(EmbedStart, RunsToItsEndWithInputAndOutput) {
  const uint64_t id =
      Get(engine_->Start({.definition = "hello", .input = JsonObject({{"text", "Grüße"}})}));
  const Instance ended = End(id);
  EXPECT_EQ(ended.status, "completed");
  EXPECT_EQ(ended.definition, "hello");
  EXPECT_EQ(ended.version, 1u);
  EXPECT_EQ(JsonMember(ended.output, "said"), "Grüße");
  EXPECT_EQ(JsonMember(ended.input, "text"), "Grüße");
  EXPECT_GE(ended.ended_us, ended.started_us);
}

TEST_F(EmbedStart, KeepsWhatTheRequestSays) {
  const uint64_t id = Get(engine_->Start({.definition = "rest",
                                          .variables = JsonObject({{"n", 7}}),
                                          .business_key = "order-1",
                                          .tags = {"blue", "big"},
                                          .priority = 5,
                                          .paused = true}));
  const Instance instance = Get(engine_->GetStatus(id));
  EXPECT_EQ(instance.status, "paused");
  EXPECT_EQ(instance.business_key, "order-1");
  EXPECT_EQ(instance.tags, (std::vector<std::string>{"blue", "big"}));
  EXPECT_EQ(instance.priority, 5);
  EXPECT_EQ(JsonMember(instance.variables, "n"), "7");
  EXPECT_EQ(JsonMember(instance.variables, "m"), "2");
  ASSERT_EQ(instance.waits.size(), 1u);
  EXPECT_EQ(instance.waits[0].what, "resume");
  EXPECT_FALSE(instance.ended());
}

TEST_F(EmbedStart, IsRefusedWithACodeForWhatCannotBe) {
  EXPECT_EQ(CodeOf(engine_->Start({.definition = "unknown"})), "STL0407");
  EXPECT_EQ(CodeOf(engine_->Start({.definition = "hello", .version = 9})), "STL0407");
  EXPECT_EQ(CodeOf(engine_->Start({.definition = "hello", .input = "{"})), "STL0001");
  EXPECT_EQ(CodeOf(engine_->Start({.definition = "hello", .input = "[1]"})), "STL0406");
  EXPECT_EQ(CodeOf(engine_->Start({.definition = "hello", .variables = "3"})), "STL0406");
}

TEST_F(EmbedStart, GivesTheSameInstanceForAnIdempotencyKeyAlsoAfterARestart) {
  const uint64_t first = Get(engine_->Start({.definition = "rest", .idempotency_key = "k"}));
  EXPECT_EQ(Get(engine_->Start({.definition = "rest", .idempotency_key = "k"})), first);
  Reopen();
  EXPECT_EQ(Get(engine_->Start({.definition = "rest", .idempotency_key = "k"})), first);
  EXPECT_NE(Get(engine_->Start({.definition = "rest", .idempotency_key = "l"})), first);
}

TEST_F(EmbedStart, RefusesABusinessKeyThatMustBeUniqueAndIsTaken) {
  const StartRequest request{.definition = "rest", .business_key = "A-1", .unique = true};
  const uint64_t id = Get(engine_->Start(request));
  EXPECT_EQ(CodeOf(engine_->Start(request)), "STL0410");
  Do(engine_->Terminate(id));
  End(id);
  EXPECT_EQ(CodeOf(engine_->Start(request)), "");
}

TEST_F(EmbedStart, HasADeadline) {
  // Long ago: it is over as soon as it begins.
  const uint64_t id = Get(engine_->Start({.definition = "rest", .deadline_us = 1}));
  EXPECT_EQ(End(id).status, "failed");
}

TEST_F(EmbedStart, AnswersOnTheLoopWhenAskedTo) {
  Gate gate;
  Result<uint64_t> started = 0;
  std::string wait_code;
  engine_->StartAsync({.definition = "hello", .input = R"({"text": "x"})"},
                      [&](Result<uint64_t> id) {
                        started = id;
                        wait_code = CodeOf(engine_->Wait(*id, kLong));
                        gate.Open();
                      });
  gate.Wait();
  EXPECT_EQ(End(Get(started)).status, "completed");
  EXPECT_EQ(wait_code, "STL0604");
}

TEST_F(EmbedStart, TellsTheAnswerOfARefusalToo) {
  Gate gate;
  std::string code;
  engine_->StartAsync({.definition = "unknown"}, [&](const Result<uint64_t>& id) {
    code = CodeOf(id);
    gate.Open();
  });
  gate.Wait();
  EXPECT_EQ(code, "STL0407");
}

TEST_F(EmbedStart, ManyThreadsStartAndWaitAtOnce) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<uint64_t> ids;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string text = std::to_string(t) + "/" + std::to_string(i);
        const Result<uint64_t> id =
            engine_->Start({.definition = "hello", .input = JsonObject({{"text", text}})});
        const Result<Instance> ended = engine_->Wait(id.value_or(0), kLong);
        if (!ended.has_value() || JsonMember(ended->output, "said") != text) ++wrong;
        const std::lock_guard lock(mutex);
        ids.insert(id.value_or(0));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ids.size(), 160u);
}

TEST_F(EmbedStart, WaitGivesTheInstanceAsItIsWhenTheTimeIsUp) {
  const uint64_t id = Start("rest");
  const Instance instance = Get(engine_->Wait(id, std::chrono::milliseconds(1)));
  EXPECT_FALSE(instance.ended());
  EXPECT_EQ(instance.status, "running");
  // A waiter that went does not spoil it for the next.
  Do(engine_->Terminate(id));
  EXPECT_EQ(End(id).status, "terminated");
  EXPECT_EQ(Get(engine_->Wait(id, std::chrono::microseconds::max())).status, "terminated");
}

TEST_F(EmbedStart, SeveralWaitForOneEnd) {
  const uint64_t id = Start("rest");
  std::atomic<int> ended = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      if (engine_->Wait(id, kLong)->status == "terminated") ++ended;
    });
  Do(engine_->Terminate(id));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, 4);
}

TEST_F(EmbedStart, WaitAndStatusRefuseAnUnknownInstance) {
  EXPECT_EQ(CodeOf(engine_->Wait(99, kLong)), "STL0401");
  EXPECT_EQ(CodeOf(engine_->GetStatus(99)), "STL0401");
  EXPECT_EQ(CodeOf(engine_->GetStatus(0)), "STL0401");
  EXPECT_EQ(CodeOf(engine_->History(99)), "STL0401");
}

TEST_F(EmbedStart, QueryFindsByStatusDefinitionKeyAndTag) {
  const uint64_t hello =
      Get(engine_->Start({.definition = "hello", .input = R"({"text": ""})", .tags = {"a"}}));
  End(hello);
  const uint64_t rest = Get(engine_->Start({.definition = "rest", .business_key = "B"}));
  const uint64_t held = Get(engine_->Start({.definition = "rest", .paused = true}));
  const auto ids = [&](const Filter& filter) {
    std::vector<uint64_t> found;
    for (const Instance& instance : Get(engine_->Query(filter))) found.push_back(instance.id);
    return found;
  };
  EXPECT_EQ(ids({}), (std::vector{held, rest, hello}));
  EXPECT_EQ(ids({.status = "completed"}), std::vector{hello});
  EXPECT_EQ(ids({.status = "paused"}), std::vector{held});
  EXPECT_EQ(ids({.definition = "rest"}), (std::vector{held, rest}));
  EXPECT_EQ(ids({.business_key = "B"}), std::vector{rest});
  EXPECT_EQ(ids({.tag = "a"}), std::vector{hello});
  EXPECT_EQ(ids({.limit = 2}), (std::vector{held, rest}));
}

TEST_F(EmbedStart, HistoryIsALineForEachEvent) {
  const uint64_t id = Get(engine_->Start({.definition = "hello", .input = R"({"text": "x"})"}));
  End(id);
  const std::string history = Get(engine_->History(id));
  const std::string first = history.substr(0, history.find('\n'));
  EXPECT_EQ(JsonMember(first, "event"), "instance_started");
  EXPECT_EQ(JsonMember(first, "seq"), "1");
  EXPECT_EQ(JsonMember(first, "actor"), "program");
  EXPECT_NE(history.find("\"step\":\"say\""), std::string::npos) << history;
  EXPECT_NE(history.find("instance_completed"), std::string::npos);
  EXPECT_EQ(history.back(), '\n');
}

}  // namespace
}  // namespace stele::embed
