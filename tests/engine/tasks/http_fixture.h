// A loop and a client for the tests of tasks that speak HTTP.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "engine/tasks/http.h"
#include "http_server.h"
#include "task_harness.h"

namespace stele::tasks {

class Http : public testing::Test {
 protected:
  // A configuration of the URL and more members.
  static Value Config(std::string url, std::string_view more = "{}") {
    Value config = Json(more);
    config.as_object().Set("url", std::move(url));
    return config;
  }
  TaskResult Run(Value config, Value input = Object()) {
    return Start(Attempt(std::move(config), std::move(input)));
  }
  TaskResult Start(TaskRequest request) {
    auto executor = MakeHttpExecutor(client_, options_);
    return RunToEnd(loop_, *executor, std::move(request));
  }

  TestLoop loop_;
  std::shared_ptr<HttpClient> client_ = std::make_shared<HttpClient>(loop_.get());
  HttpOptions options_;
};

}  // namespace stele::tasks
