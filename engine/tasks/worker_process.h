// A worker that is a program of this machine, in any language: it is started, told tasks by lines
// of JSON on its input and answers by lines on its output (docs/tasks.md). When it ends its tasks
// go to another worker, and it is started again, each time after a longer while; a line from it
// that is understood begins that count anew. It ends with this object.
//
// Its leases need no heartbeats, since its end is seen; with `lease_us` they do. When every slot of
// it is taken by a lease that has ended (it hangs, or does not stop what was cancelled), the
// program is ended and started again.
//
// Its error stream belongs to the log of the attempt while it holds just one task, to the engine's
// log otherwise; the secrets of the tasks that it was given are masked in both.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tasks/child_process.h"
#include "engine/tasks/limits.h"
#include "engine/tasks/line_buffer.h"
#include "engine/tasks/redactor.h"
#include "engine/tasks/uv_handle.h"
#include "engine/tasks/worker_message.h"
#include "engine/tasks/worker_pool.h"

namespace stele::tasks {

struct WorkerProcessOptions {
  std::string name;  // in sentences
  std::vector<std::string> types;
  uint32_t slots = 1;
  int64_t lease_us = 0;
  // Its leases last so long at least until it has said something that is understood: it begins with
  // what an interpreter needs to start.
  int64_t start_us = kWorkerStartUs;
  // What is started. Its input is opened whatever this says.
  ChildProcess::Spec program;
  size_t max_line_bytes = kMaxWorkerLineBytes;
  int64_t restart_us = kWorkerRestartUs;
  int64_t max_restart_us = kMaxWorkerRestartUs;
  int64_t input_grace_us = kWorkerInputGraceUs;
  int64_t kill_grace_us = kKillGraceUs;
  // So many starts in a row without a line from it that is understood, and it is given up. 0:
  // never.
  uint32_t max_starts = 0;
  // For the engine's log: what it prints, what it does wrong, how it ends.
  std::function<void(std::string_view sentence)> note;
  // It was given up: called from the loop, behind the note about it.
  std::function<void()> on_given_up;

  // Named by its types. `command` is a line for the shell, which sees the engine's environment but
  // for STELE_…, where secrets may be.
  static WorkerProcessOptions ForCommand(std::string command, std::vector<std::string> types);
};

class WorkerProcess final : private Worker, private ChildProcess::Observer {
 public:
  // Starts it. REQUIRES: loop and pool outlive this.
  WorkerProcess(uv_loop_t* loop, WorkerPool* pool, WorkerProcessOptions options);
  // Ends at once what runs.
  ~WorkerProcess() override;
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Ends it in order: it gets nothing new, its input ends, later come SIGTERM and SIGKILL. `ended`
  // is called from the loop, perhaps before this returns. At most once.
  void End(std::function<void()> ended);

 private:
  void OnTask(const WorkerTask& task) override;
  void OnCancel(LeaseId lease, std::string_view reason) override;
  void OnLeaseEnded(LeaseId lease, std::string_view reason) override;
  void OnLeft() override;
  void OnOutput(ChildProcess::Stream stream, std::string_view bytes) override;
  void OnExit(ChildProcess::Exit exit) override;

  void Start();
  // It runs no more, or could not be started.
  void Ended(std::string_view how);
  void Say(const Value& message);
  void TakeLine(std::string_view line, size_t number);
  void Refuse(size_t number, const Error& error);
  Status Obey(WorkerMessage message);
  void TakeErrors(std::string_view bytes);
  void StopProgram();
  void AfterAWhile(int64_t microseconds);
  void OnTimer();
  void Note(std::string_view sentence) const;

  uv_loop_t* loop_;
  WorkerPool* pool_;
  WorkerProcessOptions options_;
  WorkerId worker_;  // 0: it has not joined
  std::set<LeaseId> held_;
  std::set<LeaseId> overdue_;  // ended leases that it has not answered
  LineBuffer lines_;
  LineBuffer error_lines_;
  std::set<std::string> secrets_;  // of all tasks that this program was given
  Redactor redactor_;
  uint32_t starts_ = 0;  // in a row without a line that was understood
  bool expected_ = false;
  bool ending_ = false;  // it is told nothing any more
  bool is_given_up_ = false;
  std::function<void()> ended_;
  UvHandle<uv_timer_t> timer_;
  // Last, so that it is gone before what it reports to.
  std::unique_ptr<ChildProcess> child_;
};

}  // namespace stele::tasks
