// Workers that are programs: real ones, in Python and for the shell.
#include "engine/tasks/worker_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>

#include "engine/tasks/loop_clock.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class WorkerProgram : public testing::Test {
 protected:
  WorkerProgram() { signal(SIGPIPE, SIG_DFL); }  // nobody else sees to it
  ~WorkerProgram() override { process_.reset(); }

  WorkerProcessOptions Options(std::string command) {
    WorkerProcessOptions options = WorkerProcessOptions::ForCommand(std::move(command), {"test"});
    options.restart_us = 1000;
    options.max_restart_us = 4000;
    // Ample, so that a busy machine changes no result.
    options.input_grace_us = 60'000'000;
    options.kill_grace_us = 60'000'000;
    options.note = [this](std::string_view note) { notes_.emplace_back(note); };
    return options;
  }
  WorkerProcessOptions Python() {
    return Options("exec python3 " + std::string(STELE_SOURCE_DIR) +
                   "/tests/engine/tasks/worker.py " + place_.path() + "/notes");
  }
  void Begin(WorkerProcessOptions options) {
    process_ = std::make_unique<WorkerProcess>(loop_.get(), pool_.get(), std::move(options));
  }
  // Starts without waiting for the end; the result goes to `results_`.
  void Give(uint32_t attempt, Value config, std::vector<std::string> secrets = {}) {
    TaskRequest request = Attempt(std::move(config), Object{{"n", 1}}, attempt);
    request.secrets = std::move(secrets);
    executor_->Start(std::move(request), [this, attempt](TaskResult result) {
      results_.emplace(attempt, std::move(result));
    });
  }
  TaskResult Run(Value config) {
    const auto attempt = static_cast<uint32_t>(results_.size() + 1);
    Give(attempt, std::move(config));
    return Await(attempt);
  }
  TaskResult Await(uint32_t attempt) {
    loop_.RunUntil([&] { return results_.contains(attempt); });
    return results_.contains(attempt) ? results_.at(attempt) : TaskResult{};
  }
  void AwaitNote(std::string_view text) {
    loop_.RunUntil([&] {
      return std::ranges::any_of(notes_, [&](const auto& note) { return note.contains(text); });
    });
  }
  void End() {
    bool ended = false;
    process_->End([&] { ended = true; });
    loop_.RunUntil([&] { return ended; });
  }
  // What the worker wrote down that it was told.
  std::string Told() const { return place_.Read("notes"); }

  TemporaryDirectory place_;
  TestLoop loop_;
  LoopClock clock_;
  std::shared_ptr<WorkerPool> pool_ = std::make_shared<WorkerPool>(loop_.get(), &clock_);
  std::unique_ptr<TaskExecutor> executor_ = WorkerPool::MakeExecutor(pool_);
  std::vector<std::string> notes_;
  std::map<uint32_t, TaskResult> results_;
  std::unique_ptr<WorkerProcess> process_;
};

TEST_F(WorkerProgram, IsHandedTasksOneAfterAnother) {
  Begin(Python());
  const Value first = Output(Run(Object()));
  const Value second = Output(Run(Object()));
  EXPECT_EQ(At(first, "key"), Value("42-7-1"));
  EXPECT_EQ(At(first, "n"), Value(1));
  EXPECT_EQ(At(second, "key"), Value("42-7-2"));
  EXPECT_EQ(At(first, "pid"), At(second, "pid"));
  EXPECT_EQ(Failure(Run(Object{{"do", "fail"}})).kind, "full");
}

TEST_F(WorkerProgram, HoldsAsManyAtOnceAsItHasSlots) {
  WorkerProcessOptions options = Python();
  options.slots = 2;
  Begin(std::move(options));
  for (uint32_t attempt : {1, 2, 3}) Give(attempt, Object{{"do", "nothing"}});
  EXPECT_EQ(pool_->figures().leased_by_type["test"], 2u);
  EXPECT_EQ(pool_->figures().queued_by_type["test"], 1u);
}

