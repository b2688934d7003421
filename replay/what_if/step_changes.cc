#include "replay/what_if/step_changes.h"

#include <map>
#include <utility>

#include "replay/what_if/limits.h"

namespace stele::replay {

namespace {

// The runs of a step with one label and one purpose, in their order.
using Key = std::pair<std::string, model::Purpose>;
using Lines = std::map<Key, std::vector<const StepLine*>>;

// As both courses call it.
Key KeyOf(const Course& course, const StepLine& line) {
  const std::string& name =
      line.step.value == kNoIndex ? line.id : course.names.StepName(line.step);
  return {name + line.label.substr(line.id.size()), line.purpose};
}

Lines LinesOf(const Course& course) {
  Lines lines;
  for (const StepLine& line : course.timeline.lines()) lines[KeyOf(course, line)].push_back(&line);
  return lines;
}

const StepLine* At(const Lines& lines, const Key& key, size_t index) {
  const auto found = lines.find(key);
  return found == lines.end() || index >= found->second.size() ? nullptr : found->second[index];
}

std::optional<StepOutcome> OutcomeOf(const StepLine* line) {
  if (line == nullptr) return std::nullopt;
  return StepOutcome{line->state, line->attempts.size(), line->output, line->kind, line->message};
}

bool AreSame(const StepLine& recorded, const StepLine& now) {
  return recorded.state == now.state && recorded.attempts.size() == now.attempts.size() &&
         recorded.output == now.output && recorded.kind == now.kind;
}

}  // namespace

StepChanges CompareSteps(const Course& recorded, const Course& now) {
  const Lines lines_recorded = LinesOf(recorded);
  const Lines lines_now = LinesOf(now);
  StepChanges changes;
  const auto add = [&](const Key& key, const StepLine* was, const StepLine* is) {
    // A step that was skipped and one that was not reached have both done nothing.
    const bool idle = (was == nullptr && is->state == StepState::kSkipped) ||
                      (is == nullptr && was->state == StepState::kSkipped);
    if (idle || (was != nullptr && is != nullptr && AreSame(*was, *is))) return;
    ++changes.count;
    if (changes.list.size() >= kMaxShownSteps) return;
    const bool renamed = is != nullptr && is->label != key.first;
    changes.list.push_back(
        {key.first, renamed ? is->label : "", key.second, OutcomeOf(was), OutcomeOf(is)});
  };
  std::map<Key, size_t> seen;
  for (const StepLine& line : recorded.timeline.lines()) {
    const Key key = KeyOf(recorded, line);
    add(key, &line, At(lines_now, key, seen[key]++));
  }
  seen.clear();
  for (const StepLine& line : now.timeline.lines()) {
    const Key key = KeyOf(now, line);
    if (At(lines_recorded, key, seen[key]++) == nullptr) add(key, nullptr, &line);
  }
  return changes;
}

}  // namespace stele::replay
