// An instance in memory, and what the shard has going for it.
#pragma once

#include <list>
#include <map>
#include <set>
#include <vector>

#include "engine/definition/definition.h"
#include "engine/model/instance.h"
#include "engine/runtime/scheduler.h"
#include "engine/tasks/executor.h"

namespace stele::runtime {

// What the shard knows of a task step of a definition.
struct StepTask {
  tasks::TaskExecutor* executor = nullptr;  // null: there is none
  Scheduler::Course* course = nullptr;
};

// An attempt that an executor was given.
struct Outside {
  RunId run;
  uint32_t attempt = 1;
  tasks::TaskExecutor* executor = nullptr;
  Scheduler::Course* course = nullptr;  // null: the scheduler does not count it
  TimeUs deadline;                      // when the engine ends it; 0: never
};

struct Live {
  model::Instance instance;
  const definition::Definition* definition = nullptr;
  Seq snapshot_seq;           // what a snapshot reflects; 0: there is none
  TimeUs armed;               // its entry in the timer queue; 0: none
  uint32_t pending = 0;       // releases that wait for the disk
  uint32_t results = 0;       // of its attempts, in the inbox
  bool in_open = false;       // the open set has an entry
  bool open_changed = false;  // and it is out of date
  bool dormant = false;       // was open when the engine started; nobody has asked to go on with it
  std::map<RunId, Outside> outside;
  std::set<RunId> not_begun;   // their attempts begin when somebody goes on with it
  std::vector<RunId> waiting;  // its runs that wait for messages
  bool idle = false;
  size_t idle_bytes = 0;
  std::list<InstanceId>::iterator idle_place;
};

}  // namespace stele::runtime