TEST_F(WorkerProgram, EndsInOrderWithItsInput) {
  Begin(Python());
  Output(Run(Object()));
  EXPECT_TRUE(pool_->MayRun("test"));
  End();
  EXPECT_THAT(Told(), HasSubstr("end of input\n"));
  EXPECT_FALSE(pool_->MayRun("test"));
  EXPECT_EQ(pool_->figures().workers, 0u);
}

TEST_F(WorkerProgram, IsKilledWhenItDoesNotMindTheEndOfItsInput) {
  WorkerProcessOptions options =
      Options("trap '' TERM; echo deaf >&2; while :; do sleep 0.01; done");
  options.input_grace_us = 1000;
  options.kill_grace_us = 1000;
  Begin(std::move(options));
  AwaitNote("deaf");
  End();
  EXPECT_EQ(pool_->figures().workers, 0u);
}

TEST_F(WorkerProgram, ThatDiesLosesItsTaskToTheNext) {
  Begin(Python());
  TaskResult result = Run(Object{{"do", "die once"}, {"mark", place_.path() + "/mark"}});
  EXPECT_EQ(At(Output(result), "key"), Value("42-7-1")) << "the same idempotency key";
  EXPECT_THAT(result.log.text, HasSubstr("signal 9"));
  EXPECT_THAT(notes_, Contains(HasSubstr("signal 9")));
  EXPECT_EQ(pool_->figures().lost, 1u);
}

TEST_F(WorkerProgram, ATaskThatKillsWorkerAfterWorkerFails) {
  Begin(Python());
  const TaskFailure failure = Failure(Run(Object{{"do", "die"}}));
  EXPECT_EQ(failure.kind, "worker_lost");
  EXPECT_TRUE(failure.retryable);
  Output(Run(Object()));
}

