// The registry's triggers with their configurations read: a fold of the registry's records.
//
// What the registry keeps of a trigger is a JSON object (StoredTrigger): its name, whether a
// definition declares it, and the trigger as it was written.
//
// Not for concurrent use.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/event.h"
#include "engine/model/registry.h"
#include "engine/triggers/trigger_config.h"

namespace stele::triggers {

struct StoredTrigger {
  std::string name;       // unique among a definition's triggers
  bool declared = false;  // in the section `triggers:` of its definition; else added by hand
  Value trigger;          // as written
  std::string ToText() const;
  // Nothing for a trigger that somebody else keeps in the registry.
  static std::optional<StoredTrigger> FromText(std::string_view text);
};

inline constexpr std::string_view kEventKind = "event";
// That, "schedule", "github_push", …
std::string_view KindOf(const TriggerConfig& config);

struct KnownTrigger {
  TriggerId id;
  std::string definition;
  std::string kind;
  StoredTrigger stored;
  // Null when it is somebody else's, or when this build cannot read it; `fault` says why then.
  std::shared_ptr<const TriggerConfig> config;
  std::string fault;
  model::TriggerState state = model::TriggerState::kActive;
  std::string reason;  // of its last change of state
  TimeUs since;        // when it was registered or resumed: nothing before that fires
  // The last moment of its schedule that is dealt with; firings by hand do not count.
  TimeUs last_scheduled;
  // The latest firing whose instance was purged, to the second, "2026-05-01T09:30:15"; empty: none.
  // Which moments up to there have started nothing is not known any more.
  std::string purged_to;

  bool active() const { return state == model::TriggerState::kActive && config != nullptr; }
  // The detail of that kind, or null.
  template <class Detail>
  const Detail* As() const {
    return config == nullptr ? nullptr : std::get_if<Detail>(&config->detail);
  }
};

class TriggerTable {
 public:
  // Events that are not about triggers change nothing. REQUIRES: records come in order.
  void Apply(const model::Event& event, const model::RecordContext& record);
  const KnownTrigger* Find(TriggerId id) const;
  const std::map<TriggerId, KnownTrigger>& all() const { return triggers_; }

 private:
  std::map<TriggerId, KnownTrigger> triggers_;
};

// Keys of firings by hand begin with this; other keys of a schedule are moments.
inline constexpr std::string_view kByHand = "manual-";
// Such a key to the second; these sort as their moments do.
inline std::string_view SecondOf(std::string_view key) {
  return key.substr(0, 19);
}

}  // namespace stele::triggers
