// The time machines of instances that somebody has looked at lately: the first look at a history
// reads all of it, those that follow do not. They are bounded by their memory, by their number, and
// by the time for which nobody has asked.
//
// A machine whose instance's payloads were erased meanwhile is made anew when somebody asks, and
// given up soon when nobody does.
//
// Thread: the loop's; machines are asked on threads of the desk's, each by one at a time.
#pragma once

#include <kj/async.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "base/value.h"
#include "replay/time_machine.h"
#include "server/operations/desk.h"

namespace stele::server {

class Machines {
 public:
  using Ask = std::function<Result<Object>(replay::TimeMachine& machine)>;

  explicit Machines(Desk& desk) : desk_(desk) {}
  Machines(const Machines&) = delete;
  Machines& operator=(const Machines&) = delete;

  // Asks the machine of the instance, as the log is now. `long_question`: it reads much of the
  // history. Who asks meanwhile waits for it where long questions wait, and keeps no thread from
  // quick ones. Errors as replay::TimeMachine::Open, and the question's.
  Promised<Object> With(InstanceId instance, bool long_question, Ask ask);

  size_t count() const { return places_.size(); }
  size_t bytes() const;
  // Those that nobody has asked for so long are given up.
  void GiveUpIdle(int64_t idle_us);
  // Those that were made before their instance was purged or erased are given up.
  void GiveUpRemoved();

 private:
  // Shared with the threads.
  struct Kept {
    Kept(const eventstore::EventStore& store, ShardId shard)
        : store(store), shard(shard), source(store, shard) {}
    Result<Object> Answer(InstanceId instance, const model::Registry& registry, const Ask& ask);
    Status MakeReady(InstanceId instance, const model::Registry& registry);

    const eventstore::EventStore& store;
    const ShardId shard;
    std::mutex mutex;
    const replay::StoreSource source;              // outlives the machine
    std::unique_ptr<replay::TimeMachine> machine;  // null: it is to be made
    std::atomic<bool> keys_destroyed = false;      // when it was made
    std::atomic<size_t> bytes = 0;
    std::atomic<size_t> long_questions = 0;  // that wait, or are being answered
  };
  struct Place {
    std::shared_ptr<Kept> kept;
    uint64_t used = 0;  // the later, the larger
    TimeUs when;
    bool is_made = false;
  };

  static std::shared_ptr<void> LongQuestion(std::shared_ptr<Kept> kept);
  void Settle(InstanceId instance, const std::shared_ptr<Kept>& kept, bool made);
  void GiveUpSome();
  kj::Promise<void> Sweep();

  Desk& desk_;
  std::map<InstanceId, Place> places_;
  uint64_t uses_ = 0;
  kj::Maybe<kj::Promise<void>> sweeping_;
};

}  // namespace stele::server