TEST_F(WorkerProgram, BadLinesAreToldAndHarmNobody) {
  WorkerProcessOptions options = Python();
  options.max_line_bytes = 1000;
  Begin(std::move(options));
  const std::string line = R"({"message":"complete","lease":12345})";
  Output(Run(Object{{"say", Array{"good morning", R"({"message":"sing","lease":LEASE})",
                                  std::string(2000, 'x'), Value(line)}}}));
  EXPECT_THAT(notes_, ElementsAre(StartsWith("worker \"test\": line 1: Expected"),
                                  AllOf(HasSubstr("line 2: Expected"), HasSubstr("found \"sing\"")),
                                  HasSubstr("line 3: Expected a line of at most 1000 bytes")));
  // Told to the worker as well; the answer to a lease that it never had to it alone.
  loop_.RunUntil([&] { return Told().contains("\"line\":4"); });
  EXPECT_THAT(Told(), HasSubstr(R"({"message":"refused","line":2,"reason":"STL0406: Expected)"));
  EXPECT_THAT(Told(), HasSubstr(R"({"message":"refused","line":4,"reason":"STL0404: Expected)"));
}

TEST_F(WorkerProgram, ACancelledTaskIsOverWhenItSaysSo) {
  Begin(Python());
  Give(1, Object{{"do", "nothing"}});
  loop_.RunUntil([&] { return Told().contains("42-7-1"); });
  bool stopped = false;
  executor_->Cancel(Attempt(Object()).key, [&] { stopped = true; });
  EXPECT_FALSE(stopped);
  loop_.RunUntil([&] { return stopped; });
  EXPECT_TRUE(results_.empty());
  Give(2, Object());
  Output(Await(2));
}

TEST_F(WorkerProgram, ThatHangsIsEndedWithItsLease) {
  WorkerProcessOptions options = Python();
  options.lease_us = 20'000;
  options.kill_grace_us = 1000;
  Begin(std::move(options));
  // Once each program has said a word, so that it is its silence that ends the lease.
  Give(1, Object{{"do", "hang"}, {"say", Array{R"({"message":"heartbeat","lease":LEASE})"}}});
  EXPECT_EQ(Failure(Await(1)).kind, "worker_lost");
  EXPECT_THAT(notes_, Contains(HasSubstr("did not renew its lease")));
  EXPECT_THAT(Told(), HasSubstr("42-7-1"));
}

// Python takes longer than that to start.
TEST_F(WorkerProgram, ItsLeaseDoesNotCountItsStart) {
  WorkerProcessOptions options = Python();
  options.lease_us = 1000;
  Begin(std::move(options));
  Output(Run(Object()));
  EXPECT_EQ(pool_->figures().lost, 0u);
}

TEST_F(WorkerProgram, GetsNoTaskForItsLastWords) {
  // An answer without a line end, and nobody is there any more.
  WorkerProcessOptions options = Options(
      "read -r task; lease=${task#*lease??}; lease=${lease%%,*}; "
      "printf '{\"message\":\"complete\",\"lease\":%s,\"output\":{}}' \"$lease\"");
  Begin(std::move(options));
  Give(1, Object());
  Give(2, Object());
  Output(Await(1));
  TaskResult second = Await(2);
  Output(second);
  EXPECT_THAT(second.log.text, Not(HasSubstr("was lost")));
  EXPECT_EQ(pool_->figures().lost, 0u);
}

TEST_F(WorkerProgram, ItsErrorStreamIsTheLogOfItsOnlyTask) {
  Begin(Python());
  // It holds the task until its end, by which all that it printed has been read.
  Give(1, Object{{"print", "using hunter2!"}, {"do", "die"}}, {"hunter2!"});
  EXPECT_THAT(Await(1).log.text, HasSubstr("using ***\n"));
  EXPECT_THAT(notes_, Not(Contains(HasSubstr("using"))));
}

TEST_F(WorkerProgram, ItsErrorStreamIsTheEnginesOtherwise) {
  Begin(Options("echo ready >&2; cat >/dev/null"));
  AwaitNote("worker \"test\": ready");
}

TEST_F(WorkerProgram, IsGivenUpWhenItNeverSaysAnything) {
  WorkerProcessOptions options = Options("exit 3");
  options.max_starts = 3;
  bool given_up = false;
  options.on_given_up = [&] { given_up = true; };
  Begin(std::move(options));
  EXPECT_TRUE(pool_->MayRun("test"));
  loop_.RunUntil([&] { return given_up; });
  EXPECT_FALSE(pool_->MayRun("test"));
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("exit code 3; it is started again in 1 ms"),
                                  HasSubstr("exit code 3; it is started again in 2 ms"),
                                  HasSubstr("3 times in vain and is given up")));
}

TEST_F(WorkerProgram, ThatCannotBeStartedIsGivenUpAsWell) {
  WorkerProcessOptions options = Options("");
  options.program.program = place_.path() + "/none";
  options.max_starts = 2;
  bool given_up = false;
  options.on_given_up = [&] { given_up = true; };
  Begin(std::move(options));
  loop_.RunUntil([&] { return given_up; });
  EXPECT_THAT(notes_, Contains(HasSubstr("could not be started")));
}

TEST_F(WorkerProgram, ThatLeavesFinishesAndIsStartedAgain) {
  Begin(Python());
  const Value first = Output(Run(Object{{"say", Array{R"({"message":"leave"})"}}}));
  const Value second = Output(Run(Object()));
  EXPECT_NE(At(first, "pid"), At(second, "pid"));
  EXPECT_EQ(pool_->figures().lost, 0u);
}

TEST_F(WorkerProgram, SeesTheEnvironmentWithoutTheEnginesOwn) {
  setenv("STELE_SECRET_TEST", "hidden", 1);
  setenv("WORKER_TEST", "seen", 1);
  Begin(Options("echo \"<$WORKER_TEST$STELE_SECRET_TEST>\" >&2; cat >/dev/null"));
  AwaitNote("<seen>");
  unsetenv("STELE_SECRET_TEST");
  unsetenv("WORKER_TEST");
}

}  // namespace
}  // namespace stele::tasks
