// The program's triggers: which trigger of the registry each one is, and a firing's way into the
// log.
//
// A firing is a record of the registry first and an instance second. The instance's idempotency key
// is the firing's, so that a crash between the two, or a repetition, starts nothing twice.
//
// Thread: the loop's, but for StartAll and StopAll.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/runtime/shard.h"
#include "stele/engine.h"

namespace stele::embed {

class TriggerHost {
 public:
  template <class T>
  using Reply = std::function<void(Result<T>)>;

  TriggerHost(runtime::Shard& shard, const Clock& clock, std::string actor)
      : shard_(shard), clock_(clock), actor_(std::move(actor)) {}

  // The number of the trigger, which is made when there is none of that definition, type and
  // config. REQUIRES: config is a JSON object.
  void Find(const std::string& definition, const std::string& type, const Value& config,
            const Reply<uint64_t>& reply);
  void Fire(TriggerId trigger, const std::string& key, const Value& input,
            const Reply<uint64_t>& reply);
  // Starts the instances of firings that a crash left without one.
  void StartPending();

  // Threads: any but the loop's.
  // False: there is a trigger of that number already.
  bool Add(uint64_t number, std::unique_ptr<Trigger> trigger, embed::Fire fire,
           const std::function<void(const std::string&)>& problem);
  void StartAll(const std::function<void(const std::string&)>& problem);
  void StopAll(const std::function<void(const std::string&)>& problem);

 private:
  struct Hosted {
    std::unique_ptr<Trigger> trigger;
    embed::Fire fire;
    bool started = false;
  };

  Result<const model::RegisteredTrigger*> Firing(TriggerId trigger) const;
  bool IsPending(TriggerId trigger, const std::string& key) const;
  void StartInstance(TriggerId trigger, const std::string& key, Payload input,
                     const Reply<uint64_t>& reply);

  runtime::Shard& shard_;
  const Clock& clock_;
  const std::string actor_;
  std::mutex mutex_;  // guards what follows
  std::map<uint64_t, Hosted> hosted_;
  bool going_ = false;
};

}  // namespace stele::embed
