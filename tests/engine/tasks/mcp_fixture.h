// What the tests of mcp steps share: attempts against the test server, and what it noted.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/tasks/mcp.h"
#include "task_harness.h"

namespace stele::tasks {

inline std::string McpServerFile() {
  return std::string(STELE_SOURCE_DIR) + "/tests/engine/tasks/mcp_server.py";
}

class Mcp : public testing::Test {
 protected:
  Mcp() {
    signal(SIGPIPE, SIG_DFL);  // nobody else sees to it
    if (std::system("python3 -c '' >/dev/null 2>&1") != 0) has_python_ = false;
    options_.program.base_directory = place_.path();
    const char* path = std::getenv("PATH");
    options_.program.environment = {{"PATH", path == nullptr ? "/usr/bin:/bin" : path}};
    // Ample, so that a busy machine changes no result.
    options_.limits.input_grace_us = 60'000'000;
    options_.limits.goodbye_us = 60'000'000;
  }
  void SetUp() override {
    if (!has_python_) GTEST_SKIP() << "there is no python3 for the server";
  }

  TaskResult Start(TaskRequest request) {
    auto executor = MakeMcpExecutor(loop_.get(), client_, options_);
    return RunToEnd(loop_, *executor, std::move(request));
  }
  std::string Notes() const { return place_.Read("notes"); }
  std::vector<std::string> NotedLines() const {
    std::istringstream lines(Notes());
    std::vector<std::string> noted;
    for (std::string line; std::getline(lines, line);) noted.push_back(line);
    return noted;
  }
  void WaitUntilNoted(std::string_view text) {
    loop_.RunUntil([&] { return Notes().contains(text); });
  }

  // Starts the attempt, cancels it when the server has noted `noted`, waits until it has stopped.
  void CancelWhenNoted(TaskRequest request, std::string_view noted) {
    auto executor = MakeMcpExecutor(loop_.get(), client_, options_);
    AttemptKey key = request.key;
    executor->Start(std::move(request),
                    [](TaskResult) { ADD_FAILURE() << "a cancelled attempt answered"; });
    WaitUntilNoted(noted);
    bool stopped = false;
    executor->Cancel(key, [&stopped] { stopped = true; });
    loop_.RunUntil([&stopped] { return stopped; });
  }

  TemporaryDirectory place_;
  bool has_python_ = true;
  TestLoop loop_;
  std::shared_ptr<HttpClient> client_ = std::make_shared<HttpClient>(loop_.get());
  McpOptions options_;
};

}  // namespace stele::tasks
