#include <atomic>
#include <stdexcept>
#include <thread>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

class EmbedExecutor : public EmbedTest {
 protected:
  void SetUp() override { Open(); }
  Instance RunOne(const std::string& steps) {
    Register("one", steps);
    return End(Start("one"));
  }
};

TEST_F(EmbedExecutor, SeesItsAttempt) {
  Attempt seen;
  Do(engine_->RegisterFunction("look", [&](const Attempt& attempt) {
    seen = attempt;
    return TaskResult().Output("n", 1).Output("list", Json::Raw("[true, null]")).Log("hi");
  }));
  const Instance ended =
      RunOne("  - {id: s, type: custom:look, config: {url: u}, input_mapping: {a: '{{1+1}}'}}\n");
  EXPECT_EQ(ended.status, "completed");
  EXPECT_EQ(seen.instance, ended.id);
  EXPECT_EQ(seen.step, "s");
  EXPECT_EQ(seen.task_type, "look");
  EXPECT_EQ(seen.definition, "one");
  EXPECT_EQ(seen.number, 1u);
  EXPECT_FALSE(seen.key.empty());
  EXPECT_EQ(seen.Get("url"), "u");
  EXPECT_EQ(seen.Get("a"), "2");
  EXPECT_EQ(seen.Get("b"), std::nullopt);
  const std::string history = Get(engine_->History(ended.id));
  EXPECT_NE(history.find(R"("output":{"n":1,"list":[true,null]})"), std::string::npos) << history;
  EXPECT_NE(history.find(R"("log":"hi")"), std::string::npos) << history;
}

TEST_F(EmbedExecutor, BelongsToTheTraceThatTheInstanceWasStartedIn) {
  std::vector<std::string> seen;
  Do(engine_->RegisterFunction("look", [&](const Attempt& attempt) {
    seen.push_back(attempt.trace_parent);
    return TaskResult();
  }));
  RunOne("  - {id: s, type: custom:look}\n");
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-";
  End(Get(engine_->Start({.definition = "one", .trace_parent = trace + "00f067aa0ba902b7-01"})));
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0], "") << "there is no trace";
  EXPECT_TRUE(seen[1].starts_with(trace)) << seen[1];
  EXPECT_EQ(seen[1].find("00f067aa0ba902b7"), std::string::npos) << "it has a span of its own";
}

TEST_F(EmbedExecutor, ThatThrowsFailsItsAttempt) {
  Do(engine_->RegisterFunction(
      "throws", [](const Attempt&) -> TaskResult { throw std::runtime_error("no paper"); }));
  Do(engine_->RegisterFunction("odd", [](const Attempt&) -> TaskResult { throw 7; }));
  const Instance ended = RunOne("  - {id: s, type: custom:throws}\n");
  EXPECT_EQ(ended.status, "failed");
  EXPECT_EQ(ended.kind, "exception");
  EXPECT_EQ(ended.message, "no paper");
  EXPECT_EQ(RunOne("  - {id: s, type: custom:odd}\n").kind, "exception");
  EXPECT_EQ(RunOne("  - {id: s, type: custom:echo}\n").status, "completed");
}

TEST_F(EmbedExecutor, FailsAndIsRetriedAsThePolicySays) {
  std::atomic<int> calls = 0;
  Do(engine_->RegisterFunction("flaky", [&](const Attempt& attempt) {
    ++calls;
    return attempt.number < 3 ? TaskResult::Failed("busy", "later") : TaskResult();
  }));
  EXPECT_EQ(RunOne("  - {id: s, type: custom:flaky, retry: {max_attempts: 5, initial_delay: 0s}}\n")
                .status,
            "completed");
  EXPECT_EQ(calls, 3);
  Do(engine_->RegisterFunction("hopeless", [&](const Attempt&) {
    ++calls;
    return TaskResult::Failed("never", "give up", false);
  }));
  EXPECT_EQ(
      RunOne("  - {id: s, type: custom:hopeless, retry: {max_attempts: 5, initial_delay: 0s}}\n")
          .kind,
      "never");
  EXPECT_EQ(calls, 4);
}

TEST_F(EmbedExecutor, OutputMustBeAnObject) {
  Do(engine_->RegisterFunction("list", [](const Attempt&) {
    TaskResult result;
    result.output = "[1]";
    return result;
  }));
  EXPECT_EQ(RunOne("  - {id: s, type: custom:list}\n").kind, "output");
}

TEST_F(EmbedExecutor, HasATypeOfItsOwn) {
  EXPECT_EQ(CodeOf(engine_->RegisterFunction("echo", [](const Attempt&) { return TaskResult(); })),
            "STL0410");
  EXPECT_EQ(CodeOf(engine_->RegisterFunction("x", nullptr)), "STL0406");
  EXPECT_EQ(CodeOf(engine_->RegisterExecutor("y", nullptr)), "STL0406");
}

