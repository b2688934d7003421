#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

using EmbedLifecycle = EmbedTest;

TEST_F(EmbedLifecycle, ASecondEngineOfADirectoryIsRefused) {
  Open();
  EXPECT_EQ(CodeOf(Engine::Open({.builtin_tasks = false}, directory_)), "STL0303");
  engine_.reset();
  EXPECT_EQ(CodeOf(Engine::Open({.builtin_tasks = false}, directory_)), "");
}

TEST_F(EmbedLifecycle, MakesNoDirectoryWhenToldSo) {
  EXPECT_EQ(CodeOf(Engine::Open({.create_if_missing = false}, directory_ + "/none")), "STL0306");
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/none"));
}

TEST_F(EmbedLifecycle, OpensWithTheTasksThatComeWithIt) {
  Result<std::unique_ptr<Engine>> engine = Engine::Open({}, directory_);
  ASSERT_TRUE(engine.has_value()) << engine.error().ToString();
  Get((*engine)->RegisterText(R"(version: "1.0"
name: shell
steps:
  - {id: s, type: script, config: {script: "echo hi"}}
  - {id: c, type: call, depends_on: s, config: {workflow: inner}}
)"));
  Get((*engine)->RegisterText(R"(version: "1.0"
name: inner
steps:
  - {id: s, type: script, config: {script: "exit 0"}}
)"));
  const uint64_t id = Get((*engine)->Start({.definition = "shell"}));
  EXPECT_EQ(Get((*engine)->Wait(id, kLong)).status, "completed");
}

TEST_F(EmbedLifecycle, RefusesEverythingAfterStop) {
  Open();
  Register("rest", kRest);
  const uint64_t id = Start("rest");
  Do(engine_->Stop());
  Do(engine_->Stop());
  EXPECT_EQ(CodeOf(engine_->Start({.definition = "rest"})), "STL0601");
  EXPECT_EQ(CodeOf(engine_->Wait(id, kLong)), "STL0601");
  EXPECT_EQ(CodeOf(engine_->GetStatus(id)), "STL0601");
  EXPECT_EQ(CodeOf(engine_->Pause(id)), "STL0601");
  EXPECT_EQ(CodeOf(engine_->Query()), "STL0601");
  EXPECT_EQ(CodeOf(engine_->History(id)), "STL0601");
  EXPECT_EQ(CodeOf(engine_->Publish("a", "b")), "STL0601");
  EXPECT_EQ(CodeOf(engine_->Continue()), "STL0601");
  EXPECT_EQ(CodeOf(engine_->RegisterText("{}")).substr(0, 3), "STL");
}

TEST_F(EmbedLifecycle, InstancesGoOnAfterARestart) {
  Open();
  Register("waits",
           "  - {id: w, type: signal, config: {name: go}}\n"
           "  - {id: s, type: custom:echo, depends_on: w}\n");
  const uint64_t id = Start("waits");
  Reopen();
  EXPECT_EQ(Get(engine_->Continue()), 1u);
  EXPECT_EQ(Get(engine_->GetStatus(id)).status, "running");
  Do(engine_->Signal(id, "go"));
  EXPECT_EQ(End(id).status, "completed");
  Reopen();
  EXPECT_EQ(Get(engine_->Continue()), 0u);
  EXPECT_EQ(Get(engine_->GetStatus(id)).status, "completed");
  EXPECT_EQ(Get(engine_->Wait(id, kLong)).status, "completed");
}

TEST_F(EmbedLifecycle, DestructionIsOrderlyAndAnswersWhoWaits) {
  Open();
  Register("rest", kRest);
  const uint64_t id = Start("rest");
  std::atomic<int> about_to_wait = 0;
  std::vector<std::string> codes(4);
  std::vector<std::thread> waiting;
  for (std::string& code : codes)
    waiting.emplace_back([&, engine = engine_.get()] {
      ++about_to_wait;
      code = CodeOf(engine->Wait(id, kLong));
    });
  while (about_to_wait < 4) std::this_thread::yield();
  Do(engine_->Stop());
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(codes, std::vector<std::string>(4, "STL0601"));
  engine_.reset();
  Open();
  EXPECT_EQ(Get(engine_->Continue()), 1u);
}

TEST_F(EmbedLifecycle, StopWaitsForFunctionsAndTheyRunAgain) {
  Open();
  Gate began;
  std::atomic<int> runs = 0;
  const auto slow = [&](const Attempt& attempt) {
    ++runs;
    began.Open();
    // The second one ends by itself.
    while (runs < 2 && !attempt.cancelled()) std::this_thread::yield();
    return TaskResult().Output("runs", runs.load());
  };
  Do(engine_->RegisterFunction("slow", slow));
  Register("one", "  - {id: s, type: custom:slow}\n");
  const uint64_t id = Start("one");
  began.Wait();
  engine_.reset();
  EXPECT_EQ(runs, 1);
  Open();
  Do(engine_->RegisterFunction("slow", slow));
  EXPECT_EQ(Get(engine_->Continue()), 1u);
  EXPECT_EQ(End(id).status, "completed");
  EXPECT_EQ(runs, 2);
}

TEST_F(EmbedLifecycle, StartsThatRaceWithStopAreAnsweredOneWayOrTheOther) {
  Open();
  Register("rest", kRest);
  std::atomic<uint64_t> started = 0;
  std::atomic<int> wrong = 0, going = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, engine = engine_.get()] {
      for (;;) {
        const Result<uint64_t> id = engine->Start({.definition = "rest"});
        ++going;
        if (id.has_value()) {
          ++started;
        } else {
          if (id.error().code != "STL0601") ++wrong;
          return;
        }
      }
    });
  while (going < 20) std::this_thread::yield();
  Do(engine_->Stop());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  Reopen();
  EXPECT_EQ(Get(engine_->Continue()), started);
}

// What was answered is there after kill -9.
TEST_F(EmbedLifecycle, SurvivesTheDeathOfItsProcess) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Open();
    Register("waits",
             "  - {id: w, type: signal, config: {name: go}}\n"
             "  - {id: s, type: custom:echo, depends_on: w}\n");
    const uint64_t id = Start("waits");
    (void)!write(pipe_ends[1], &id, sizeof id);
    pause();
  }
  close(pipe_ends[1]);
  uint64_t id = 0;
  ASSERT_EQ(read(pipe_ends[0], &id, sizeof id), static_cast<ssize_t>(sizeof id));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(pipe_ends[0]);
  Open();
  EXPECT_EQ(Get(engine_->Continue()), 1u);
  Do(engine_->Signal(id, "go"));
  EXPECT_EQ(End(id).status, "completed");
}

}  // namespace
}  // namespace stele::embed
