#include "engine/requests/find_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <vector>

#include "engine/model/names.h"
#include "replay/standing.h"

namespace stele::requests {

namespace {

using definition::Definition;
using model::Instance;
using model::StepRun;

// The number behind '#'; 0: there is no '#'.
Result<RunId> RunOf(const std::string& word) {
  const size_t mark = word.rfind('#');
  if (mark == std::string::npos) return RunId();
  uint32_t run = 0;
  const char* begin = word.data() + mark + 1;
  const char* last = word.data() + word.size();
  const auto [end, error] = std::from_chars(begin, last, run);
  if (error == std::errc() && end == last && run != 0) return RunId(run);
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected the number of a run behind \"#\" but found \"{}\"", word));
}

std::string KnownSteps(const Definition& definition) {
  std::vector<std::string> ids;
  for (const definition::Step& step : definition.steps) ids.push_back(step.id);
  return fmt::format("{}", fmt::join(ids, ", "));
}

// Whether it is a step's id, or a label: the id with the indices of loops, "ap[39]".
bool HasStep(const Definition& definition, std::string_view word) {
  for (;;) {
    if (definition.FindStep(word) != nullptr) return true;
    const size_t bracket = word.ends_with(']') ? word.rfind('[') : std::string_view::npos;
    if (bracket == std::string_view::npos) return false;
    word = word.substr(0, bracket);
  }
}

// What is said when not one run alone is meant.
std::unexpected<Error> RefuseRuns(const Instance& instance, const Definition& definition,
                                  const std::string& word, std::string_view what,
                                  const std::vector<const StepRun*>& open,
                                  const std::string& states) {
  if (model::HasEnded(instance.status))
    return Fail(ErrorCode::kInstanceEnded,
                fmt::format("Expected instance {} to be open but it has {}", instance.id.value,
                            model::StatusName(instance.status)));
  if (open.empty())
    return Fail(ErrorCode::kWrongState,
                fmt::format("Expected \"{}\" of instance {} to be {} but found {}", word,
                            instance.id.value, what, states.empty() ? "no open run" : states));
  std::vector<std::string> runs;
  for (const StepRun* run : open)
    runs.push_back(fmt::format("{}#{} ({})", definition.step(run->step).id, run->id.value,
                               replay::LabelOf(instance, definition, *run)));
  return Fail(ErrorCode::kWrongState,
              fmt::format("Expected one run but \"{}\" has {} that are open: {}", word, open.size(),
                          fmt::join(runs, ", ")));
}

}  // namespace

Result<RunId> FindOpenRun(const Instance& instance, const Definition& definition,
                          const std::string& word, std::string_view what,
                          const std::function<bool(const StepRun&)>& fits) {
  // A step's id may hold a '#' of its own.
  const Result<RunId> number = HasStep(definition, word) ? Result<RunId>(RunId()) : RunOf(word);
  if (!number.has_value()) return number;
  const std::string id = *number ? word.substr(0, word.rfind('#')) : word;
  const bool any_step = *number && id.empty();
  if (!any_step && !HasStep(definition, id))
    return Fail(ErrorCode::kUnknownRun, fmt::format("Expected one of the steps {} but found \"{}\"",
                                                    KnownSteps(definition), id));
  std::vector<const StepRun*> open;
  std::string states;
  for (const StepRun& run : instance.runs) {
    const bool named =
        (!*number || run.id == *number) && (any_step || definition.step(run.step).id == id ||
                                            replay::LabelOf(instance, definition, run) == id);
    if (!named) continue;
    states += fmt::format("{}#{} is at {}", states.empty() ? "" : ", ", run.id.value,
                          model::EnumName(run.state));
    if (fits(run)) open.push_back(&run);
  }
  if (open.size() == 1) return open[0]->id;
  return RefuseRuns(instance, definition, word, what, open, states);
}

Result<RunId> FindOpenRun(const Instance& instance, const Definition& definition,
                          const std::string& word) {
  return FindOpenRun(instance, definition, word, "open", [](const StepRun&) { return true; });
}

Result<ScopeId> FindScope(const Instance& instance, const Definition& definition,
                          const std::string& word) {
  if (word.empty()) return ScopeId();
  const Result<RunId> run = FindOpenRun(instance, definition, word);
  if (!run.has_value()) return std::unexpected(run.error());
  return instance.FindRun(*run)->scope;
}

}  // namespace stele::requests
