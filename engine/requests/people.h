// What people do about their tasks. A `step` names the open run of one, by find_run.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/payload.h"
#include "engine/requests/make_command.h"

namespace stele::requests {

// Who acts, and what they say. A task that names people or groups, or that somebody has claimed, is
// refused to others: kNotAllowed.
struct Person {
  std::string name;
  std::vector<std::string> groups;  // that the person is in
  std::string comment;
  bool as_operator = false;  // may act for anybody
};

MakeCommand Claim(std::string step, Person person);
MakeCommand Release(std::string step, Person person);

// `filled_in`: an object of variables, or absent. kWrongState: a task of the other kind.
MakeCommand Approve(std::string step, Person person, Payload filled_in);
MakeCommand Reject(std::string step, Person person, Payload filled_in);
MakeCommand Complete(std::string step, Person person, Payload filled_in);

// Of either kind: as an attempt fails, with an error of that kind.
MakeCommand FailTask(std::string step, Person person, std::string kind);

// The run of the task that `step` names.
Result<RunId> FindTask(const model::Instance& instance, const definition::Definition& definition,
                       const std::string& step);

enum class TaskKind : uint8_t { kApproval, kManual };

// kWrongState: the task is not of that kind, but of the other. REQUIRES: `run` is a task's.
Status CheckKind(const definition::Definition& definition, const model::StepRun& run,
                 TaskKind kind);

}  // namespace stele::requests
