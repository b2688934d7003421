// The names of the model's enumerators, as people and JSON see them: the schema's, in snake_case.
// An empty name is a number that no value has. The codec takes from here which numbers are known.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <type_traits>

#include "engine/model/event.h"
#include "engine/model/instance.h"

namespace stele::model {

namespace names {
inline constexpr std::string_view kPurpose[] = {"normal", "fallback", "compensation"};
inline constexpr std::string_view kCancelReason[] = {"scope_failed",        "instance_cancelled",
                                                     "instance_terminated", "race_lost",
                                                     "rolled_back",         "skipped"};
inline constexpr std::string_view kInterruption[] = {"crash", "shutdown"};
inline constexpr std::string_view kTimerKind[] = {
    "delay", "retry", "attempt_deadline", "instance_deadline", "escalation", "reminder"};
inline constexpr std::string_view kWaitKind[] = {"message", "signal", "timer"};
inline constexpr std::string_view kOutcome[] = {"completed", "failed", "cancelled"};
inline constexpr std::string_view kResolution[] = {"retry", "skip", "fail"};
inline constexpr std::string_view kStatus[] = {"none",   "running",   "compensating", "completed",
                                               "failed", "cancelled", "terminated"};
inline constexpr std::string_view kScopeState[] = {"", "open", "compensating", "closed"};
inline constexpr std::string_view kSlotState[] = {"idle",   "active",    "completed", "skipped",
                                                  "failed", "cancelled", "handled",   "omitted"};
inline constexpr std::string_view kRunState[] = {"",         "attempt", "backoff", "delay",
                                                 "children", "parked",  "done",    "failed",
                                                 "held",     "waiting", "failing"};
}  // namespace names

using Names = std::span<const std::string_view>;
constexpr Names NamesOf(Purpose) {
  return names::kPurpose;
}
constexpr Names NamesOf(CancelReason) {
  return names::kCancelReason;
}
constexpr Names NamesOf(Interruption) {
  return names::kInterruption;
}
constexpr Names NamesOf(TimerKind) {
  return names::kTimerKind;
}
constexpr Names NamesOf(WaitKind) {
  return names::kWaitKind;
}
constexpr Names NamesOf(Outcome) {
  return names::kOutcome;
}
constexpr Names NamesOf(Resolution) {
  return names::kResolution;
}
constexpr Names NamesOf(Status) {
  return names::kStatus;
}
constexpr Names NamesOf(ScopeState) {
  return names::kScopeState;
}
constexpr Names NamesOf(SlotState) {
  return names::kSlotState;
}
constexpr Names NamesOf(RunState) {
  return names::kRunState;
}

// "compensation"; empty when the number is unknown.
template <class Enum>
  requires std::is_enum_v<Enum>
constexpr std::string_view EnumName(Enum value) {
  const Names names = NamesOf(value);
  const auto number = static_cast<size_t>(value);
  return number < names.size() ? names[number] : std::string_view();
}

}  // namespace stele::model
