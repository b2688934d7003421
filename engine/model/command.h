// What somebody asks of an instance: the causes before they are facts. A command is either refused
// (Rejection) or becomes one record.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "engine/model/event.h"

namespace stele::model {

struct StartInstance {
  DefinitionId definition;
  Payload input;                        // an object; absent: {}
  std::vector<NamedPayload> variables;  // in place of the definition's defaults
  std::string business_key;
  std::string idempotency_key;
  std::vector<std::string> tags;
  int32_t priority = 0;
};

struct CompleteAttempt {
  RunId run;
  uint32_t attempt = 1;
  Payload output;  // an object
  std::string log;
  bool log_truncated = false;
};

struct FailAttempt {
  RunId run;
  uint32_t attempt = 1;
  std::string kind;
  std::string message;
  bool retryable = true;
  Payload details;
  std::string log;
  bool log_truncated = false;
};

// The attempt is not running any more and nobody knows what it did.
struct InterruptAttempt {
  RunId run;
  uint32_t attempt = 1;
  Interruption by = Interruption::kCrash;
};

// An attempt that the engine stopped when it was stopped itself starts again.
struct RestartAttempt {
  RunId run;
};

struct ElapseTimer {
  TimerKind kind = TimerKind::kDelay;
  RunId run;
  uint32_t attempt = 0;
};

struct CancelInstance {
  bool compensate = false;
  std::string reason;
};

struct TerminateInstance {
  std::string reason;
};

struct ResolveIncident {
  RunId run;
  Resolution resolution = Resolution::kRetry;  // of a compensation, kSkip waives it
  std::string reason;
};

using Command =
    std::variant<StartInstance, CompleteAttempt, FailAttempt, InterruptAttempt, RestartAttempt,
                 ElapseTimer, CancelInstance, TerminateInstance, ResolveIncident>;

}  // namespace stele::model
