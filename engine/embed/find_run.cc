#include "engine/embed/find_run.h"

#include <fmt/format.h>

#include <charconv>

namespace stele::embed {

namespace {

// 0: the word names no run.
uint64_t RunNumberOf(const std::string& word) {
  const size_t hash = word.rfind('#');
  if (hash == std::string::npos) return 0;
  uint64_t number = 0;
  const char* end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data() + hash + 1, end, number);
  return error == std::errc() && rest == end ? number : 0;
}

}  // namespace

stele::Result<const model::StepRun*> FindRun(
    const model::Instance& instance, const definition::Definition& definition,
    const std::string& word, const std::function<bool(const model::StepRun&)>& fits) {
  const uint64_t number = RunNumberOf(word);
  const std::string step = number == 0 ? word : word.substr(0, word.rfind('#'));
  const model::StepRun* found = nullptr;
  for (const model::StepRun& run : instance.runs) {
    if (number != 0 && run.id.value != number) continue;
    if ((number == 0 || !step.empty()) && definition.step(run.step).id != step) continue;
    if (!fits(run)) continue;
    if (found != nullptr)
      return Fail(ErrorCode::kUnknownRun,
                  fmt::format("Expected one run of \"{}\" that this can be asked of but found "
                              "several, \"{}#{}\" and \"{}#{}\" among them",
                              step, step, found->id.value, step, run.id.value));
    found = &run;
  }
  if (found != nullptr) return found;
  return Fail(ErrorCode::kUnknownRun,
              fmt::format("Expected an open step \"{}\" of instance {} that this can be asked of "
                          "but found none",
                          word, instance.id.value));
}

}  // namespace stele::embed
