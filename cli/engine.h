// An engine inside the program: the loop, the store, the shard, the executors, the signals.
//
// Thread: the main one, which is the loop's.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "cli/stubs.h"
#include "cli/workers.h"
#include "engine/runtime/call_executor.h"
#include "engine/runtime/custom_types.h"
#include "engine/runtime/shard.h"
#include "engine/secrets/secrets.h"
#include "engine/tasks/curl_multi.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/loop_clock.h"
#include "engine/tasks/worker_pool.h"
#include "eventstore/event_store.h"

namespace stele::cli {

using runtime::CustomTypes;

class Engine {
 public:
  Engine();
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Instances that come without a trace have one from Open on, of which that share is sampled.
  void TraceInstances(std::optional<double> ratio) { trace_ratio_ = ratio; }
  // The executors of this process. Scripts are looked for in `script_directories` too.
  void AddExecutors(const std::vector<Stub>& stubs, std::vector<std::string> script_directories);
  // Opens the directory, made when it is not there and `create`, and recovers its shard. The task
  // types that are registered there get their executors. From then on a signal ends Run. REQUIRES:
  // AddExecutors was called, or nothing will be started.
  Status Open(const std::string& data, bool create, runtime::Observer* observer);
  // Executors for the task types that the registry holds now.
  void AddCustomTypes();
  // The workers that --worker asks for, which start with Run; none with --no-wait. `lasting`: none
  // is given up, and `note` is told when a type's tasks wait for a worker, too. kUsage: a type that
  // something else runs. REQUIRES: AddExecutors was called.
  Status AddWorkers(const Arguments& arguments, bool lasting,
                    std::function<void(std::string_view sentence)> note);
  // Tasks of the step wait for a worker, and none can come in this process.
  bool LacksWorker(const definition::Step& step) const;
  // `changed` is called when LacksWorker may have changed.
  void WatchWorkers(std::function<void()> changed) { workers_changed_ = std::move(changed); }

  // Runs the loop until Leave has stopped the shard. `tick` is called some times a second, when
  // given.
  void Run(std::function<void()> tick);
  // Runs the loop until `done`, which is asked after every turn, or to the stop.
  void RunUntil(const std::function<bool()>& done);
  // Begins the orderly stop. May be called again.
  void Leave();
  // What has to end before the shard stops: it is told to, and calls `ended` once, perhaps at once.
  void BeforeStop(std::function<void(std::function<void()> ended)> end) {
    before_stop_ = std::move(end);
  }
  // Begins nothing new, and calls `over` when nothing runs any more, or after `grace_us`: perhaps
  // at once. What still runs when the shard stops then counts as after a crash. REQUIRES: it is
  // open.
  void Drain(int64_t grace_us, std::function<void()> over);
  // Instead of the end when SIGHUP comes.
  void OnHangup(std::function<void()> hung_up) { hung_up_ = std::move(hung_up); }
  // The orderly stop of an engine that was opened and never ran: a command was refused before.
  void Close();
  // A signal asked for the end.
  bool interrupted() const { return interrupted_; }
  bool leaving() const { return leaving_; }
  bool is_open() const { return shard_ != nullptr; }
  // Begins the stop behind the next turn: what is in the inbox is recorded, nothing of it starts.
  void LeaveBehindInbox();

  runtime::Shard& shard() { return *shard_; }
  const eventstore::EventStore& store() const { return *store_; }
  eventstore::EventStore& log() { return *store_; }
  const tasks::TaskRegistry& tasks() const { return *tasks_; }
  tasks::WorkerPool& workers() { return *workers_; }
  const CustomTypes& custom_types() const { return custom_types_; }
  uv_loop_t* loop() { return &loop_; }
  // REQUIRES: it is open.
  const secrets::Secrets& secrets() const { return *secrets_; }
  const Clock& clock() const { return clock_; }

 private:
  void WatchSignal(uv_signal_t* handle, int number);
  void StopShard();
  void LookWhatRuns();
  // The type `agent`, unless something else runs it.
  void AddAgent();

  uv_loop_t loop_;
  SystemClock clock_;
  tasks::LoopClock loop_clock_;
  std::shared_ptr<tasks::WorkerPool> workers_;
  std::unique_ptr<WorkerPrograms> programs_;
  std::function<void()> workers_changed_;
  std::function<void(std::string_view type)> tell_waiting_;
  std::unique_ptr<secrets::Secrets> secrets_;
  std::unique_ptr<tasks::TaskRegistry> tasks_;
  std::shared_ptr<tasks::HttpClient> client_;
  runtime::CallExecutor* calls_ = nullptr;
  CustomTypes custom_types_;
  std::unique_ptr<eventstore::EventStore> store_;
  std::unique_ptr<runtime::Shard> shard_;
  uv_signal_t interrupt_;
  uv_signal_t terminate_;
  uv_signal_t hangup_;
  uv_timer_t timer_;
  uv_timer_t drain_timer_;
  std::function<void()> tick_;
  std::function<void()> hung_up_;
  std::function<void(std::function<void()>)> before_stop_;
  TimeUs drained_by_;
  std::function<void()> drained_;
  std::optional<double> trace_ratio_;
  bool interrupted_ = false;
  bool leaving_ = false;
  bool left_ = false;
};

}  // namespace stele::cli
