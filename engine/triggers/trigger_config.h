// The section `triggers:` of a definition, read and checked. Every fault is found at once, with a
// JSON pointer (RFC 6901) from the section's root: "/0/config/cron".
//
// Keys may stand beside a trigger's `type` or in its `config`. docs/triggers.md lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "engine/expression/expression.h"
#include "engine/triggers/schedule.h"
#include "engine/triggers/webhook.h"

namespace stele::triggers {

// What happens to a firing while an instance of the last one still runs.
enum class Overlap : uint8_t {
  kSkip,         // it is dropped
  kBufferOne,    // one waits, later ones are dropped
  kBufferAll,    // all wait in order
  kAllow,        // it starts beside the others
  kCancelOther,  // the running one is cancelled, then it starts
};
std::string_view OverlapName(Overlap overlap);

// How long after its time a firing is made up for when the section does not say.
inline constexpr int64_t kDefaultCatchUpUs = int64_t{10} * 60 * 1'000'000;

struct ScheduleTrigger {
  Cron cron;
  TimeZone zone;
  std::optional<int64_t> start_us;
  std::optional<int64_t> end_us;
  int64_t jitter_us = 0;
  int64_t catch_up_us = kDefaultCatchUpUs;
  Overlap overlap = Overlap::kSkip;

  // `identity` seeds the jitter; it must stay the same for as long as the trigger lives, such as
  // the names of definition and trigger.
  Schedule MakeSchedule(std::string identity) const;
};

// Fires for each event of that name that is published.
struct EventTrigger {
  std::string event;
};

// Fires when its conditions, looked at after each change of what they read, begin to hold (the
// rising edge) and have held for `hold_us`.
struct ConditionTrigger {
  int64_t hold_us = 0;
};

struct ManualTrigger {};
struct ApiTrigger {};

struct TriggerConfig {
  std::string name;  // unique in the section: `id`, or `name`, or its kind and its number
  std::string title;
  bool enabled = true;
  bool paused = false;
  // All must hold. They see: of an event `name`, `key`, `payload`; of a schedule `trigger` (`name`,
  // `scheduled_time`); of manual and api `input`; of a condition the views. Those of a webhook are
  // in its WebhookConfig.
  std::vector<expression::Expression> conditions;
  // Over the same roots; renders to an object. Nothing: the payload or nothing at all is the input.
  std::optional<expression::Template> input;
  // Kept as written. A trigger starts its workflow and does nothing else.
  Value actions;
  std::variant<ManualTrigger, ApiTrigger, ScheduleTrigger, WebhookConfig, EventTrigger,
               ConditionTrigger>
      detail;
};

struct TriggerFault {
  std::string pointer;
  ErrorCode code;
  std::string message;  // "Expected … but found …"
  bool operator==(const TriggerFault&) const = default;
};

// Null is no triggers at all. Triggers without a fault are there even when others have some.
struct TriggerSection {
  std::vector<TriggerConfig> triggers;
  std::vector<TriggerFault> faults;
};
TriggerSection ReadTriggers(const Value& triggers);

// The kind that `word` is written for, whatever its case: of "cron" it is "schedule". Empty: none.
std::string_view KindWrittenAs(std::string_view word);
// "manual", "schedule", …
std::vector<std::string> KindNames();

// The faults alone.
std::vector<TriggerFault> CheckTriggers(const Value& triggers);

}  // namespace stele::triggers
