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

// A part of a text to log: an expression that stands in braces, or a text.
struct LogPart {
  std::string_view text;
  bool is_expression = false;
};

// kExpressionSyntax: a brace that nothing closes.
Result<std::vector<LogPart>> PartsOf(std::string_view log) {
  std::vector<LogPart> parts;
  while (!log.empty()) {
    const size_t open = std::min(log.find('{'), log.size());
    if (open > 0) parts.push_back({log.substr(0, open)});
    log.remove_prefix(open);
    if (log.empty()) break;
    const size_t close = log.find('}');
    if (close == std::string_view::npos)
      return Fail(ErrorCode::kExpressionSyntax,
                  fmt::format("Expected a \"}}\" behind \"{}\" but found none", Clean(log)));
    parts.push_back({log.substr(1, close - 1), true});
    log.remove_prefix(close + 1);
  }
  return parts;
}

// Whether it can be done as an editor wants it.
Status CheckWanted(const Fields& wanted) {
  for (const char* const name : {"condition", "hitCondition", "logMessage"})
    STELE_RETURN_IF_ERROR(wanted.CheckText(name));
  if (!wanted.TextOr("hitCondition").empty())
    return Fail(ErrorCode::kUnsupported,
                "Expected no `hitCondition`, since a breakpoint stops at the same events from "
                "before and from behind, but found one; a `condition` such as loop.index >= 3 "
                "says which");
  const std::string log = wanted.TextOr("logMessage");
  const auto parts = PartsOf(log);
  if (!parts.has_value()) return std::unexpected(parts.error());
  for (const LogPart& part : *parts) {
    if (!part.is_expression) continue;
    const auto compiled = expression::Expression::Compile(part.text);
    if (!compiled.has_value()) return std::unexpected(compiled.error());
  }
  return {};
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
                        const std::vector<replay::BreakpointSpec>& specs, const Fields& wanted) {
  if (const Status checked = CheckWanted(wanted); !checked.has_value())
    return Refused(checked.error().ToString());
  Set set{.id = ++last_id_, .numbers = {}, .log = wanted.TextOr("logMessage"), .reason = reason};
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
  Object answer = Add(group, "breakpoint", specs, wanted);
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
                             each));
  return {{"breakpoints", std::move(answers)}};
}

Object Breakpoints::SetEvents(const Fields& arguments) {
  const std::string group(kEvents);
  Clear(group);
  Array answers;
  const auto add = [&](const std::string& event, const Fields& wanted) {
    answers.emplace_back(
        Add(group, "exception",
            {{.step = "", .event = event, .condition = wanted.TextOr("condition"), .label = ""}},
            wanted));
  };
  for (const std::string& filter : arguments.Texts("filters")) add(filter, Fields());
  for (const Fields& option : arguments.List("filterOptions"))
    add(option.TextOr("filterId"), option);
  return {{"breakpoints", std::move(answers)}};
}

// With the values that its expressions have here.
std::string Breakpoints::Rendered(std::string_view log) {
  const auto parts = PartsOf(log);
  if (!parts.has_value()) return Clean(log, true);
  std::string text;
  for (const LogPart& part : *parts) {
    if (!part.is_expression) {
      text += part.text;
      continue;
    }
    const Result<Value> value = debugger_.Evaluate(part.text);
    text += value.has_value() ? Inline(*value) : "{" + value.error().message + "}";
  }
  return Clean(text, true);
}

bool Breakpoints::IsException(std::string_view event) const {
  const auto sets = groups_.find(std::string(kEvents));
  const auto is_of = [&](const Set& set) {
    return std::ranges::any_of(debugger_.breakpoints(), [&](const replay::Breakpoint& breakpoint) {
      return breakpoint.spec.event == event &&
             std::ranges::find(set.numbers, breakpoint.number) != set.numbers.end();
    });
  };
  return std::ranges::find(kFilters, event, &Filter::event) != std::end(kFilters) ||
         (sets != groups_.end() && std::ranges::any_of(sets->second, is_of));
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
