// The words and small values that events are made of; their numbers are those of
// schemas/record.capnp.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/ids.h"
#include "base/instance_ranges.h"
#include "base/payload.h"

namespace stele::model {

enum class Purpose : uint16_t { kNormal = 0, kFallback = 1, kCompensation = 2 };
enum class CancelReason : uint16_t {
  kScopeFailed = 0,
  kInstanceCancelled = 1,
  kInstanceTerminated = 2,
  kRaceLost = 3,
  kRolledBack = 4,
  kSkipped = 5
};
enum class Interruption : uint16_t { kCrash = 0, kShutdown = 1 };
enum class TimerKind : uint16_t {
  kDelay = 0,
  kRetry = 1,
  kAttemptDeadline = 2,
  kInstanceDeadline = 3,
  kEscalation = 4,
  kReminder = 5
};
enum class WaitKind : uint16_t { kMessage = 0, kSignal = 1, kTimer = 2 };
enum class Outcome : uint16_t { kCompleted = 0, kFailed = 1, kCancelled = 2 };
enum class Resolution : uint16_t { kRetry = 0, kSkip = 1, kFail = 2 };

inline constexpr TransitionIndex kNoTransition{kNoIndex};

struct NamedPayload {
  std::string name;
  Payload value;
  bool operator==(const NamedPayload&) const = default;
};

// One of the events that a waiting step waits for.
struct Wait {
  std::string event;  // its id in an event race
  WaitKind kind = WaitKind::kMessage;
  std::string name;
  std::string key;
  TimeUs due;  // kTimer
  bool operator==(const Wait&) const = default;
};

// The record that published a message, and which of its messages that is, from 0.
struct MessagePlace {
  Position position;
  uint32_t ordinal = 0;
  auto operator<=>(const MessagePlace&) const = default;
};

struct Instance;

// The state that a fork begins with: shared, never changed. Equal when the states are.
class ForkedState {
 public:
  ForkedState() = default;
  explicit ForkedState(std::shared_ptr<const Instance> state) : state_(std::move(state)) {}

  bool has_value() const { return state_ != nullptr; }
  // REQUIRES: has_value().
  const Instance& operator*() const { return *state_; }
  const Instance* operator->() const { return state_.get(); }
  bool operator==(const ForkedState& other) const;

 private:
  std::shared_ptr<const Instance> state_;
};

// A row of a view, as bytes.
struct ViewRow {
  std::string view;
  uint32_t version = 0;  // of the view
  std::string key;
  std::string value;
  bool operator==(const ViewRow&) const = default;
};

}  // namespace stele::model
