// What a task for people asks for, read from its rendered config. Internal to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/payload.h"
#include "base/value.h"
#include "engine/model/instance.h"

namespace stele::decide {

enum class OnRefusal : uint8_t { kFail, kContinue };
enum class OnDeadline : uint8_t { kFail, kApprove, kReject };

struct HumanTaskConfig {
  std::vector<std::string> assignees;
  std::vector<std::string> groups;
  uint32_t min_approvers = 1;
  bool veto = true;
  OnRefusal on_reject = OnRefusal::kFail;
  OnDeadline on_deadline = OnDeadline::kFail;
  int64_t deadline_us = 0;  // 0: none
  int64_t escalate_after_us = 0;
  std::vector<std::string> escalation_assignees;
  std::vector<std::string> escalation_groups;
  int64_t remind_every_us = 0;
  uint32_t remind_limit = 0;
  Payload form;
  std::string problem;  // what is wrong with the config; the rest is then of no use
};

// The keys are those of docs/language.md.
HumanTaskConfig ReadHumanTask(const Value& config);

// Whether that person may act on the task: one of its candidates, unless somebody else has claimed
// it, or an operator.
std::optional<Rejection> RejectPerson(const model::HumanTask& task, std::string_view person,
                                      const std::vector<std::string>& groups, bool as_operator);

// "\"ann\", group \"ops\"", for messages.
std::string CandidatesOf(const model::HumanTask& task);

}  // namespace stele::decide
