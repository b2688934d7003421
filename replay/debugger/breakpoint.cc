#include "replay/debugger/breakpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"
#include "engine/model/codec.h"
#include "replay/debugger/debugger.h"

namespace stele::replay {

namespace {

std::string Sentence(std::string_view what, std::string_view word,
                     const std::vector<std::string>& known) {
  const std::string near = Nearest(word, known);
  return fmt::format("Expected {} but found \"{}\"{}", what, word,
                     near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
}

std::vector<std::string> EventNames() {
  std::vector<std::string> names;
  for (size_t kind = 0; kind < model::kEventKinds; ++kind)
    names.emplace_back(model::EventNameAt(kind));
  return names;
}

}  // namespace

std::string DescriptionOf(const BreakpointSpec& spec) {
  if (!spec.label.empty()) return spec.label;
  std::string text;
  if (!spec.event.empty()) text = "event " + spec.event;
  if (!spec.step.empty()) text += (text.empty() ? "step " : " at ") + spec.step;
  if (!spec.condition.empty()) text += (text.empty() ? "if " : " if ") + spec.condition;
  return text;
}

Result<uint32_t> Debugger::Break(BreakpointSpec spec) {
  Breakpoint breakpoint;
  if (!spec.step.empty()) {
    breakpoint.step = index_.StepNumber(spec.step);
    if (breakpoint.step == 0)
      return Fail(ErrorCode::kUnknownStep,
                  Sentence("a step of the workflow", spec.step, index_.StepIds()));
  }
  if (!spec.event.empty()) {
    const std::vector<std::string> names = EventNames();
    const auto name = std::ranges::find(names, spec.event);
    if (name == names.end())
      return Fail(ErrorCode::kInvalidInput, Sentence("a kind of event", spec.event, names));
    breakpoint.kind = static_cast<size_t>(name - names.begin());
  }
  if (!spec.condition.empty()) {
    auto condition = expression::Expression::Compile(spec.condition);
    if (!condition.has_value()) return std::unexpected(condition.error());
    breakpoint.condition = *std::move(condition);
  }
  if (!breakpoint.is_on_events() && !breakpoint.condition.has_value())
    return Fail(ErrorCode::kInvalidInput,
                "Expected a step, a kind of event or a condition to stop at but found nothing");
  breakpoint.number = ++last_breakpoint_;
  breakpoint.spec = std::move(spec);
  return breakpoints_.emplace_back(std::move(breakpoint)).number;
}

bool Debugger::RemoveBreakpoint(uint32_t number) {
  return std::erase_if(breakpoints_, [&](const Breakpoint& b) { return b.number == number; }) > 0;
}

bool Debugger::EnableBreakpoint(uint32_t number, bool enabled) {
  const auto found = std::ranges::find(breakpoints_, number, &Breakpoint::number);
  if (found == breakpoints_.end()) return false;
  found->enabled = enabled;
  return true;
}

}  // namespace stele::replay
