// A workspace, a scratch directory and an executor for the tests of scripts.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "engine/tasks/script.h"
#include "task_harness.h"

namespace stele::tasks {

class Script : public testing::Test {
 protected:
  Script() : options_(ScriptOptions::FromProcess(workspace_.path())) {
    options_.scratch_root = scratch_.path();
  }

  TaskResult Start(TaskRequest request) {
    TestLoop loop;
    auto executor = MakeScriptExecutor(loop.get(), options_);
    return RunToEnd(loop, *executor, std::move(request));
  }
  TaskResult Run(std::string_view config, Value input = Object()) {
    return Start(Attempt(Json(config), std::move(input)));
  }

  bool Installed(std::string_view program) const {
    std::string_view path = options_.environment[0].second;
    while (!path.empty()) {
      std::string_view directory = path.substr(0, path.find(':'));
      path.remove_prefix(std::min(path.size(), directory.size() + 1));
      std::string candidate = std::string(directory) + "/" + std::string(program);
      if (access(candidate.c_str(), X_OK) == 0) return true;
    }
    return false;
  }

  TemporaryDirectory workspace_;
  TemporaryDirectory scratch_;
  ScriptOptions options_;
};

}  // namespace stele::tasks
