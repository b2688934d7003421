// `stele fork`: what would have become of an instance (--dry), or another one that goes on from
// there (--live).
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/given_definition.h"
#include "cli/live_fork.h"
#include "cli/open_data.h"
#include "cli/past/past_text.h"
#include "cli/source.h"
#include "cli/stubs.h"
#include "cli/text.h"
#include "cli/waiting_text.h"
#include "engine/model/names.h"
#include "replay/json_patch.h"
#include "replay/past_state.h"
#include "replay/what_if/what_if.h"

namespace stele::cli {

namespace {

using replay::WhatIfReport;
using Rows = std::vector<std::vector<std::string>>;

constexpr size_t kShownInEvent = 10;  // of what differs in an event
constexpr size_t kShownLines = 40;    // of changes, steps, and causes that were not used

std::string EventLine(const std::optional<replay::PathEvent>& event, std::string_view otherwise) {
  if (!event.has_value()) return std::string(otherwise);
  Object shown{{"seq", static_cast<int64_t>(event->seq.value)}, {"time", event->time.value}};
  for (const Member& member : event->event) shown.Set(member.key, member.value);
  const Value value(std::move(shown));
  return EventPhrase(Document(value));
}

std::string Changes(const WhatIfReport& report, const Terminal& terminal) {
  std::string text;
  if (report.to_version != 0) text += fmt::format("  version {}\n", report.to_version);
  for (const model::NamedPayload& set : report.sets)
    text += fmt::format("  set {} = {}\n", Clean(set.name),
                        Cut(Inline(set.value.value()), ValueWidth(terminal)));
  for (const replay::Stub& stub : report.stubs)
    text += fmt::format("  stub {} = {}\n", Clean(stub.name),
                        Cut(Inline(stub.output.value()), ValueWidth(terminal)));
  return text;
}

// Two events of one kind are told alike: what differs in them.
std::string WithinEvent(const replay::Parting& parting, const Terminal& terminal) {
  if (!parting.recorded.has_value() || !parting.now.has_value()) return "";
  const Value from(parting.recorded->event);
  const Value to(parting.now->event);
  if (*from.Find("event") != *to.Find("event")) return "";
  return ChangeTree(replay::ChangesToJson(replay::DifferencesBetween(from, to)), terminal,
                    kShownInEvent);
}

std::string Way(const WhatIfReport& report, const Terminal& terminal) {
  if (!report.parting.has_value()) {
    std::string text =
        fmt::format("it follows the recorded path to its end, {}", Count(report.followed, "event"));
    if (report.beyond > 0) text += fmt::format(", and goes on for {} more", report.beyond);
    return text + "\n";
  }
  const replay::Parting& parting = *report.parting;
  const std::string recorded = "- " + EventLine(parting.recorded, "nothing more is recorded");
  const std::string now = "+ " + EventLine(parting.now, "nothing more happens");
  return fmt::format("it leaves the recorded path behind {}:\n  {}\n  {}\n{}",
                     Count(report.followed, "event"), terminal.Paint(Colour::kRed, recorded),
                     terminal.Paint(Colour::kGreen, now), WithinEvent(parting, terminal));
}

std::string Results(const WhatIfReport& report) {
  const replay::ResultCounts& results = report.results;
  std::string text;
  const auto add = [&](uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  add(results.reused, "as recorded");
  add(results.assumed, "assumed, as their steps are handed something else");
  add(results.stubbed, "stubbed");
  add(results.repeated, "repeated from the step's last output");
  if (text.empty()) text = "none";
  return fmt::format("results of tasks: {} (recorded: {})\n", text, results.recorded);
}

std::string Outcome(const std::optional<replay::StepOutcome>& outcome) {
  if (!outcome.has_value()) return "";
  std::string text(replay::StepStateName(outcome->state));
  if (outcome->attempts > 1) text += fmt::format(" in {} attempts", outcome->attempts);
  if (outcome->state != replay::StepState::kCompleted && !outcome->kind.empty())
    text += ": " + Clean(outcome->kind);
  return text;
}

std::string StepTable(const WhatIfReport& report, const Terminal& terminal) {
  if (report.steps.list.empty()) return "";
  Rows rows{{"STEP", "RECORDED", "NOW", "OUTPUT NOW"}};
  for (const replay::StepChange& change : report.steps.list) {
    if (rows.size() > kShownLines) break;
    std::string label = Clean(change.label);
    if (!change.now_called.empty()) label += " (now " + Clean(change.now_called) + ")";
    if (change.purpose != model::Purpose::kNormal)
      label += fmt::format(" ({})", model::EnumName(change.purpose));
    const bool gives = change.now.has_value() && change.now->output.has_value();
    rows.push_back(
        {label, Outcome(change.recorded), Outcome(change.now),
         gives ? Cut(Inline(change.now->output.value()), ValueWidth(terminal) / 2) : ""});
  }
  std::string text = "\n" + Table(terminal, rows);
  const uint64_t shown = rows.size() - 1;
  if (report.steps.count > shown)
    text += fmt::format("… and {} more\n", report.steps.count - shown);
  return text;
}

std::string Unused(const WhatIfReport& report) {
  if (report.unused == 0) return "";
  std::string text = "\nrecorded, but of no use here:\n";
  const size_t shown = std::min(kShownLines, report.unused_causes.size());
  for (size_t i = 0; i < shown; ++i) {
    const replay::UnusedCause& cause = report.unused_causes[i];
    text += fmt::format("  {}: {}\n", EventLine(cause.event, ""), Clean(cause.why));
  }
  if (report.unused > shown) text += fmt::format("  … and {} more\n", report.unused - shown);
  return text;
}

std::string Ended(const WhatIfReport& report, const Terminal& terminal) {
  Rows rows{{"", "RECORDED", "NOW"}};
  const auto row = [&](std::string what, std::string recorded, std::string now) {
    if (!recorded.empty() || !now.empty())
      rows.push_back({std::move(what), std::move(recorded), std::move(now)});
  };
  const auto output = [&](const replay::CourseOutcome& outcome) {
    return outcome.output.has_value()
               ? Cut(Inline(outcome.output.value()), ValueWidth(terminal) / 2)
               : "";
  };
  const auto error = [&](const replay::CourseOutcome& outcome) {
    return outcome.failure.kind.empty()
               ? ""
               : Clean(fmt::format("{}: {}", outcome.failure.kind, outcome.failure.message));
  };
  row("status", report.recorded.status, report.now.status);
  row("last event", fmt::format("{}", report.recorded.seq.value),
      fmt::format("{}", report.now.seq.value));
  row("at", Time(report.recorded.time), Time(report.now.time));
  row("output", output(report.recorded), output(report.now));
  row("error", error(report.recorded), error(report.now));
  std::string text = "\n" + Table(terminal, rows);
  for (const replay::Unanswered& one : report.unanswered)
    text += fmt::format(
        "it waits for a result of {} ({}): none is recorded; --stub {}=JSON gives one\n",
        Clean(one.label), Clean(one.type), Clean(one.step));
  if (report.end == replay::CourseEnd::kBound)
    text += "it was stopped: it does not end by itself\n";
  return text;
}

void Print(const WhatIfReport& report, const Terminal& terminal) {
  std::string text = fmt::format("a dry fork of instance {} ({}, version {}) behind event {}, {}\n",
                                 report.instance.value, Clean(report.definition), report.version,
                                 report.at.value, Time(report.time));
  if (report.at != report.asked)
    text += fmt::format("  event {} is in the record that ends there\n", report.asked.value);
  text += Changes(report, terminal) + "\n";
  text += Way(report, terminal) + Results(report) + StepTable(report, terminal) + Unused(report) +
          Ended(report, terminal);
  if (!report.changes.empty())
    text += "\nat the end differs:\n" + ChangeTree(report.changes, terminal, kShownLines);
  terminal.Print(text + "\nnothing was recorded\n");
}

// Of "work[2]".
std::string_view StepOf(const replay::StepChange& change) {
  return std::string_view(change.label).substr(0, change.label.find('['));
}

// A step ran that the other version does not have, and now one that this one does not.
bool MayHaveRenamed(const WhatIfReport& report, const definition::Definition& ran,
                    const definition::Definition& runs) {
  const std::vector<replay::StepChange>& steps = report.steps.list;
  return std::ranges::any_of(steps,
                             [&](const auto& step) {
                               return !step.now.has_value() &&
                                      runs.FindStep(StepOf(step)) == nullptr;
                             }) &&
         std::ranges::any_of(steps, [&](const auto& step) {
           return !step.recorded.has_value() && ran.FindStep(StepOf(step)) == nullptr;
         });
}

Result<std::vector<replay::Stub>> GivenStubs(const Arguments& arguments) {
  const auto parsed = ParseStubs(arguments.All("--stub"));
  if (!parsed.has_value()) return std::unexpected(parsed.error());
  std::vector<replay::Stub> stubs;
  for (const Stub& stub : *parsed) stubs.push_back({stub.name, Payload::FromValue(stub.output)});
  return stubs;
}

// What the options ask; the definition is added when the registry is there.
Result<replay::WhatIf> GivenWhatIf(const Arguments& arguments) {
  const Result<InstanceId> instance = ParseInstanceId(arguments.operands()[0]);
  if (!instance.has_value()) return std::unexpected(instance.error());
  const auto at = GivenForkMoment(arguments);
  if (!at.has_value()) return std::unexpected(at.error());
  STELE_RETURN_IF_ERROR(CheckForkDefinition(arguments));
  auto stubs = GivenStubs(arguments);
  if (!stubs.has_value()) return std::unexpected(stubs.error());
  const Result<Payload> plan = GivenObject(arguments, "--plan");
  if (!plan.has_value()) return std::unexpected(plan.error());
  return replay::WhatIf{
      .instance = *instance,
      .at = *at,
      .plan = std::string(plan->text()),
      .variables =
          [words = arguments.All("--set")](const definition::Definition& definition) {
            return GivenVariables(words, "--set NAME=JSON", definition.bodies[0].variables);
          },
      .stubs = *std::move(stubs)};
}

int ForkDry(const Arguments& arguments, const Terminal& terminal) {
  auto what_if = GivenWhatIf(arguments);
  if (!what_if.has_value()) return Refuse(terminal, what_if.error());
  const auto source = OpenSource(arguments);
  if (!source.has_value()) return Refuse(terminal, source.error());
  auto registry = replay::ReadRegistry(**source);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  const auto definition = GivenDefinition(arguments, terminal, *registry);
  if (!definition.has_value()) return definition.error();
  if (*definition != nullptr) what_if->definition = replay::IdOf(*registry, *definition);
  const auto report = replay::AskWhatIf(**source, *registry, *what_if);
  if (!report.has_value()) return Refuse(terminal, report.error());
  NoteUnknown(terminal, report->unknown);
  if (*definition != nullptr && !arguments.Has("--plan") &&
      MayHaveRenamed(*report, *registry->Version(report->definition, report->version)->definition,
                     **definition))
    terminal.PrintNote(
        "where a step has another id in that version, --plan '{\"OLD\": \"NEW\"}' says so");
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(replay::ToJson(*report))) + "\n");
  } else {
    Print(*report, terminal);
  }
  return kExitDone;
}

}  // namespace

int Fork(const Arguments& arguments, const Terminal& terminal) {
  if (arguments.Has("--dry") == arguments.Has("--live"))
    return Refuse(terminal,
                  {ErrorCode::kUsage,
                   "Expected --dry, which only says what would become of it, or --live, which "
                   "starts another instance there, but found both or neither"});
  return arguments.Has("--dry") ? ForkDry(arguments, terminal)
                                : ForkLive(arguments, terminal, /*resets=*/false);
}

int Reset(const Arguments& arguments, const Terminal& terminal) {
  return ForkLive(arguments, terminal, /*resets=*/true);
}

}  // namespace stele::cli
