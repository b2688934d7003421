// Forks and resets: another instance, from what one was behind an event of its past.
//
// Thread: the loop's; the past is read on threads of the desk's.
#pragma once

#include <string>
#include <vector>

#include "engine/requests/fork.h"
#include "replay/time_machine.h"
#include "server/operations/histories.h"
#include "server/operations/instances.h"

namespace stele::server {

struct ForkRequest {
  replay::When at;                             // neither: now; edges want one of them
  std::vector<model::NamedPayload> variables;  // set in the root scope
  uint32_t version = 0;                        // of its definition, to go on in; 0: its own
  std::string plan;                            // as requests::Migrate's
  std::string business_key;
  bool unique = false;          // refused when an open instance has the same business key
  std::string idempotency_key;  // as StartRequest's
  TimeUs deadline;              // 0: none
  bool paused = false;
  // A reset: the instance is terminated, and what goes on keeps its business key and deadline
  // unless others are given.
  bool resets = false;
  std::string reason;
  std::string trace_parent;
};

struct Forked {
  Started started;
  Seq at;  // the last event of the origin that is in it
};

class Forks {
 public:
  // REQUIRES: all of them outlive it.
  Forks(Desk& desk, Instances& instances, Histories& histories)
      : desk_(desk), instances_(instances), histories_(histories) {}

  // Answers when it is durable. kNoSuchMoment, kCannotFork, kCannotMigrate; the caller must be
  // allowed to operate the instance, and to start what the fork runs.
  Promised<Forked> Fork(const Caller& caller, InstanceId origin, ForkRequest request);

 private:
  Promised<Forked> ForkAt(const Caller& caller, const requests::ForkPoint& point,
                          ForkRequest request);

  Desk& desk_;
  Instances& instances_;
  Histories& histories_;
};

}  // namespace stele::server
