// Scripts that fail, hang, are cancelled, or cannot be started.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>

#include "script_fixture.h"

namespace stele::tasks {
namespace {

using testing::HasSubstr;
using testing::Not;

// Waits until the script has said who it is.
pid_t WaitForPid(TestLoop& loop, const TemporaryDirectory& workspace, const char* file) {
  loop.RunUntil([&] { return workspace.Read(file).ends_with('\n'); });
  return std::atoi(workspace.Read(file).c_str());
}

// Gone, or a zombie that some other process has yet to reap: it runs no more.
bool IsGone(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat(std::istreambuf_iterator<char>(file), {});
  return stat.empty() || stat.substr(stat.rfind(')') + 2, 1) == "Z";
}

void WaitUntilGone(TestLoop& loop, pid_t pid) {
  ASSERT_GT(pid, 0);
  loop.RunUntil([pid] { return IsGone(pid); });
}

TEST_F(Script, FailsWithItsExitCodeAndTheEndOfItsErrors) {
  TaskResult result = Run(R"({"script":"echo first >&2; echo 'no such order' >&2; exit 3"})");
  TaskFailure failure = Failure(result);
  EXPECT_EQ(failure.kind, "exit");
  EXPECT_TRUE(failure.retryable);
  EXPECT_EQ(failure.message, "Expected exit code 0 but found 3: no such order");
  EXPECT_EQ(At(failure.details.value(), "exit_code"), Value(3));
  EXPECT_EQ(At(failure.details.value(), "stderr"), Value("first\nno such order\n"));
}

TEST_F(Script, FailsWithTheSignalThatEndedIt) {
  TaskFailure failure = Failure(Run(R"({"script":"kill -USR1 $$"})"));
  EXPECT_EQ(failure.kind, "exit");
  EXPECT_EQ(At(failure.details.value(), "signal"), Value(SIGUSR1));
  EXPECT_EQ(At(failure.details.value(), "exit_code"), Value(128 + SIGUSR1));
}

TEST_F(Script, ShowsNoSecretInAFailure) {
  TaskRequest request = Attempt(Json(R"({"script":"echo bad hunter2! >&2; exit 1"})"));
  request.secrets = {"hunter2!"};
  TaskFailure failure = Failure(Start(std::move(request)));
  EXPECT_THAT(failure.message, HasSubstr("bad ***"));
  EXPECT_EQ(At(failure.details.value(), "stderr"), Value("bad ***\n"));
}

TEST_F(Script, IsEndedByItsTimeout) {
  TaskFailure failure =
      Failure(Run(R"({"script":"echo started >&2; sleep 600","timeout":"50ms"})"));
  EXPECT_EQ(failure.kind, "timeout");
  EXPECT_TRUE(failure.retryable);
}

TEST_F(Script, IsEndedByTheTimeoutOfItsRequest) {
  TaskRequest request = Attempt(Json(R"({"script":"sleep 600","timeout":"1h"})"));
  request.timeout_us = 50'000;
  EXPECT_EQ(Failure(Start(std::move(request))).kind, "timeout");
}

TEST_F(Script, IsKilledWhenItIgnoresTheTimeout) {
  options_.kill_grace_us = 20'000;
  TaskFailure failure =
      Failure(Run(R"({"script":"trap '' TERM; while :; do sleep 600; done","timeout":"50ms"})"));
  EXPECT_EQ(failure.kind, "timeout");
}

TEST_F(Script, MayCleanUpWhenItsTimeoutElapses) {
  // A timeout that comes before the script is ready says nothing.
  for (int64_t ms = 50; ms < 100'000 && workspace_.Read("ready").empty(); ms *= 4) {
    TaskFailure failure = Failure(Run(fmt::format(
        R"({{"script":"trap 'echo cleaned > $STELE_WORKSPACE/trace; exit 0' TERM; echo 1 > $STELE_WORKSPACE/ready; sleep 600 & wait","timeout":"{}ms"}})",
        ms)));
    EXPECT_EQ(failure.kind, "timeout");
  }
  EXPECT_EQ(workspace_.Read("trace"), "cleaned\n");
}

// What a supervisor leaves to those that it starts, and what a library around the engine may ask
// for.
TEST_F(Script, EndsThoughSomebodyElseTakesItsExitCode) {
  void (*before)(int) = signal(SIGCHLD, SIG_IGN);
  TaskFailure failure = Failure(Run(R"({"script":"echo so far; exit 0"})"));
  signal(SIGCHLD, before);
  EXPECT_EQ(failure.kind, "exit");
  EXPECT_EQ(failure.message,
            "Expected exit code 0 but found one that another part of the process took");
  EXPECT_EQ(failure.details.value().Find("exit_code"), nullptr);
}

TEST_F(Script, IsNotHeldUpByWhatItLeftInTheBackground) {
  Value output = Output(
      Run(R"({"script":"sleep 600 & echo $! > $STELE_WORKSPACE/pid; echo leader is done"})"));
  EXPECT_EQ(At(output, "stdout"), Value("leader is done"));
  TestLoop loop;
  WaitUntilGone(loop, std::atoi(workspace_.Read("pid").c_str()));
}

TEST_F(Script, IsNotHeldUpByADescendantThatLeftItsGroup) {
  if (!Installed("setsid")) GTEST_SKIP() << "setsid is not installed";
  Value output = Output(Run(
      R"({"script":"setsid sh -c 'echo $$ > $STELE_WORKSPACE/pid; exec sleep 600' & while ! test -s $STELE_WORKSPACE/pid; do sleep 0.01; done; echo leader is done"})"));
  EXPECT_EQ(At(output, "stdout"), Value("leader is done"));
  TestLoop loop;
  const pid_t pid = WaitForPid(loop, workspace_, "pid");
  ASSERT_GT(pid, 0);
  EXPECT_EQ(kill(pid, SIGKILL), 0);
}

TEST_F(Script, IsGoneWithItsWholeGroupWhenCancelled) {
  TestLoop loop;
  auto executor = MakeScriptExecutor(loop.get(), options_);
  TaskRequest request =
      Attempt(Json(R"({"script":"sleep 600 & echo $! > $STELE_WORKSPACE/pid; wait"})"));
  AttemptKey key = request.key;
  bool done = false;
  executor->Start(std::move(request), [&done](TaskResult) { done = true; });
  pid_t background = WaitForPid(loop, workspace_, "pid");
  int stopped = 0;
  executor->Cancel(key, [&stopped] { ++stopped; });
  executor->Cancel(key, [&stopped] { ++stopped; });
  EXPECT_EQ(stopped, 0);
  loop.RunUntil([&stopped] { return stopped == 2; });
  WaitUntilGone(loop, background);
  EXPECT_FALSE(done);
  EXPECT_TRUE(scratch_.IsEmpty());
}

TEST_F(Script, CancelsAtOnceWhatDoesNotRun) {
  TestLoop loop;
  auto executor = MakeScriptExecutor(loop.get(), options_);
  bool stopped = false;
  executor->Cancel(AttemptKey{InstanceId(1), RunId(1), 1}, [&stopped] { stopped = true; });
  EXPECT_TRUE(stopped);
}

TEST_F(Script, DiesWithItsExecutor) {
  TestLoop loop;
  auto executor = MakeScriptExecutor(loop.get(), options_);
  bool done = false;
  executor->Start(
      Attempt(Json(R"({"script":"trap '' TERM; echo $$ > $STELE_WORKSPACE/pid; sleep 600"})")),
      [&done](TaskResult) { done = true; });
  pid_t leader = WaitForPid(loop, workspace_, "pid");
  executor.reset();
  EXPECT_EQ(kill(leader, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_FALSE(done);
  EXPECT_TRUE(scratch_.IsEmpty());
}

TEST_F(Script, NamesTheInterpreterThatIsMissing) {
  TemporaryDirectory empty;
  options_.environment[0].second = empty.path();
  TaskFailure failure = Failure(Run(R"({"script":"pass","runtime":"python"})"));
  EXPECT_EQ(failure.kind, "unavailable");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("python3"));
  EXPECT_THAT(failure.message, HasSubstr(empty.path()));
}

TEST_F(Script, FallsBackToShWhereThereIsNoBash) {
  TemporaryDirectory programs;
  std::filesystem::create_symlink("/bin/sh", programs.path() + "/sh");
  options_.environment[0].second = programs.path();
  EXPECT_EQ(At(Output(Run(R"({"script":"echo plain"})")), "stdout"), Value("plain"));
}

TEST_F(Script, NamesTheFileThatIsMissing) {
  TaskFailure failure = Failure(Run(R"({"script":"validate_data.py"})"));
  EXPECT_EQ(failure.kind, "config");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("validate_data.py in " + workspace_.path()));
}

TEST_F(Script, NamesTheWorkingDirectoryThatIsMissing) {
  TaskFailure failure = Failure(Run(R"({"script":"true","working_directory":"nowhere"})"));
  EXPECT_EQ(failure.kind, "config");
  EXPECT_THAT(failure.message, HasSubstr(workspace_.path() + "/nowhere"));
}

TEST_F(Script, FailsWhenTheInterpreterCannotBeExecuted) {
  TemporaryDirectory programs;
  programs.Write("bash", "not a program of any kind");
  std::filesystem::permissions(programs.path() + "/bash", std::filesystem::perms::owner_all);
  options_.environment[0].second = programs.path();
  // Its bytes are those of no program.
  TaskFailure failure = Failure(Run(R"({"script":"true","runtime":"bash"})"));
  EXPECT_EQ(failure.kind, "spawn");
}

TEST_F(Script, FailsForGoodWhenItsConfigurationIsWrong) {
  TaskRequest request = Attempt(Json(R"({"script":"true","tiemout":"hunter2!"})"));
  TaskFailure failure = Failure(Start(std::move(request)));
  EXPECT_EQ(failure.kind, "config");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("`tiemout`"));
}

TEST_F(Script, FailsWhenTheScratchRootIsMissing) {
  options_.scratch_root = "/nonexistent";
  TaskFailure failure = Failure(Run(R"({"script":"true"})"));
  EXPECT_EQ(failure.kind, "io");
  EXPECT_THAT(failure.message, HasSubstr("/nonexistent"));
}

TEST_F(Script, FailsWhenItsOutputsCannotBeRead) {
  TaskFailure failure = Failure(Run(R"({"script":"echo nonsense >> outputs"})"));
  EXPECT_EQ(failure.kind, "outputs");
  EXPECT_THAT(failure.message, HasSubstr("line 1"));
  EXPECT_EQ(Failure(Run(R"({"script":"rm outputs; mkfifo outputs"})")).kind, "outputs");
}

TEST_F(Script, FailsWhenItsOutputsAreTooLong) {
  options_.max_outputs_bytes = 1000;
  TaskFailure failure = Failure(Run(R"({"script":"head -c 1001 /dev/zero > outputs"})"));
  EXPECT_EQ(failure.kind, "output_limit");
  EXPECT_FALSE(failure.retryable);
}

TEST_F(Script, IsInterruptedNotRepeatedByACrash) {
  TestLoop loop;
  EXPECT_FALSE(MakeScriptExecutor(loop.get(), options_)->repeats_after_crash());
}

}  // namespace
}  // namespace stele::tasks
