#include "engine/definition/step_types.h"

#include <algorithm>

#include "engine/definition/reader.h"

namespace stele::definition {
namespace {

struct Row {
  std::string_view word;
  StepKind kind;
  std::string_view task_type;
  Split split = Split::kAll;
  bool synonym = false;
  bool together = false;
};

using enum StepKind;
constexpr bool kSynonym = true;
constexpr bool kTogether = true;
constexpr Row kRows[] = {
    {"start", kStart, "start"},
    {"end", kEnd, "end"},
    {"exclusive", kGateway, "exclusive", Split::kFirst},
    {"exclusive_gateway", kGateway, "exclusive", Split::kFirst, kSynonym},
    {"switch", kGateway, "exclusive", Split::kFirst, kSynonym},
    {"condition", kGateway, "condition", Split::kFirst},
    {"decision", kGateway, "condition", Split::kFirst, kSynonym},
    {"inclusive", kGateway, "inclusive"},
    {"inclusive_gateway", kGateway, "inclusive", Split::kAll, kSynonym},
    {"parallel", kGateway, "parallel"},
    {"parallel_gateway", kGateway, "parallel", Split::kAll, kSynonym},
    {"delay", kDelay, "delay"},
    {"timer", kDelay, "timer"},
    {"timer_event", kDelay, "timer", Split::kAll, kSynonym},
    {"wait", kDelay, "delay", Split::kAll, kSynonym},
    {"loop", kLoop, "loop"},
    {"foreach", kLoop, "loop", Split::kAll, kSynonym},
    {"for_each", kLoop, "loop", Split::kAll, kSynonym},
    {"each", kLoop, "loop", Split::kAll, kSynonym},
    {"parallel_for", kLoop, "loop", Split::kAll, kSynonym, kTogether},
    {"while", kLoop, "loop", Split::kAll, kSynonym},
    {"sub_process", kSubProcess, "sub_process"},
    {"subprocess", kSubProcess, "sub_process", Split::kAll, kSynonym},
    {"approval", kHuman, "approval"},
    {"approval_task", kHuman, "approval", Split::kAll, kSynonym},
    {"manual", kHuman, "manual"},
    {"manual_task", kHuman, "manual", Split::kAll, kSynonym},
    {"user_task", kHuman, "manual", Split::kAll, kSynonym},
    {"message", kWait, "message"},
    {"receive", kWait, "message", Split::kAll, kSynonym},
    {"publish", kPublish, "message", Split::kAll, kSynonym},
    {"signal", kWait, "signal"},
    {"event_race", kWait, "event_race"},
    {"race", kWait, "event_race", Split::kAll, kSynonym},
    {"script", kTask, "script"},
    {"http", kTask, "http"},
    {"api", kTask, "http", Split::kAll, kSynonym},
    {"api_call", kTask, "http", Split::kAll, kSynonym},
    {"service_task", kTask, "http", Split::kAll, kSynonym},
    {"sql", kTask, "sql"},
    {"database", kTask, "sql", Split::kAll, kSynonym},
    {"notification", kTask, "notification"},
    {"email", kTask, "email"},
    {"webhook", kTask, "webhook"},
    {"container", kTask, "container"},
    {"docker", kTask, "container", Split::kAll, kSynonym},
    {"kubernetes", kTask, "kubernetes"},
    {"k8s", kTask, "kubernetes", Split::kAll, kSynonym},
    {"agent", kTask, "agent"},
    {"llm", kTask, "llm"},
    {"mcp", kTask, "mcp"},
    {"call", kTask, "call"},
};

}  // namespace

std::optional<StepType> FindStepType(std::string_view word) {
  constexpr std::string_view kCustom = "custom:";
  if (word.starts_with(kCustom) && word.size() > kCustom.size()) {
    std::string_view name = word.substr(kCustom.size());
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    if (name.empty()) return std::nullopt;
    return StepType{.task_type = std::string(name)};
  }
  const std::string folded = Fold(word);
  for (const Row& row : kRows)
    if (row.word == folded)
      return StepType{row.kind, std::string(row.task_type), row.split,
                      folded == "while" ? LoopMode::kWhile : LoopMode::kForEach, row.together};
  return std::nullopt;
}

bool IsCalled(const Step& step, std::string_view word) {
  if (step.kind != StepKind::kTask) return false;
  if (step.id == word || step.task_type == word) return true;
  const std::optional<StepType> type = FindStepType(word);
  return type.has_value() && type->task_type == step.task_type;
}

std::vector<std::string> KnownStepTypes() {
  std::vector<std::string> words;
  for (const Row& row : kRows)
    if (!row.synonym) words.emplace_back(row.word);
  words.emplace_back("custom:<name>");
  return words;
}

}  // namespace stele::definition
