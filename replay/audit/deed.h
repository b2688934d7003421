// What somebody did, out of one record of the log: who, when, from where, what, to what, and why.
//
// A record's first event is its cause (docs/log-format.md): that is the deed. What the engine did
// of itself (timers, attempts, messages that met their waits) and what workers handed in are none,
// unless they are asked for.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/instance_ranges.h"
#include "engine/model/event.h"
#include "eventstore/record.h"

namespace stele::replay {

enum class DeedKind : uint8_t {
  kStart,       // instances that begin: by somebody, or by a trigger
  kOperate,     // what operators do to instances
  kDecide,      // what people do about their tasks
  kMessage,     // signals and messages
  kDefinition,  // definitions and task types
  kTrigger,     // triggers, and firings by hand
  kAccess,      // users, API keys, tokens that are given up
  kSetting,     // other settings
  kAlert,       // alert rules
  kRemoval,     // what is purged or erased
  kDenied,      // attempts that were denied
  kEngine,      // what the engine and its workers did
};

// "operate"
std::string_view DeedKindName(DeedKind kind);
std::optional<DeedKind> FindDeedKind(std::string_view name);
// "start, operate, …", for people.
std::string DeedKindNames();

struct Deed {
  Position position;
  Seq seq;              // of the cause, in its instance's history or the registry's
  InstanceId instance;  // that it was done to, or asked for; 0: none, or several
  TimeUs time;
  std::string actor;   // empty: the engine, or a stranger who was denied
  std::string source;  // from where (engine/model/asker.h)
  DeedKind kind = DeedKind::kEngine;
  std::string action;      // "cancel"
  std::string definition;  // the name of what the instance runs, or of what it is about
  std::string target;      // what else it was done to: "step review", "user ada"
  std::string reason;      // as it was given
  std::string outcome;     // "done", what the instance came to in the record, or "denied"
  bool erased = false;     // its texts are gone: their key was destroyed
  // What only somebody who knows the instance, or the registry, can say more of: DeedReader does.
  RunId run;                             // of a step
  std::optional<StepIndex> step;         // that it goes back to
  DefinitionId about_definition;         // that is started, registered or changed
  TriggerId about_trigger;               // that is changed, or fired
  std::string about_account;             // the setting of the user or key that is changed
  std::vector<InstanceRange> instances;  // that are removed
};

// REQUIRES: there is an event.
Deed DeedOf(const eventstore::RecordView& record, std::span<const model::Event> events);

// Whether a setting of that name is a user or an API key.
bool IsOfAccount(std::string_view setting);

// Whether a record can be more than the engine's own work, as far as its header tells.
bool MayBeDeed(const eventstore::RecordHeader& header);

}  // namespace stele::replay
