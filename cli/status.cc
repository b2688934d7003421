// `stele status`: an instance as it is.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/json_report.h"
#include "cli/recorded.h"
#include "cli/text.h"
#include "engine/model/names.h"

namespace stele::cli {

namespace {

std::string StatusOf(const Recorded& recorded) {
  return recorded.timeline->WaitsForOperator()
             ? "parked"
             : std::string(model::StatusName(recorded.instance.status));
}

Value ToJson(const Recorded& recorded) {
  const model::Instance& instance = recorded.instance;
  Object document = RunToJson(
      instance.id, {StatusOf(recorded), instance.output, instance.failure, instance.ended},
      *recorded.timeline);
  Object variables;
  for (const model::NamedPayload& variable : instance.scopes[0].variables)
    variables.Set(variable.name, variable.value.value());
  document.Set("variables", std::move(variables));
  document.Set("started", instance.started.value);
  document.Set("ended", instance.ended ? Value(instance.ended.value) : Value());
  return document;
}

std::string StepTable(const replay::Timeline& timeline) {
  std::vector<std::vector<std::string>> rows{{"STEP", "STATE", "ATTEMPTS", "TOOK", "NOTE"}};
  for (const replay::StepLine& line : timeline.lines()) {
    std::string note;
    if (line.purpose != model::Purpose::kNormal) note = model::EnumName(line.purpose);
    if (line.state != replay::StepState::kCompleted && !line.kind.empty())
      note += fmt::format("{}{}: {}", note.empty() ? "" : ", ", line.kind, line.message);
    if (line.due) note += fmt::format("{}due {}", note.empty() ? "" : ", ", Time(line.due));
    rows.push_back({Clean(line.label), std::string(replay::StepStateName(line.state)),
                    line.attempts.empty() ? "" : fmt::format("{}", line.attempts.back().number),
                    line.run && line.ended ? Duration(line.ended.value - line.started.value) : "",
                    Clean(note)});
  }
  return Table(rows);
}

void Print(const Recorded& recorded, const Terminal& terminal) {
  const model::Instance& instance = recorded.instance;
  std::vector<std::vector<std::string>> rows{{"instance", fmt::format("{}", instance.id.value)},
                                             {"definition", Clean(recorded.definition->name)},
                                             {"status", StatusOf(recorded)},
                                             {"started", Time(instance.started)},
                                             {"ended", Time(instance.ended)}};
  if (!instance.failure.kind.empty())
    rows.push_back({"error", Clean(instance.failure.kind + ": " + instance.failure.message)});
  if (const model::Timer timer = model::NextTimer(instance); timer.at)
    rows.push_back(
        {"next timer", fmt::format("{} ({})", Time(timer.at), model::EnumName(timer.kind))});
  std::string text = Table(rows) + "\n" + StepTable(*recorded.timeline);
  const auto section = [&](std::string_view title, const Object& members) {
    if (members.empty()) return;
    text += fmt::format("\n{}\n", title);
    for (const Member& member : members)
      text += fmt::format("  {}: {}\n", Clean(member.key), Inline(member.value));
  };
  Object variables;
  for (const model::NamedPayload& variable : instance.scopes[0].variables)
    variables.Set(variable.name, variable.value.value());
  section("variables", variables);
  if (instance.output.has_value() && instance.output.value().is_object())
    section("outputs", instance.output.value().as_object());
  terminal.Print(text);
}

}  // namespace

int ShowStatus(const Arguments& arguments, const Terminal& terminal) {
  const auto recorded = ReadRecorded(arguments);
  if (!recorded.has_value()) {
    terminal.PrintError(recorded.error());
    return kExitUsage;
  }
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(ToJson(**recorded))) + "\n");
  } else {
    Print(**recorded, terminal);
  }
  return kExitDone;
}

}  // namespace stele::cli
