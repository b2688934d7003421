// `--worker TYPE[,TYPE…]=COMMAND`: programs that do the tasks of an engine of this process.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "engine/tasks/worker_pool.h"
#include "engine/tasks/worker_process.h"

namespace stele::cli {

// What --worker, --worker-slots and --worker-lease ask for.
struct WorkerSpec {
  std::vector<std::string> types;
  std::string command;
  uint32_t slots = 1;
  int64_t lease_us = 0;
};

// kUsage, kInvalidInput: what is no specification.
Result<std::vector<WorkerSpec>> ParseWorkers(const Arguments& arguments);

// The programs of a process, from their start to their end.
class WorkerPrograms {
 public:
  // REQUIRES: loop and pool outlive this.
  WorkerPrograms(uv_loop_t* loop, tasks::WorkerPool* pool) : loop_(loop), pool_(pool) {}

  // Until Start they are only known. `lasting`: none is given up, however often it ends. `note` is
  // told what concerns the engine's log, `given_up` that the tasks of some types may wait now.
  void Add(std::vector<WorkerSpec> specs, bool lasting, std::function<void(std::string_view)> note,
           std::function<void()> given_up);
  void Start();
  // Ends them in order; `ended` comes when the last has ended, perhaps at once.
  void End(std::function<void()> ended);
  // Ends them at once.
  void Clear() { running_.clear(); }

 private:
  uv_loop_t* loop_;
  tasks::WorkerPool* pool_;
  std::vector<tasks::WorkerProcessOptions> added_;
  std::vector<std::unique_ptr<tasks::WorkerProcess>> running_;
};

}  // namespace stele::cli
