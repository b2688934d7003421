// A row of the view of tasks for people: approvals and manual tasks, those that are over too.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/value.h"
#include "projections/table.h"

namespace stele::projections {

struct RowVote {
  std::string person;
  bool approved = false;
  std::string comment;
  TimeUs time;

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.person, self.approved, self.comment, self.time);
  }
};

struct TaskRow {
  InstanceId instance;
  RunId run;
  std::string definition;
  uint32_t version = 0;
  std::string step;   // the id
  std::string label;  // the id with the indices of the loops around
  std::string type;   // "approval", "manual"
  std::string title;
  // "open", "claimed"; "approved", "rejected", "done" (a manual one), "failed" (its deadline
  // passed, or somebody failed it), "skipped", "cancelled" (with its instance, or as its branch
  // lost)
  std::string state;
  std::vector<std::string> assignees;
  std::vector<std::string> groups;
  std::string claimed_by;
  std::vector<RowVote> votes;
  uint32_t min_approvers = 1;
  TimeUs created;
  TimeUs due;        // 0: never
  TimeUs completed;  // 0: it is open
  std::string business_key;
  int32_t priority = 0;  // of the instance

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.instance, self.run, self.definition, self.version, self.step, self.label,
            self.type, self.title, self.state, self.assignees, self.groups, self.claimed_by,
            self.votes, self.min_approvers, self.created, self.due, self.completed,
            self.business_key, self.priority);
  }
  static const TableSchema& Schema();
  RowFacts Facts(TimeUs now) const;

  bool IsOpen() const { return state == "open" || state == "claimed"; }
};

std::string TaskKey(InstanceId instance, RunId run);
// What the keys of its tasks begin with.
std::string TasksPrefix(InstanceId instance);

// Times in microseconds; docs/queries.md has the members.
Value ToJson(const TaskRow& row);

}  // namespace stele::projections
