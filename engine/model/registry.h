// The registry: the shard's instance 0, whose history holds definitions, triggers and settings.
// What it amounts to are these tables. Changed by engine/apply alone.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/definition/definition.h"
#include "engine/model/event.h"

namespace stele::model {

// Draft: not started yet. Active: new instances start. Paused: none start for now. Retired: none
// start any more. Instances that are open go on in all of them.
enum class DefinitionState : uint8_t { kDraft, kActive, kPaused, kRetired };
std::string_view DefinitionStateName(DefinitionState state);
std::optional<DefinitionState> FindDefinitionState(std::string_view name);

struct RegisteredDefinition {
  DefinitionId id;
  std::string name;
  uint32_t version = 1;  // of that name, from 1
  std::string canonical;
  std::string source;
  std::string file;
  TimeUs registered;
  std::shared_ptr<const definition::Definition> definition;
  DefinitionState state = DefinitionState::kActive;
  std::string reason;  // of the last change of state
};

// Active: fires. Paused: does not, but keeps its schedule. Removed: is only history.
enum class TriggerState : uint8_t { kActive, kPaused, kRemoved };
std::string_view TriggerStateName(TriggerState state);
std::optional<TriggerState> FindTriggerState(std::string_view name);

struct RegisteredTrigger {
  TriggerId id;
  std::string definition;  // the name of what it starts, in its newest active version
  std::string kind;
  std::string config;  // JSON, as the definition writes it
  TriggerState state = TriggerState::kActive;
  TimeUs registered;
  TimeUs last_time;          // of the latest firing, as its schedule says
  std::string last_outcome;  // and what came of it
  uint64_t fired = 0;
};

// The last instances that were purged. Those of the ones before are cut out already.
struct RegisteredPurge {
  Position position;  // of its record; 0: there is none
  std::vector<InstanceRange> instances;
  Position before;  // of the record of the one before it; 0: there is none
};

// A rule that watches over definitions says that something is so, and has not said yet that it is
// over.
struct FiringAlert {
  TimeUs since;
  std::string document;  // as of model::AlertChanged
};

struct Registry {
  Seq seq;
  Position position;
  std::vector<RegisteredDefinition> definitions;             // by id, from 1
  std::vector<RegisteredTrigger> triggers;                   // by id, from 1
  std::map<std::string, std::string, std::less<>> settings;  // name to JSON document
  std::map<std::string, FiringAlert, std::less<>> alerts;    // by the name of their rule

  RegisteredPurge purge;
  std::vector<InstanceRange> erased;  // in order, neighbours joined

  // Nothing more happens to it: it was purged with the last ones, or erased.
  bool IsRemoved(InstanceId instance) const;
  bool IsErased(InstanceId instance) const;
  const RegisteredDefinition* Find(DefinitionId id) const;
  const RegisteredTrigger* Find(TriggerId id) const;
  // The newest version of a name in any state, or null.
  const RegisteredDefinition* Latest(std::string_view name) const;
  // The newest version that new instances start with, or null.
  const RegisteredDefinition* Startable(std::string_view name) const;
  // That version of a name, or null.
  const RegisteredDefinition* Version(std::string_view name, uint32_t version) const;
};

}  // namespace stele::model
