#include "cli/dap/breakpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "cli/text.h"

namespace stele::cli::dap {
namespace {

constexpr std::string_view kSteps = "steps";
constexpr std::string_view kEvents = "events";

struct Filter {
  std::string_view event;
  std::string_view label;
  bool is_default = false;
};
constexpr Filter kFilters[] = {
    {"instance_failed", "Instance failed", true},
    {"incident_raised", "Incident raised: an operator decides", true},
    {"attempt_failed", "Attempt failed"},
    {"step_failed", "Step failed"},
    {"retry_scheduled", "Retry scheduled"},
    {"timer_elapsed", "Timer elapsed"},
    {"step_skipped", "Step skipped"},
    {"variables_set", "Variables set"},
    {"compensation_started", "Compensation started"},
    {"signal_received", "Signal received"},
    {"message_correlated", "Message received"},
    {"human_task_decided", "A person decided"},
    {"child_started", "Another workflow called"},
    {"instance_paused", "Paused"},
    {"instance_migrated", "Migrated to another version"},
    {"instance_cancelled", "Cancelled"},
    {"instance_completed", "Completed"},
};

Object Refused(std::string message) {
  return {{"verified", false}, {"message", std::move(message)}};
}

}  // namespace

Array EventFilters() {
  Array filters;
  for (const Filter& filter : kFilters)
    filters.emplace_back(Object{{"filter", filter.event},
                                {"label", filter.label},
                                {"default", filter.is_default},
                                {"supportsCondition", true},
                                {"conditionDescription", "an expression over the state"}});
  return filters;
}

void Breakpoints::Clear(const std::string& group) {
  for (const Set& set : groups_[group])
    for (const uint32_t number : set.numbers) debugger_.RemoveBreakpoint(number);
  groups_[group].clear();
}

Object Breakpoints::Add(const std::string& group, std::string_view reason,
                        const std::vector<replay::BreakpointSpec>& specs, std::string log) {
  Set set{.id = ++last_id_, .numbers = {}, .log = std::move(log), .reason = reason};
  Object answer{{"id", set.id}, {"verified", true}};
  for (const replay::BreakpointSpec& spec : specs) {
    const Result<uint32_t> number = debugger_.Break(spec);
    if (number.has_value()) {
      set.numbers.push_back(*number);
      continue;
    }
    for (const uint32_t taken : set.numbers) debugger_.RemoveBreakpoint(taken);
    answer.Set("verified", false);
    answer.Set("message", number.error().ToString());
    return answer;
  }
  groups_[group].push_back(std::move(set));
  return answer;
}

Object Breakpoints::AddLine(const std::string& group, const SourceText& source,
                            const Fields& wanted) {
  const uint32_t line = sources_.FromEditor(wanted.IntegerOr("line", -1));
  std::vector<StepIndex> steps;
  if (line != 0) steps = definition::StepsAtLine(source.lines, line);
  if (steps.empty())
    return Refused("Expected a line of a step, or one above a step, but found none below it");
  const definition::Definition& definition = sources_.DefinitionOf(source);
  std::vector<replay::BreakpointSpec> specs;
  std::string names;
  for (const StepIndex step : steps) {
    const std::string& id = definition.step(step).id;
    specs.push_back({.step = id,
                     .event = "",
                     .condition = wanted.TextOr("condition"),
                     .label = fmt::format("{}:{}", source.name, line)});
    names += (names.empty() ? "" : ", ") + id;
  }
  Object answer = Add(group, "breakpoint", specs, wanted.TextOr("logMessage"));
  const definition::Lines lines = source.lines[steps[0].value];
  answer.Set("line", sources_.ToEditor(lines.first));
  answer.Set("source", sources_.ToJson(source));
  if (answer.Find("message") == nullptr) answer.Set("message", "step " + names);
  return answer;
}

Result<Object> Breakpoints::SetLines(const Fields& arguments,
                                     const std::vector<DefinitionId>& ran) {
  const Fields wanted = arguments.Inside("source");
  const SourceText* source = sources_.Find(wanted, ran);
  const std::string path = wanted.TextOr("path", wanted.TextOr("name"));
  Array answers;
  if (source == nullptr) {
    const std::string message = fmt::format(
        "Expected the text that the instance has run but found another in {}; what it has run is "
        "among the loaded sources",
        path.empty() ? "the source" : path);
    for (size_t i = 0; i < arguments.List("breakpoints").size(); ++i)
      answers.emplace_back(Refused(message));
    return Object{{"breakpoints", std::move(answers)}};
  }
  const std::string group = fmt::format("source {}", source->definition.value);
  Clear(group);
  for (const Fields& each : arguments.List("breakpoints"))
    answers.emplace_back(AddLine(group, *source, each));
  return Object{{"breakpoints", std::move(answers)}};
}

Object Breakpoints::SetSteps(const Fields& arguments) {
  const std::string group(kSteps);
  Clear(group);
  Array answers;
  for (const Fields& each : arguments.List("breakpoints"))
    answers.emplace_back(Add(group, "function breakpoint",
                             {{.step = each.TextOr("name"),
                               .event = "",
                               .condition = each.TextOr("condition"),
                               .label = ""}},
                             ""));
  return {{"breakpoints", std::move(answers)}};
}

Object Breakpoints::SetEvents(const Fields& arguments) {
  const std::string group(kEvents);
  Clear(group);
  Array answers;
  const auto add = [&](const std::string& event, const std::string& condition) {
    answers.emplace_back(Add(group, "exception",
                             {{.step = "", .event = event, .condition = condition, .label = ""}},
                             ""));
  };
  for (const std::string& filter : arguments.Texts("filters")) add(filter, "");
  for (const Fields& option : arguments.List("filterOptions"))
    add(option.TextOr("filterId"), option.TextOr("condition"));
  return {{"breakpoints", std::move(answers)}};
}

// "{…}" in it are expressions over the state here.
std::string Breakpoints::Rendered(std::string_view log) {
  std::string text;
  while (!log.empty()) {
    const size_t open = std::min(log.find('{'), log.size());
    const size_t close = log.find('}', open);
    text += log.substr(0, open);
    if (close == std::string_view::npos) {
      text += log.substr(open);
      break;
    }
    const std::string_view expression = log.substr(open + 1, close - open - 1);
    const Result<Value> value = debugger_.Evaluate(expression);
    text += value.has_value() ? Inline(*value) : "{" + value.error().message + "}";
    log.remove_prefix(close + 1);
  }
  return Clean(text, true);
}

Breakpoints::Hit Breakpoints::HitOf(const std::vector<uint32_t>& numbers) {
  Hit hit;
  for (const auto& [group, sets] : groups_)
    for (const Set& set : sets) {
      const auto is_hit = [&](uint32_t number) {
        return std::ranges::find(numbers, number) != numbers.end();
      };
      if (std::ranges::none_of(set.numbers, is_hit)) continue;
      if (!set.log.empty()) {
        hit.texts.push_back(Rendered(set.log));
        continue;
      }
      hit.ids.push_back(set.id);
      if (hit.reason.empty()) hit.reason = set.reason;
    }
  // One that was set by a command of the debugger's own.
  const auto is_of_editor = [&](uint32_t number) {
    return std::ranges::any_of(groups_, [&](const auto& group) {
      return std::ranges::any_of(group.second, [&](const Set& set) {
        return std::ranges::find(set.numbers, number) != set.numbers.end();
      });
    });
  };
  if (hit.reason.empty() && !std::ranges::all_of(numbers, is_of_editor)) hit.reason = "breakpoint";
  return hit;
}

}  // namespace stele::cli::dap
