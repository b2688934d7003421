// A loop of its own for a test, and attempts that are run on it to their end.
#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "base/json.h"
#include "engine/tasks/executor.h"

namespace stele::tasks {

inline Value Json(std::string_view text) {
  Result<Value> value = ParseJson(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(Value());
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "tasks-test-XXXXXX").string();
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    path_ = std::filesystem::canonical(path).string();
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  void Write(std::string_view name, std::string_view text) const {
    std::ofstream(path_ + "/" + std::string(name)) << text;
  }
  std::string Read(std::string_view name) const {
    std::ifstream file(path_ + "/" + std::string(name));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  bool IsEmpty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_;
};

class TestLoop {
 public:
  TestLoop() { uv_loop_init(&loop_); }
  ~TestLoop() {
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0) << "a handle was left open";
  }
  uv_loop_t* get() { return &loop_; }

  // Runs until `condition` holds, which may also look outside the loop: it is asked every
  // millisecond. A test that hangs fails after a minute.
  void RunUntil(const std::function<bool()>& condition) {
    int left = 60'000;
    auto* ticks = new uv_timer_t;
    uv_timer_init(&loop_, ticks);
    ticks->data = &left;
    uv_timer_start(ticks, [](uv_timer_t* timer) { --*static_cast<int*>(timer->data); }, 1, 1);
    while (!condition() && left > 0) uv_run(&loop_, UV_RUN_ONCE);
    EXPECT_GT(left, 0) << "nothing happened for a minute";
    uv_close(reinterpret_cast<uv_handle_t*>(ticks),
             [](uv_handle_t* closed) { delete reinterpret_cast<uv_timer_t*>(closed); });
  }

 private:
  uv_loop_t loop_;
};

inline TaskRequest Attempt(Value config, Value input = Object(), uint32_t attempt = 1) {
  TaskRequest request;
  request.key = AttemptKey{InstanceId(42), RunId(7), attempt};
  request.task_type = "test";
  request.step_id = "a-step";
  request.definition = "a-definition";
  request.config = std::move(config);
  request.input = std::move(input);
  return request;
}

inline TaskResult RunToEnd(TestLoop& loop, TaskExecutor& executor, TaskRequest request) {
  std::optional<TaskResult> result;
  executor.Start(std::move(request), [&result](TaskResult done) {
    EXPECT_FALSE(result.has_value()) << "done was called twice";
    result = std::move(done);
  });
  loop.RunUntil([&result] { return result.has_value(); });
  return result.value_or(TaskResult{std::unexpected(TaskFailure{"hung", "", false, {}}), {}});
}

// The output, or an empty object and a failed test.
inline Value Output(const TaskResult& result) {
  if (!result.outcome) {
    ADD_FAILURE() << result.outcome.error().kind << ": " << result.outcome.error().message << "\n"
                  << result.log.text;
    return Object();
  }
  return result.outcome->value();
}

inline Value At(const Value& object, std::string_view key) {
  const Value* found = object.Find(key);
  if (found == nullptr) ADD_FAILURE() << "no " << key << " in " << ToJson(object);
  return found == nullptr ? Value() : *found;
}

// The failure, or an empty one and a failed test.
inline TaskFailure Failure(const TaskResult& result) {
  if (!result.outcome) return result.outcome.error();
  ADD_FAILURE() << "expected a failure but found " << result.outcome->text();
  return {};
}

}  // namespace stele::tasks
