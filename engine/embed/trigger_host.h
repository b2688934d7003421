// The program's triggers: which trigger of the registry each one is, when they watch, and a
// firing's way to the service that all triggers have.
//
// Thread: the loop's, but for Add, StartAll and StopAll.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine/runtime/shard.h"
#include "engine/triggers/service.h"
#include "stele/engine.h"

namespace stele::embed {

class TriggerHost {
 public:
  template <class T>
  using Reply = std::function<void(Result<T>)>;

  TriggerHost(runtime::Shard& shard, triggers::TriggerService& service, model::KeptAsker asker)
      : shard_(shard), service_(service), asker_(std::move(asker)) {}

  // The number of the trigger, which is made when there is none of that definition, type and
  // config. REQUIRES: config is a JSON object.
  void Find(const std::string& definition, const std::string& type, const Value& config,
            const Reply<uint64_t>& reply);
  void Fire(TriggerId trigger, const std::string& key, const Value& input,
            const Reply<uint64_t>& reply);

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

  runtime::Shard& shard_;
  triggers::TriggerService& service_;
  const model::KeptAsker asker_;
  std::mutex mutex_;  // guards what follows
  std::map<uint64_t, Hosted> hosted_;
  bool going_ = false;
};

}  // namespace stele::embed