TEST_F(EmbedExecutor, FunctionsRunSideBySide) {
  Gate left, right;
  Do(engine_->RegisterFunction("left", [&](const Attempt&) {
    left.Open();
    right.Wait();
    return TaskResult();
  }));
  Do(engine_->RegisterFunction("right", [&](const Attempt&) {
    right.Open();
    left.Wait();
    return TaskResult();
  }));
  EXPECT_EQ(RunOne("  - {id: l, type: custom:left, is_parallel: true}\n"
                   "  - {id: r, type: custom:right, is_parallel: true}\n")
                .status,
            "completed");
}

TEST_F(EmbedExecutor, MayCallTheEngineFromItsThread) {
  Do(engine_->RegisterFunction("outer", [&](const Attempt&) {
    const uint64_t inner =
        Get(engine_->Start({.definition = "inner", .input = R"({"text": "t"})"}));
    return TaskResult().Output("inner", Get(engine_->Wait(inner, kLong)).status);
  }));
  Register("inner", kEcho);
  EXPECT_EQ(RunOne("  - {id: s, type: custom:outer}\n").status, "completed");
}

// Keeps what it is given until the test says what becomes of it.
class Keeper final : public AsyncExecutor {
 public:
  struct Kept {
    Gate began;
    Gate cancelled;
    std::mutex mutex;
    std::optional<Completion> completion;
    Completion Take() {
      const std::lock_guard lock(mutex);
      Completion taken = *completion;
      completion.reset();
      return taken;
    }
  };
  explicit Keeper(std::shared_ptr<Kept> kept, bool lets_go)
      : kept_(std::move(kept)), lets_go_(lets_go) {}
  void Start(Attempt, Completion completion) override {
    {
      const std::lock_guard lock(kept_->mutex);
      kept_->completion = std::move(completion);
    }
    kept_->began.Open();
  }
  void Cancel(const std::string&) override {
    if (lets_go_) kept_->Take();
    kept_->cancelled.Open();
  }

 private:
  std::shared_ptr<Kept> kept_;
  bool lets_go_;
};

TEST_F(EmbedExecutor, AnswersLaterFromAnyThread) {
  const auto kept = std::make_shared<Keeper::Kept>();
  Do(engine_->RegisterExecutor("keep", std::make_unique<Keeper>(kept, true)));
  Register("one", "  - {id: s, type: custom:keep}\n");
  const uint64_t id = Start("one");
  kept->began.Wait();
  const Completion completion = kept->Take();
  EXPECT_FALSE(completion.cancelled());
  EXPECT_TRUE(completion.Finish(TaskResult().Output("a", 1)));
  EXPECT_FALSE(completion.Finish(TaskResult::Failed("x", "too late")));
  EXPECT_EQ(End(id).status, "completed");
}

TEST_F(EmbedExecutor, ThatDropsItsCompletionFailsAsAbandoned) {
  const auto kept = std::make_shared<Keeper::Kept>();
  Do(engine_->RegisterExecutor("keep", std::make_unique<Keeper>(kept, true)));
  Register("one", "  - {id: s, type: custom:keep}\n");
  const uint64_t id = Start("one");
  kept->began.Wait();
  kept->Take();
  EXPECT_EQ(End(id).kind, "abandoned");
}

TEST_F(EmbedExecutor, IsToldOfACancelledAttempt) {
  const auto kept = std::make_shared<Keeper::Kept>();
  Do(engine_->RegisterExecutor("keep", std::make_unique<Keeper>(kept, false)));
  Register("one", "  - {id: s, type: custom:keep}\n");
  const uint64_t id = Start("one");
  kept->began.Wait();
  Do(engine_->Cancel(id));
  EXPECT_EQ(End(id).status, "cancelled");
  kept->cancelled.Wait();
  const Completion completion = kept->Take();
  EXPECT_TRUE(completion.cancelled());
  EXPECT_FALSE(completion.Finish(TaskResult()));
}

TEST_F(EmbedExecutor, IsToldWhenItsTimeIsUp) {
  const auto kept = std::make_shared<Keeper::Kept>();
  Do(engine_->RegisterExecutor("keep", std::make_unique<Keeper>(kept, true)));
  const Instance ended = RunOne("  - {id: s, type: custom:keep, timeout: 10ms}\n");
  EXPECT_EQ(ended.kind, "timeout");
}

TEST_F(EmbedExecutor, FunctionSeesThatNobodyWaits) {
  Gate began;
  std::atomic<bool> saw = false;
  Do(engine_->RegisterFunction("patient", [&](const Attempt& attempt) {
    began.Open();
    while (!attempt.cancelled()) std::this_thread::yield();
    saw = true;
    return TaskResult();
  }));
  Register("one", "  - {id: s, type: custom:patient}\n");
  const uint64_t id = Start("one");
  began.Wait();
  Do(engine_->Terminate(id));
  EXPECT_EQ(End(id).status, "terminated");
  Do(engine_->Stop());
  EXPECT_TRUE(saw);
}

}  // namespace
}  // namespace stele::embed
