// Calls: a step that starts another workflow and, unless told otherwise, waits for its end. The
// child is an instance of its own; its idempotency key is the attempt's, so that an attempt that is
// started again after a crash finds the child that it has.
//
// Config (docs/language.md): workflow, version, input, variables, wait, cancel_with_parent,
// business_key, tags, priority. Output: the child's output; without waiting {instance}.
//
// Thread: the shard's loop. Register it as "call" and give it the shard when that is open.
#pragma once

#include <map>

#include "engine/runtime/shard.h"

namespace stele::runtime {

class CallExecutor final : public tasks::TaskExecutor {
 public:
  // REQUIRES: before the first attempt; the shard outlives what is started.
  void Attach(Shard* shard) { shard_ = shard; }

  void Start(tasks::TaskRequest request, std::function<void(tasks::TaskResult)> done) override;
  void Cancel(const tasks::AttemptKey& key, std::function<void()> stopped) override;
  bool repeats_after_crash() const override { return true; }
  bool outlives_engine() const override { return true; }

 private:
  using Done = std::function<void(tasks::TaskResult)>;
  struct Call {
    InstanceId child;
    bool linked = true;
    Done done;
  };

  // What went wrong at the end of a chain of calls, and the sentence that told the caller so.
  struct Cause {
    InstanceId instance;
    std::string message;
    std::string told;
  };
  Cause CauseOf(const model::Instance& failed);
  std::string NameOf(InstanceId instance) const;
  std::string TraceParentOf(const tasks::AttemptKey& key) const;
  // Why no call may be made from there, if so.
  std::optional<std::string> TooDeep(InstanceId caller) const;
  void Started(const tasks::AttemptKey& key, InstanceId child, bool waits,
               const Result<Position>& answer);
  void Ended(const tasks::AttemptKey& key, const model::Instance& child);
  void Finish(const tasks::AttemptKey& key, tasks::TaskResult result);

  Shard* shard_ = nullptr;
  std::map<tasks::AttemptKey, Call> calls_;
  // By caller, of the newest instances: one sentence, however many calls are in each other. Lost
  // with the engine, then the sentence holds another one.
  std::map<InstanceId, Cause> causes_;
};

}  // namespace stele::runtime
