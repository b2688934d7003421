// An engine in a directory of its own, for tests of the public header: they include nothing else of
// the project.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stele/engine.h"

namespace stele::embed {

inline constexpr std::chrono::seconds kLong{60};

class EmbedTest : public testing::Test {
 protected:
  EmbedTest() {
    std::string name = testing::TempDir() + "stele-embed-XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~EmbedTest() override {
    engine_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  // Opens the engine, with the function "echo", which gives back its input.
  void Open(Options options = {}) {
    options.builtin_tasks = false;
    options.on_problem = [this](const std::string& sentence) {
      const std::lock_guard lock(mutex_);
      problems_.push_back(sentence);
    };
    Result<std::unique_ptr<Engine>> opened = Engine::Open(options, directory_);
    ASSERT_TRUE(opened.has_value()) << opened.error().ToString();
    engine_ = *std::move(opened);
    Do(engine_->RegisterFunction("echo",
                                 [](const Attempt& attempt) {
                                   TaskResult result;
                                   result.output = attempt.input;
                                   return result;
                                 },
                                 {.repeats_after_crash = true}));
  }
  void Reopen() {
    engine_.reset();
    Open();
  }

  template <class T>
  static void Do(const Result<T>& status) {
    EXPECT_TRUE(status.has_value()) << status.error().ToString();
  }
  template <class T>
  static T Get(Result<T> result) {
    if (result.has_value()) return *std::move(result);
    ADD_FAILURE() << result.error().ToString();
    return T();
  }
  template <class T>
  static std::string CodeOf(const Result<T>& result) {
    return result.has_value() ? "" : result.error().code;
  }
  // Registers `steps` as the workflow `name`.
  void Register(const std::string& name, const std::string& steps, const std::string& top = "") {
    Get(engine_->RegisterText("version: '1.0'\nname: " + name + "\n" + top + "steps:\n" + steps,
                              name));
  }
  uint64_t Start(const std::string& name) { return Get(engine_->Start({.definition = name})); }
  Instance End(uint64_t id) {
    Instance ended = Get(engine_->Wait(id, kLong));
    EXPECT_TRUE(ended.ended()) << ended.status;
    return ended;
  }
  std::vector<std::string> problems() {
    const std::lock_guard lock(mutex_);
    return problems_;
  }

  std::string directory_;
  std::unique_ptr<Engine> engine_;

 private:
  std::mutex mutex_;
  std::vector<std::string> problems_;
};

// Something that one thread waits for and another brings about.
class Gate {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

inline constexpr const char* kEcho = R"(
  - {id: say, type: "custom:echo", input_mapping: {text: "{{input.text}}"}}
)";
inline constexpr const char* kRest = R"(
  - {id: rest, type: delay, config: {duration: 8h}}
)";

}  // namespace stele::embed
