// Containers, with a script in the place of docker and podman; the real docker where it works.
#include "engine/tasks/container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "program_stand_in.h"

namespace stele::tasks {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Container : public Programs {
 protected:
  TaskResult Start(TaskRequest request) {
    auto executor = MakeContainerExecutor(loop_.get(), options_);
    return RunToEnd(loop_, *executor, std::move(request));
  }
  TaskResult Run(std::string_view config, Value input = Object()) {
    return Start(Attempt(Json(config), std::move(input)));
  }
  // The name of the container that was run.
  std::string Name() const {
    for (const std::string& argument : Arguments("run")) {
      if (argument.starts_with("--name=")) return argument.substr(7);
    }
    return "";
  }
};

TEST_F(Container, HasTheOutputOfAScript) {
  Install("docker");
  Do("run", R"(echo '{"built": true}'; echo to-the-log >&2; echo tag=v1 >> "$shared/outputs")");
  TaskResult result = Run(R"({"image":"alpine","command":["build"]})");
  Value output = Output(result);
  EXPECT_EQ(At(output, "exit_code"), Value(0));
  EXPECT_EQ(At(output, "stdout"), Value(R"({"built": true})"));
  EXPECT_EQ(At(output, "result"), Json(R"({"built":true})"));
  EXPECT_EQ(At(output, "tag"), Value("v1"));
  EXPECT_THAT(result.log.text, HasSubstr("to-the-log"));
  EXPECT_FALSE(WasCalled("rm"));
  EXPECT_TRUE(ScratchIsEmpty());
}

TEST_F(Container, IsNamedAndLabelledAfterItsAttempt) {
  Install("docker");
  Run(R"({"image":"alpine"})");
  EXPECT_THAT(Name(), StartsWith("stele-42-7-1-"));
  EXPECT_THAT(Arguments("run"),
              testing::IsSupersetOf({"--label=stele.instance=42", "--label=stele.run=7",
                                     "--label=stele.attempt=1", "alpine"}));
  std::string first = Name();
  Run(R"({"image":"alpine"})");
  EXPECT_NE(Name(), first) << "two engines may have the same attempt";
}

TEST_F(Container, ReadsItsInputFromTheSharedDirectory) {
  Install("docker");
  Do("run", R"(cat "$shared/input.json"; stat -c ' %a' "$shared")");
  Value output = Output(Run(R"({"image":"alpine"})", Object{{"a", 1}}));
  EXPECT_EQ(At(output, "stdout"), Value(R"({"a":1} 777)"));
}

TEST_F(Container, KeepsValuesOfVariablesOffTheCommandLine) {
  Install("docker");
  Do("run",
     R"(for a in "$@"; do case "$a" in --env-file=*) stat -c %a "${a#*=}"; cat "${a#*=}";; esac; done)");
  TaskRequest request =
      Attempt(Json(R"({"image":"alpine","environment":{"TOKEN":"hunter2!","HOME":"/hunter2!"}})"));
  request.secrets = {"hunter2!"};
  Value output = Output(Start(std::move(request)));
  EXPECT_THAT(Arguments("run"), Contains("--env=TOKEN"));
  EXPECT_THAT(Noted("run", "arguments"), Not(HasSubstr("hunter2!")));
  EXPECT_THAT(Environment("run"),
              AllOf(Contains("TOKEN=hunter2!"), Contains("HOME=" + place_.path())));
  EXPECT_EQ(At(output, "stdout"), Value("600\nHOME=/***"));
}

TEST_F(Container, FailsWithTheExitCodeOfItsProgram) {
  Install("docker");
  Do("run", "echo no such order >&2; exit 3");
  TaskFailure failure = Failure(Run(R"({"image":"alpine"})"));
  EXPECT_EQ(failure.kind, "exit");
  EXPECT_EQ(failure.message, "Expected exit code 0 but found 3: no such order");
  EXPECT_EQ(At(failure.details.value(), "exit_code"), Value(3));
}

TEST_F(Container, SaysWhenTheClientCouldNotRunIt) {
  Install("podman");
  Do("run", "echo 'Error: no such image' >&2; exit 125");
  TaskFailure failure = Failure(Run(R"({"image":"nowhere/nothing"})"));
  EXPECT_EQ(failure.kind, "container");
  EXPECT_TRUE(failure.retryable);
  EXPECT_EQ(failure.message,
            "Expected podman to run the image nowhere/nothing but found: Error: no such image");
}

TEST_F(Container, IsUnavailableWithoutAClient) {
  TaskFailure failure = Failure(Run(R"({"image":"alpine"})"));
  EXPECT_EQ(failure.kind, "unavailable");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(failure.message, "Expected docker or podman on PATH but found neither");
  Install("podman");
  failure = Failure(Run(R"({"image":"alpine","runtime":"docker"})"));
  EXPECT_EQ(failure.message, "Expected docker on PATH but found no such program");
}

TEST_F(Container, TakesTheRuntimeThatIsAskedForOrTheFirst) {
  Install("docker");
  Install("podman");
  Run(R"({"image":"alpine"})");
  EXPECT_EQ(Noted("run", "program"), "docker\n");
  Run(R"({"image":"alpine","runtime":"podman"})");
  EXPECT_EQ(Noted("run", "program"), "podman\n");
  Run(R"({"image":"alpine","executor":"podman"})");
  EXPECT_EQ(Noted("run", "program"), "podman\n");
}

TEST_F(Container, IsRemovedWhenItsTimeIsOver) {
  Install("docker");
  Do("run", "exec sleep 1000");
  TaskFailure failure = Failure(Run(R"({"image":"alpine","timeout":"20ms"})"));
  EXPECT_EQ(failure.kind, "timeout");
  EXPECT_THAT(failure.message, HasSubstr("the container to end within 0.02 s"));
  EXPECT_THAT(Arguments("rm"), ElementsAre("rm", "--force", StartsWith("stele-42-7-1-")));
  EXPECT_TRUE(IsGone("run"));
  EXPECT_TRUE(ScratchIsEmpty());
}

TEST_F(Container, IsRemovedWhenItsClientIsKilled) {
  Install("docker");
  Do("run", "kill -KILL $$");
  EXPECT_EQ(Failure(Run(R"({"image":"alpine"})")).kind, "exit");
  EXPECT_THAT(Arguments("rm"), ElementsAre("rm", "--force", Name()));
}

TEST_F(Container, IsRemovedWhenItIsCancelled) {
  Install("docker");
  // It does not listen to SIGTERM.
  options_.kill_grace_us = 10'000;
  Do("run", "trap '' TERM; while true; do sleep 1000; done");
  auto executor = MakeContainerExecutor(loop_.get(), options_);
  CancelWhenCalled(*executor, Attempt(Json(R"({"image":"alpine"})")), "run");
  EXPECT_THAT(Arguments("rm"), ElementsAre("rm", "--force", Name()));
  EXPECT_TRUE(ScratchIsEmpty());
}

TEST_F(Container, SaysWhenItCouldNotBeRemoved) {
  Install("docker");
  Do("run", "exec sleep 1000");
  Do("rm", "echo 'the daemon is gone' >&2; exit 1");
  TaskResult result = Run(R"({"image":"alpine","timeout":"20ms"})");
  EXPECT_THAT(Failure(result).message, HasSubstr("could not be removed"));
  EXPECT_THAT(result.log.text, HasSubstr("but found: the daemon is gone"));
}

TEST_F(Container, ThatWasGoneAlreadyIsNoFault) {
  Install("docker");
  Do("run", "exec sleep 1000");
  Do("rm", "echo 'Error: No such container: x' >&2; exit 1");
  TaskResult result = Run(R"({"image":"alpine","timeout":"20ms"})");
  EXPECT_THAT(Failure(result).message, Not(HasSubstr("removed")));
}

TEST_F(Container, IsRemovedWhenTheExecutorIsDestroyed) {
  Install("docker");
  Do("run", "exec sleep 1000");
  auto executor = MakeContainerExecutor(loop_.get(), options_);
  executor->Start(Attempt(Json(R"({"image":"alpine"})")),
                  [](TaskResult) { ADD_FAILURE() << "it answered"; });
  loop_.RunUntil([&] { return WasCalled("run"); });
  executor.reset();
  EXPECT_TRUE(IsGone("run"));
  loop_.RunUntil([&] { return WasCalled("rm"); });
  EXPECT_THAT(Arguments("rm"), ElementsAre("rm", "--force", Name()));
}

TEST_F(Container, ShowsFaultsOfItsConfigurationBeforeAnythingRuns) {
  Install("docker");
  auto executor = MakeContainerExecutor(loop_.get(), options_);
  EXPECT_THAT(executor->CheckConfig(Json(R"({"image":"-v"})")), testing::SizeIs(1));
  EXPECT_THAT(executor->CheckConfig(Json(R"({"image":"{{input.image}}"})")), testing::IsEmpty());
  EXPECT_EQ(Failure(Run(R"({"image":"-v"})")).kind, "config");
  EXPECT_FALSE(WasCalled("run"));
}

TEST_F(Container, RunsInTheRealDocker) {
  if (std::system("timeout 10 docker info >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "`docker info` fails: there is no docker, or its daemon does not answer";
  }
  if (std::system("docker image inspect alpine >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "docker has no image alpine, and tests fetch nothing";
  }
  options_ = ContainerOptionsFromProcess(options_.base_directory);
  Value output = Output(Run(
      R"({"image":"alpine","pull":"never","network":"none","command":"echo $COLOR; echo a=b >> $STELE_OUTPUTS",
          "environment":{"COLOR":"blue"}})"));
  EXPECT_EQ(At(output, "stdout"), Value("blue"));
  EXPECT_EQ(At(output, "a"), Value("b"));
}

}  // namespace
}  // namespace stele::tasks
