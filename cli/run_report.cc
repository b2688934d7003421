#include "cli/run_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "replay/to_json.h"

namespace stele::cli {

using replay::Motion;

namespace {

// A wait that ends sooner is not worth a word.
constexpr int64_t kShortWaitUs = 1'000'000;
// Delays, and what goes on by itself, are told of when they are this long.
constexpr int64_t kLongWaitUs = 10'000'000;

int CodeOf(const ReportOptions& options, const Ending& ending) {
  if (ending.status == "completed") return kExitDone;
  if (ending.status == "failed") return kExitFailed;
  const bool ended = ending.status == "cancelled" || ending.status == "terminated";
  return options.expects_cancelled && ended ? kExitDone : kExitInterrupted;
}

void ReportWaits(const Terminal& terminal, InstanceId instance, const Ending& ending) {
  for (const auto& [sentence, command] : ending.waits)
    terminal.PrintNote(fmt::format("instance {} {}{}{}", instance.value, sentence,
                                   command.empty() ? "" : "; ", command));
}

void ReportInterrupted(const Terminal& terminal, InstanceId instance, const CommandPlace& place) {
  if (place.at_server) return NoteLeft(terminal, instance, place);
  terminal.PrintNote(fmt::format("instance {} is interrupted; \"stele resume{}\" continues it",
                                 instance.value, place.option));
}

void ReportText(const Terminal& terminal, const ReportOptions& options, InstanceId instance,
                const FollowedRun& run) {
  const Ending& ending = *run.ending;
  if (!ending.waits.empty()) return ReportWaits(terminal, instance, ending);
  if (ending.status == "interrupted") return ReportInterrupted(terminal, instance, options.place);
  const std::string took =
      Duration(std::max<int64_t>(ending.ended.value - run.timeline->started().value, 0));
  const bool good =
      ending.status == "completed" || (options.expects_cancelled && CodeOf(options, ending) == 0);
  if (!options.quiet)
    terminal.Print(fmt::format("instance {} {} in {}\n", instance.value,
                               terminal.Paint(good ? Colour::kGreen : Colour::kRed, ending.status),
                               took));
  if (ending.output.has_value() && ending.output.value().is_object()) {
    std::string outputs;
    for (const Member& output : ending.output.value().as_object())
      outputs += fmt::format("  {}: {}\n", Clean(output.key), Inline(output.value));
    if (!outputs.empty()) terminal.Print("outputs\n" + outputs);
  }
  if (ending.failure.kind.empty() || ending.status != "failed") return;
  const replay::StepLine* line = run.timeline->FindRun(ending.failure.run);
  terminal.PrintError({ErrorCode::kTaskFailed,
                       fmt::format("Expected instance {} to complete but it failed{}: {}: {}",
                                   instance.value, line == nullptr ? "" : " at " + line->label,
                                   ending.failure.kind, ending.failure.message)});
}

}  // namespace

Ending EndingOf(const model::Instance& instance) {
  return {.status = std::string(model::StatusName(instance.status)),
          .output = instance.output,
          .failure = instance.failure,
          .ended = instance.ended,
          .waiting_for = {},
          .waits = {}};
}

Ending StandingEnding(const model::Instance& instance, const replay::Standing& standing,
                      const CommandPlace& place, TimeUs now) {
  Ending ending{.status = "interrupted",
                .output = {},
                .failure = {},
                .ended = now,
                .waiting_for = {},
                .waits = {}};
  if (standing.motion == Motion::kWork || standing.waits.empty()) return ending;
  ending.status = StatusWord(instance, standing);
  ending.waiting_for = StandingToJson(standing);
  for (const replay::Waiting& waiting : standing.waits)
    ending.waits.emplace_back(WaitSentence(waiting),
                              WaitCommand(instance.id, waiting, standing, place));
  return ending;
}

void NoteLeft(const Terminal& terminal, InstanceId instance, const CommandPlace& place) {
  terminal.PrintNote(
      fmt::format("instance {} is left to the server; \"stele status {}{}\" shows how it goes on",
                  instance.value, instance.value, place.option));
}

int ReportRuns(const Terminal& terminal, const ReportOptions& options,
               const std::map<InstanceId, FollowedRun>& runs, bool one) {
  int code = kExitDone;
  Array documents;
  for (const auto& [id, run] : runs) {
    if (!run.timeline.has_value()) continue;
    const int own = CodeOf(options, *run.ending);
    if (own == kExitFailed || code == kExitDone) code = own;
    if (options.json) {
      documents.push_back(RunToJson(id, *run.ending, *run.timeline));
    } else {
      ReportText(terminal, options, id, run);
    }
  }
  if (options.json && (!one || !documents.empty()))
    terminal.Print(CleanJson(ToPrettyJson(one ? documents.front() : Value(std::move(documents)))) +
                   "\n");
  if (options.cut_off) return code == kExitFailed ? code : kExitInterrupted;
  return code;
}

void MomentTeller::Look(const model::Instance& instance, const definition::Definition& definition,
                        const replay::Standing& standing, Motion motion, TimeUs now,
                        const Tell& tell) {
  const auto once = [&](RunId run, const std::string& what, TimeUs due) {
    if (told_.insert({instance.id, run, due}).second)
      tell(fmt::format("instance {} waits for {} until {}; an interrupt (Ctrl-C) leaves it",
                       instance.id.value, what, Time(due)));
  };
  if (motion == Motion::kMoment)
    for (const replay::Waiting& waiting : standing.waits)
      if (waiting.what == replay::WaitFor::kMessage && waiting.due > now.Plus(kShortWaitUs))
        once(waiting.run, WaitPhrase(waiting), waiting.due);
  for (const model::StepRun& run : instance.runs) {
    const bool delays = run.state == model::RunState::kDelay;
    if (instance.paused || (!delays && run.state != model::RunState::kBackoff)) continue;
    if (run.due > now.Plus(kLongWaitUs))
      once(run.id,
           fmt::format("{} \"{}\"", delays ? "the delay of" : "the next attempt at",
                       replay::LabelOf(instance, definition, run)),
           run.due);
  }
}

}  // namespace stele::cli
