// Triggers: which there are, changing and firing them, requests that reach webhooks.
//
// Thread: the loop's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/triggers/service.h"
#include "projections/views/triggers.h"
#include "server/operations/desk.h"

namespace stele::server {

// A trigger as it is now.
struct TriggerStatus {
  TriggerId id;
  std::string definition;
  std::string name;
  std::string kind;
  std::string state;  // "active", "paused", "removed"
  std::string reason;
  bool declared = false;  // by its definition; not by hand
  Value config;           // as it was given
  std::string path;       // of a webhook
  TimeUs next;            // 0: it cannot be told
  uint64_t fired = 0;
  std::string last_outcome;
  TimeUs last_time;
};
Object ToJson(const TriggerStatus& status);

class Triggers {
 public:
  explicit Triggers(Desk& desk) : desk_(desk) {}

  // By number, of definitions that the caller may see; without those that were removed, unless
  // `removed`. `definition`: of that one alone.
  Result<std::vector<TriggerStatus>> List(const Caller& caller, const std::string& definition,
                                          bool removed);
  Result<TriggerStatus> Get(const Caller& caller, TriggerId trigger);

  // One entry as in the section `triggers:` of a definition.
  Promised<TriggerStatus> Add(const Caller& caller, const std::string& definition,
                              const Value& trigger);
  // Such an entry in the place of a trigger, of which there is one all the time.
  Promised<TriggerStatus> Replace(const Caller& caller, TriggerId old, const Value& trigger);
  Promised<TriggerStatus> Change(const Caller& caller, TriggerId trigger, model::TriggerState state,
                                 const std::string& reason);

  // Once for a key; an empty key is always a new one. Nothing: noted, and its instance starts
  // later.
  Promised<std::optional<InstanceId>> Fire(const Caller& caller, TriggerId trigger,
                                           const std::string& key, const Value& input);
  // The moments of a schedule in [from, to) that have started nothing.
  Promised<triggers::Backfilled> Backfill(const Caller& caller, TriggerId trigger, TimeUs from,
                                          TimeUs to);

  // A request to a webhook, from anybody: its triggers decide. `asker`: who is said to have asked.
  Promised<triggers::Delivery> Deliver(const triggers::WebhookRequest& request,
                                       const model::KeptAsker& asker);

 private:
  Result<const triggers::KnownTrigger*> Find(const Caller& caller, Permission permission,
                                             TriggerId trigger);
  Promised<TriggerStatus> Shown(TriggerId trigger, Promised<Written> written);
  TriggerStatus StatusOf(const triggers::KnownTrigger& trigger) const;

  Desk& desk_;
};

}  // namespace stele::server
