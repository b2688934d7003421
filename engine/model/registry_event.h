// The events of the registry, a shard's instance 0: definitions, triggers, settings, attempts that
// were denied, alerts, removals. A part of event.h.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/instance_ranges.h"
#include "base/payload.h"
#include "engine/model/event_values.h"

namespace stele::model {

struct DefinitionStateChanged {
  DefinitionId definition;
  std::string state;
  std::string reason;
  bool operator==(const DefinitionStateChanged&) const = default;
};

struct TriggerRegistered {
  TriggerId trigger;
  std::string definition;
  std::string kind;
  std::string config;
  bool operator==(const TriggerRegistered&) const = default;
};

// A firing: of `time` as its schedule says. `outcome` is what came of it.
struct TriggerFired {
  TriggerId trigger;
  TimeUs time;
  std::string outcome;
  std::string key;
  Payload payload;
  bool operator==(const TriggerFired&) const = default;
};

struct TriggerStateChanged {
  TriggerId trigger;
  std::string state;
  std::string reason;
  bool operator==(const TriggerStateChanged&) const = default;
};

struct SettingChanged {
  std::string name;
  std::string document;
  bool operator==(const SettingChanged&) const = default;
};

// Somebody asked for what they may not do; the record's actor says who.
struct AccessDenied {
  std::string name;      // what they asked for: a permission, "login"
  std::string document;  // JSON: {target, source, role, times}
  bool operator==(const AccessDenied&) const = default;
};

// What a rule watches over has begun or ceased to be so.
struct AlertChanged {
  std::string rule;      // its name
  bool firing = false;   // else it is over
  std::string document;  // JSON: {condition, value, window, definition}
  bool operator==(const AlertChanged&) const = default;
};

struct DefinitionRegistered {
  DefinitionId definition;
  std::string name;
  uint32_t version = 1;
  std::string canonical;
  std::string source;
  std::string file;
  bool operator==(const DefinitionRegistered&) const = default;
};

// Their records are cut out behind it.
struct InstancesPurged {
  std::vector<InstanceRange> instances;  // in order
  TimeUs closed_before;
  std::string reason;
  std::vector<ViewRow> totals;
  std::vector<std::string> firings;      // idempotency keys
  std::string conditions;                // of triggers, what they had come to; empty: said before
  std::vector<MessagePlace> messages;    // of others, which they had met and which are not expired
  std::vector<std::string> message_ids;  // of messages that they published: free again
  bool operator==(const InstancesPurged&) const = default;
};

// Their keys are destroyed behind it.
struct InstancesErased {
  std::vector<InstanceRange> instances;  // in order
  std::string reason;
  bool operator==(const InstancesErased&) const = default;
};

}  // namespace stele::model
