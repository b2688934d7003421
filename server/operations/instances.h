// Instances: starting one, asking something of one, waiting for its end, looking at it.
//
// Thread: the loop's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/requests/make_command.h"
#include "replay/standing.h"
#include "server/operations/desk.h"

namespace stele::server {

struct StartRequest {
  std::string definition;  // its name
  uint32_t version = 0;    // 0: the newest that is active
  Payload input;           // an object, or absent
  std::vector<model::NamedPayload> variables;
  std::string business_key;
  bool unique = false;  // refused when an open instance has the same business key
  // A start with a key that was used gives the same instance; kDuplicateKey when it is another
  // start.
  std::string idempotency_key;
  std::vector<std::string> tags;
  int32_t priority = 0;
  TimeUs deadline;  // 0: the definition's
  bool paused = false;
  std::string trace_parent;  // W3C traceparent of whoever asks; a malformed one counts as none
};

struct Started {
  Position position;
  InstanceId instance;
  bool known = false;  // its key had started it before
};

// An instance as it is now.
struct InstanceStatus {
  InstanceId id;
  std::string definition;
  uint32_t version = 1;
  std::string status;  // replay::StatusWord
  std::string business_key;
  std::string idempotency_key;
  std::vector<std::string> tags;
  int32_t priority = 0;
  InstanceId parent;
  InstanceId origin;  // that it was forked from; 0: it was started
  Seq origin_seq;     // the last event of the origin that is in it
  TimeUs started;
  TimeUs ended;     // 0: it has not
  TimeUs deadline;  // 0: none
  model::Failure failure;
  Payload input;
  Payload output;                              // when it has completed
  std::vector<model::NamedPayload> variables;  // of the outermost scope
  Array waiting_for;                           // replay::StandingToJson
  Seq seq;                                     // the last event that it reflects
  Position position;                           // and its record
};

// As JSON, with the members that docs/server.md names.
Object ToJson(const InstanceStatus& status);

// REQUIRES: the definition is the one that it runs.
InstanceStatus StatusOf(const model::Instance& instance,
                        const model::RegisteredDefinition& definition,
                        const replay::LacksWorker& lacks_worker);

class Instances {
 public:
  explicit Instances(Desk& desk);

  // Answers when it is durable. kBackPressure: too much waits, or views are too far behind.
  Promised<Started> Start(const Caller& caller, StartRequest request);

  // Sends the command that `make` makes of the instance as it is.
  Promised<Written> Send(const Caller& caller, Permission permission, InstanceId instance,
                         const requests::MakeCommand& make);

  // The instance as it is, when all that it shows is durable.
  Promised<InstanceStatus> Get(const Caller& caller, InstanceId instance);

  // The instance when it has ended, or as it is when `patience_us` has passed, or the server
  // closes.
  Promised<InstanceStatus> Wait(const Caller& caller, InstanceId instance, int64_t patience_us);

  // A message to whichever instance waits for one of that name and key.
  Promised<Written> Publish(const Caller& caller, model::MessagePublished message);

  // The definition's name, when the caller may do that with the instance.
  Result<std::string> Allow(const Caller& caller, Permission permission, InstanceId instance);
  // The instance and what it runs, as far as that is known, for whom is told of what was denied.
  // Good as long as the registry.
  Desk::Target TargetOf(InstanceId instance);

  // The task types whose steps wait for a worker now: workers do them, and none is there.
  std::vector<std::string> LackingWorkers() const;

 private:
  using Shared = std::shared_ptr<const InstanceStatus>;
  Result<const model::Instance*> Find(InstanceId instance);
  Promised<InstanceStatus> Show(InstanceId instance);
  Promised<InstanceStatus> Ended(InstanceId instance);
  // kBackPressure: views are too far behind.
  Status RefuseLag();

  Desk& desk_;
  // Of those that somebody has waited for and that have not ended.
  std::map<InstanceId, kj::ForkedPromise<Shared>> ends_;
  replay::LacksWorker lacks_worker_;
  Position ask_pace_at_;  // views were well when the log was not so long yet
};

}  // namespace stele::server
