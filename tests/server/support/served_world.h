// A running engine with all that edges stand on, in a directory of its own: the store, the shard on
// a loop that KJ shares, triggers, views, workers, the desk and the operations. The clock of the
// engine stands still until it is moved; its end is the orderly stop of a server.
//
// Tasks of the type `script` complete with an empty output and print "did STEP", but for steps
// whose id begins with "fail", which fail with the kind "boom", and "hang", which never end. Types
// "worker" wait for a worker of the pool.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/retention/service.h"
#include "engine/runtime/shard.h"
#include "engine/secrets/key_source.h"
#include "server/operations/definitions.h"
#include "server/operations/desk.h"
#include "server/operations/events.h"
#include "server/operations/forks.h"
#include "server/operations/histories.h"
#include "server/operations/instances.h"
#include "server/operations/maintenance.h"
#include "server/operations/questions.h"
#include "server/operations/triggers.h"
#include "server/operations/workers.h"
#include "tests/server/loop/loop_world.h"

namespace stele::server {

// Where its data is.
struct ServedData {
  std::string folder;   // which stays, so that another one opens it again; empty: one of its own
  bool sealed = false;  // by a master key that lies beside the data
  // Heads of the log are signed when they are asked for, by a key of its own.
  bool signing = false;
};

class ServedWorld final : private runtime::Observer {
 public:
  explicit ServedWorld(runtime::ShardOptions options = {}, ServedData place = {});
  ~ServedWorld() noexcept override;

  KjLoop& loop() { return loop_.loop(); }
  kj::Timer& timer() { return loop_.loop().timer(); }
  LoopWorld& turns() { return loop_; }
  ManualClock& clock() { return clock_; }
  // Moves the clock, and does what is due by it.
  void Advance(int64_t us);
  // Names with which signatures of webhooks are made.
  std::map<std::string, std::string>& secrets() { return secrets_.values; }

  runtime::Shard& shard() { return *shard_; }
  tasks::WorkerPool& workers() { return *workers_; }
  // For executors of a test's own. What a client of theirs leaves is the loop's to end.
  tasks::TaskRegistry& tasks() { return tasks_; }
  projections::Projector& projector() { return *projector_; }
  Desk& desk() { return *desk_; }
  Instances& instances() { return *instances_; }
  Definitions& definitions() { return *definitions_; }
  Triggers& triggers() { return *triggers_; }
  Questions& questions() { return *questions_; }
  Histories& histories() { return *histories_; }
  Events& events() { return *events_; }
  Forks& forks() { return *forks_; }
  Workers& worker_operations() { return *worker_operations_; }
  Maintenance& maintenance() { return *maintenance_; }
  // Where its data and its backups are.
  std::string data() const { return In("data"); }
  std::string backups() const { return In("backups"); }
  const eventstore::EventStore& store() const { return *store_; }
  // Has what maintenance asks of retention done. Nothing is due by itself.
  void BeginRetention() { retention_->Start(shard_.get(), /*runs=*/false); }

  template <class T>
  T Await(kj::Promise<T> promise) {
    return loop_.Await(kj::mv(promise));
  }
  // Of a promise of a Result: the value; a failure of the test and a default one otherwise.
  template <class T>
  T Get(Promised<T> promise) {
    Result<T> result = Await(kj::mv(promise));
    if (result.has_value()) return *std::move(result);
    ADD_FAILURE() << result.error().ToString();
    return T();
  }
  // The refusal's code; a failure of the test when it is none.
  template <class T>
  ErrorCode CodeOf(Promised<T> promise) {
    const Result<T> result = Await(kj::mv(promise));
    if (!result.has_value()) return result.error().code;
    ADD_FAILURE() << "nothing was refused";
    return ErrorCode::kIo;
  }
  void Until(const std::function<bool()>& done) { loop_.Until(done); }
  // What was posted, what that leads to, and what is to be durable is.
  void Settle();
  // All views know what is durable.
  void CatchUp();

  // Registers `steps` (YAML, in flow style) as a definition of that name, with what else it says.
  void Register(const std::string& name, const std::string& steps, const std::string& rest = "");
  // Starts one, with that input in JSON, and returns when it is durable.
  InstanceId Start(const std::string& definition, const std::string& input = "{}");

  // Somebody with that role, and the groups.
  static Caller Somebody(Role role, std::vector<std::string> groups = {});

 private:
  struct Secrets final : secrets::Secrets {
    std::optional<std::string> Find(std::string_view name) const override;
    std::map<std::string, std::string> values;
  };
  class Executor;

  bool wants_records() const override { return true; }
  void OnRecord(InstanceId, std::span<const model::Event>, const model::RecordContext&) override {
    if (events_ != nullptr) events_->Wake();
  }
  void OnFatal(const Error& error) override { ADD_FAILURE() << error.ToString(); }

  std::string In(const std::string& name) const {
    return place_.folder.empty() ? folder_ / name : place_.folder + "/" + name;
  }
  secrets::KeySource MasterKey() const;
  void Open(const runtime::ShardOptions& options);
  void TakeUpTypes();
  void Stop();

  const ServedData place_;
  TempFolder folder_;
  LoopWorld loop_;
  ManualClock clock_{TimeUs(1'790'000'000'000'000)};
  Secrets secrets_;
  tasks::TaskRegistry tasks_;
  std::shared_ptr<tasks::WorkerPool> workers_;
  runtime::CustomTypes types_;
  std::unique_ptr<eventstore::EventStore> store_;
  std::unique_ptr<triggers::TriggerService> service_;
  std::unique_ptr<runtime::Shard> shard_;
  std::unique_ptr<projections::Projector> projector_;
  std::unique_ptr<retention::RetentionService> retention_;
  std::unique_ptr<Threads> threads_;
  std::unique_ptr<Desk> desk_;
  std::unique_ptr<Instances> instances_;
  std::unique_ptr<Definitions> definitions_;
  std::unique_ptr<Triggers> triggers_;
  std::unique_ptr<Questions> questions_;
  std::unique_ptr<Histories> histories_;
  std::unique_ptr<Events> events_;
  std::unique_ptr<Forks> forks_;
  std::unique_ptr<Workers> worker_operations_;
  std::unique_ptr<Maintenance> maintenance_;
};

}  // namespace stele::server
