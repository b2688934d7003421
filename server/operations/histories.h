// What the log itself is asked: histories, the state at any moment, the steps of an instance, and
// records as they are, for clients that replay them.
//
// Thread: the loop's; the log is read on threads of their own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "replay/timeline.h"
#include "server/operations/desk.h"
#include "server/operations/instances.h"
#include "server/operations/machines.h"

namespace stele::server {

struct HistoryPage {
  std::vector<Object> events;  // replay::ToJson
  Seq next;                    // to go on from; 0: there is no more
  Position position;           // the last record of the log that the page knows of
};

// Records as the log has them.
struct StoredRecord {
  Position position;
  Seq first_seq;
  TimeUs time;
  Position causation;
  std::string actor;
  std::string source;
  bool erased = false;
  std::string body;  // model::Decode
};
struct RecordPage {
  std::vector<StoredRecord> records;
  Seq next;                          // to go on from; 0: there is no more
  std::vector<std::string> lacking;  // task types whose steps wait for a worker
};

// A moment of an instance: the last event by its seq, or all up to a time.
struct Moment {
  Seq seq;      // 0: by time
  TimeUs time;  // 0: by seq
};

class Histories {
 public:
  Histories(Desk& desk, Instances& instances)
      : desk_(desk), instances_(instances), machines_(desk) {}

  // Events from `from` on, at most `limit`.
  Promised<HistoryPage> Events(const Caller& caller, InstanceId instance, Seq from, size_t limit);

  // The state behind that event, with its variables.
  Promised<Object> At(const Caller& caller, InstanceId instance, Moment moment);

  // What became of every step: replay::StepsToJson.
  Promised<Array> Steps(const Caller& caller, InstanceId instance);

  // past.cc: the whole state behind a moment; what differs between two; the event at which an
  // expression began to hold; the runs over time. replay::PastState, PastDifference, PastBisection,
  // GanttToJson.
  Promised<Object> State(const Caller& caller, InstanceId instance, replay::When when);
  Promised<Object> Difference(const Caller& caller, InstanceId instance, replay::When from,
                              replay::When to);
  Promised<Object> Bisection(const Caller& caller, InstanceId instance, std::string expression,
                             bool exact);
  Promised<Object> Chart(const Caller& caller, InstanceId instance, size_t limit);
  Machines& machines() { return machines_; }

  // records.cc: those that hold events from `from` on.
  Promised<RecordPage> Records(const Caller& caller, InstanceId instance, Seq from);
  // The same of the registry: of definitions, task types and triggers, and of the firings of these
  // if they are asked for. Of definitions that the caller may not see the number is left.
  Promised<RecordPage> RegistryRecords(const Caller& caller, Seq from, bool firings);

 private:
  Promised<Object> Ask(const Caller& caller, InstanceId instance, bool long_question,
                       Machines::Ask ask);

  Desk& desk_;
  Instances& instances_;
  Machines machines_;
  // What instances run when they come to the event behind a page that was asked for: its followers
  // need not be read from the first event on. At most kKnownPageEnds.
  std::map<std::pair<InstanceId, Seq>, DefinitionId> runs_;
};

}  // namespace stele::server
