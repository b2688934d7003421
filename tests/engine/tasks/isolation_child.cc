// The engine that dies in isolation_test.cc: starts a script and waits to be killed.
//
//   isolation_child WORKSPACE SCRATCH CONFIG
#include <uv.h>

#include <string>

#include "base/json.h"
#include "engine/tasks/script.h"

int main(int argc, char** argv) {
  using namespace stele;
  if (argc != 4) return 2;
  const Result<Value> config = ParseJson(argv[3]);
  if (!config) return 2;
  uv_loop_t loop;
  uv_loop_init(&loop);
  tasks::ScriptOptions options = tasks::ScriptOptions::FromProcess(argv[1]);
  options.scratch_root = argv[2];
  const auto executor = tasks::MakeScriptExecutor(&loop, options);
  tasks::TaskRequest request;
  request.key = {InstanceId(1), RunId(1), 1};
  request.step_id = "a-step";
  request.config = *config;
  request.input = Object();
  executor->Start(std::move(request), [](const tasks::TaskResult&) {});
  return uv_run(&loop, UV_RUN_DEFAULT);
}
