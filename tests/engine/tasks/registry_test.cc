#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/tasks/executor.h"
#include "engine/tasks/function_executor.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

TEST(AttemptKey, IsWrittenAsInstanceRunAndAttempt) {
  EXPECT_EQ((AttemptKey{InstanceId(42), RunId(7), 3}.ToString()), "42-7-3");
}

TEST(TaskRegistry, FindsWhatWasRegisteredAndNothingElse) {
  TaskRegistry registry;
  auto executor = std::make_unique<FunctionExecutor>(Always(Payload::FromText("{}")));
  TaskExecutor* expected = executor.get();
  registry.Register("script", std::move(executor));
  registry.Register("http", std::make_unique<FunctionExecutor>(Always(Payload::FromText("{}"))));
  EXPECT_EQ(registry.Find("script"), expected);
  EXPECT_EQ(registry.Find("scrip"), nullptr);
  EXPECT_THAT(registry.types(), testing::ElementsAre("http", "script"));
}

TEST(TaskRegistryDeathTest, StopsWhenATypeIsRegisteredTwice) {
  TaskRegistry registry;
  registry.Register("http", std::make_unique<FunctionExecutor>(Always({})));
  EXPECT_DEATH(registry.Register("http", std::make_unique<FunctionExecutor>(Always({}))),
               "two executors for http");
}

TEST(FunctionExecutor, AnswersWithWhatTheFunctionReturns) {
  TestLoop loop;
  FunctionExecutor executor([](const TaskRequest& request) {
    return TaskResult{Payload::FromValue(Object{{"doubled", At(request.input, "n").as_int() * 2}}),
                      {}};
  });
  TaskResult result = RunToEnd(loop, executor, Attempt(Object(), Object{{"n", 21}}));
  EXPECT_EQ(At(Output(result), "doubled"), Value(42));
}

TEST(FunctionExecutor, IsStoppedAtOnceWhenCancelled) {
  FunctionExecutor executor(Always({}));
  bool stopped = false;
  executor.Cancel(AttemptKey{InstanceId(1), RunId(1), 1}, [&stopped] { stopped = true; });
  EXPECT_TRUE(stopped);
}

}  // namespace
}  // namespace stele::tasks
