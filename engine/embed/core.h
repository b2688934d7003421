// What is behind the public header: the loop and its thread, the shard, and how a call of another
// thread gets its answer from there.
//
//     caller ── Ask ──► loop: Shard::Start, Send, … ──► durable ──► answer ──► caller
//
// Thread: any, but for what is marked.
#pragma once

#include <uv.h>

#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "engine/embed/door.h"
#include "engine/embed/feed.h"
#include "engine/embed/function_pool.h"
#include "engine/embed/loop_post.h"
#include "engine/embed/own_threads.h"
#include "engine/embed/retainer.h"
#include "engine/embed/translate.h"
#include "engine/embed/trigger_host.h"
#include "engine/embed/views.h"
#include "engine/requests/make_command.h"
#include "engine/runtime/custom_types.h"
#include "engine/runtime/shard.h"
#include "engine/secrets/secrets.h"
#include "engine/tasks/curl_multi.h"
#include "engine/triggers/service.h"
#include "eventstore/event_store.h"
#include "stele/engine.h"

namespace stele::embed {

class Engine::Core {
 public:
  template <class T>
  using Reply = std::function<void(Result<T>)>;

  static Result<std::unique_ptr<Core>> Open(const Options& options, const std::string& directory);
  // REQUIRES: not on the loop.
  ~Core();
  Status Stop();

  const Options& options() const { return options_; }
  // Good as long as this.
  model::Asker asker() const { return {options_.actor, model::kProgramSource}; }
  const std::shared_ptr<Door>& door() const { return door_; }
  // A thread of the engine's on which code of the program's runs, the loop apart.
  bool OnOwnThread() const { return own_threads_.HasThis(); }
  bool OnLoop() const { return std::this_thread::get_id() == loop_thread_; }
  void Tell(const std::string& problem) const;
  Problem problem() const {
    return [this](const std::string& sentence) { Tell(sentence); };
  }

  // Runs `work` on the loop and returns what it replies, which it must do once.
  template <class T>
  Result<T> Ask(std::function<void(const Reply<T>&)> work) {
    if (OnLoop()) return RefuseOnLoop();
    const Visit visit(*door_);
    if (!visit.entered()) return RefuseStopped();
    auto promise = std::make_shared<std::promise<Result<T>>>();
    std::future<Result<T>> answer = promise->get_future();
    post_->Post([work = std::move(work), promise] {
      work([promise](Result<T> result) { promise->set_value(std::move(result)); });
    });
    return answer.get();
  }
  // Sends a command that `make` makes on the loop from the instance as it is.
  Result<Written> Send(uint64_t instance, const requests::MakeCommand& make);
  Result<Instance> Wait(uint64_t instance, std::chrono::microseconds timeout);
  // Adds an executor; refused when the type has one.
  Status AddExecutor(const std::string& task_type,
                     std::function<std::shared_ptr<AsyncExecutor>()> make, ExecutorOptions options);

  // The registered versions, by id from 1.
  struct Version {
    std::string name;
    uint32_t number = 1;
    std::shared_ptr<const definition::Definition> definition;
  };
  Result<std::vector<Version>> Versions();

  LoopPost& post() { return *post_; }
  FunctionPool& pool() { return *pool_; }
  TriggerHost& triggers() { return *triggers_; }
  Feed& feed() { return *feed_; }
  const eventstore::EventStore& store() const { return *store_; }
  embed::Views& views() { return *views_; }
  const Clock& clock() const { return clock_; }

  // On the loop.
  runtime::Shard& shard() { return *shard_; }
  triggers::TriggerService& service() { return *service_; }
  const tasks::TaskRegistry& tasks() const { return *tasks_; }
  // The types of the user's own that the log has; the program's executors come before what it says
  // of them, so those that have none by now get theirs when something may begin.
  const runtime::CustomTypes& custom_types() const { return custom_types_; }
  void TakeUpTypes();
  void ReadTypes();
  // Once; later calls do nothing.
  stele::Status BeginTriggers();
  // Calls `done` when what is in the inbox, and what that leads to, is decided and durable,
  // `rounds` deep; or when the shard has failed.
  void Settle(int rounds, std::function<void()> done);
  // Does what is due by the clock.
  void Elapse(std::function<void()> done);
  void Start(const StartRequest& request, const std::optional<Value>& input,
             const std::optional<Value>& variables, const Reply<Started>& reply);
  // Replies when all that has been decided is durable: nobody is shown what a power cut could take
  // back.
  void Show(InstanceId instance, const Reply<Instance>& reply);

 private:
  struct Waiter {
    std::promise<Result<Instance>> ended;
  };

  // The program's clock, or the system's.
  class ProgramClock final : public Clock {
   public:
    explicit ProgramClock(const std::function<int64_t()>& now) : now_(now) {}
    TimeUs Now() const override { return now_ ? TimeUs(now_()) : system_.Now(); }

   private:
    const std::function<int64_t()> now_;
    const SystemClock system_;
  };

  explicit Core(const Options& options);
  Status OpenStore(const std::string& directory);
  Status OpenShard();
  void AddWaiter(InstanceId instance, const std::shared_ptr<Waiter>& waiter);
  void DropWaiter(InstanceId instance, const std::shared_ptr<Waiter>& waiter);
  void RefuseWaiters();

  const Options options_;
  const std::shared_ptr<Door> door_ = std::make_shared<Door>();
  const std::shared_ptr<LoopPost> post_ = std::make_shared<LoopPost>();
  uv_loop_t loop_;
  const ProgramClock clock_;
  std::unique_ptr<secrets::Secrets> secrets_;
  std::unique_ptr<tasks::TaskRegistry> tasks_;
  std::shared_ptr<tasks::HttpClient> client_;
  runtime::CustomTypes custom_types_;
  bool took_up_types_ = false;
  bool begun_ = false;
  std::unique_ptr<eventstore::EventStore> store_;
  std::unique_ptr<embed::Views> views_;
  OwnThreads own_threads_;
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<triggers::TriggerService> service_;
  std::unique_ptr<runtime::Shard> shard_;
  std::unique_ptr<Retainer> retainer_;
  std::unique_ptr<TriggerHost> triggers_;
  std::unique_ptr<FunctionPool> pool_;
  // On the loop. An entry stays until its instance has ended: the shard has been asked about it.
  std::map<InstanceId, std::vector<std::shared_ptr<Waiter>>> waiters_;
  bool refuses_waiters_ = false;
  std::thread thread_;
  std::thread::id loop_thread_;
  std::mutex stopping_;  // held by who stops
  bool stopped_ = false;
};

}  // namespace stele::embed
