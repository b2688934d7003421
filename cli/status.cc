// `stele status`: an instance as it is.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/json_report.h"
#include "cli/recorded.h"
#include "cli/text.h"
#include "cli/waiting_text.h"
#include "engine/model/names.h"
#include "replay/to_json.h"

namespace stele::cli {

namespace {

uint32_t VersionOf(const Recorded& recorded) {
  return recorded.registry.Find(recorded.instance.definition)->version;
}

Value TextOrNull(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

Object VariablesOf(const model::Instance& instance) {
  Object variables;
  for (const model::NamedPayload& variable : instance.scopes[0].variables)
    variables.Set(variable.name, variable.value.value());
  return variables;
}

Value ToJson(const Recorded& recorded) {
  const model::Instance& instance = recorded.instance;
  Object document = RunToJson(instance.id,
                              {.status = StatusWord(instance, recorded.standing),
                               .output = instance.output,
                               .failure = replay::FailureOf(instance),
                               .ended = instance.ended,
                               .waiting_for = StandingToJson(recorded.standing)},
                              *recorded.timeline);
  document.Set("version", static_cast<int64_t>(VersionOf(recorded)));
  document.Set("priority", static_cast<int64_t>(instance.priority));
  document.Set("business_key", TextOrNull(instance.business_key));
  document.Set("idempotency_key", TextOrNull(instance.idempotency_key));
  Array tags;
  for (const std::string& tag : instance.tags) tags.emplace_back(tag);
  document.Set("tags", std::move(tags));
  document.Set("parent", instance.parent_instance
                             ? Value(static_cast<int64_t>(instance.parent_instance.value))
                             : Value());
  document.Set("origin",
               instance.origin
                   ? Value(Object{{"instance", static_cast<int64_t>(instance.origin.value)},
                                  {"seq", static_cast<int64_t>(instance.origin_seq.value)}})
                   : Value());
  document.Set("deadline", instance.deadline ? Value(instance.deadline.value) : Value());
  document.Set("input", instance.input.has_value() ? instance.input.value() : Value());
  document.Set("variables", VariablesOf(instance));
  document.Set("started", instance.started.value);
  document.Set("ended", instance.ended ? Value(instance.ended.value) : Value());
  return document;
}

std::string NoteOf(const replay::StepLine& line) {
  std::string note;
  const auto add = [&](std::string part) { note += (note.empty() ? "" : ", ") + std::move(part); };
  if (line.purpose != model::Purpose::kNormal) add(std::string(model::EnumName(line.purpose)));
  if (line.state != replay::StepState::kCompleted && !line.kind.empty())
    add(fmt::format("{}: {}", line.kind, line.message));
  if (line.due) add("due " + Time(line.due));
  if (line.child) add(fmt::format("instance {}", line.child.value));
  if (!line.claimed_by.empty()) add("claimed by " + line.claimed_by);
  for (const model::Vote& vote : line.votes)
    add(fmt::format("{} {}{}", vote.person, vote.approved ? "approved" : "rejected",
                    vote.comment.empty() ? "" : ": " + vote.comment));
  return note;
}

// How many there were. A fork goes on with the numbers of its origin. The first attempt of what has
// steps inside, or waits, is none of its own: its numbers alone do not say who made it.
std::string AttemptsOf(const replay::Timeline& timeline, const replay::StepLine& line) {
  if (line.attempts.empty()) return "";
  const bool was_taken_over = line.started < timeline.started();
  const uint32_t before = was_taken_over ? line.attempts.front().number - 1 : 0;
  return fmt::format("{}{}", line.attempts.back().number,
                     before == 0 ? "" : fmt::format(" ({} before the fork)", before));
}

std::string StepTable(const replay::Timeline& timeline) {
  std::vector<std::vector<std::string>> rows{{"STEP", "STATE", "ATTEMPTS", "TOOK", "NOTE"}};
  for (const replay::StepLine& line : timeline.lines()) {
    rows.push_back({Clean(line.label), std::string(replay::StepStateName(line.state)),
                    AttemptsOf(timeline, line),
                    line.run && line.ended ? Duration(timeline.Took(line, line.ended)) : "",
                    Clean(NoteOf(line))});
  }
  return Table(rows);
}

void Print(const Recorded& recorded, const CommandPlace& place, const Terminal& terminal) {
  const model::Instance& instance = recorded.instance;
  std::vector<std::vector<std::string>> rows{
      {"instance", fmt::format("{}", instance.id.value)},
      {"definition",
       fmt::format("{} version {}", Clean(recorded.definition->name), VersionOf(recorded))},
      {"status", StatusWord(instance, recorded.standing)},
      {"started", Time(instance.started)},
      {"ended", Time(instance.ended)}};
  const auto add = [&](const char* title, const std::string& text) {
    if (!text.empty()) rows.push_back({title, Clean(text)});
  };
  add("business key", instance.business_key);
  add("idempotency key", instance.idempotency_key);
  add("tags", fmt::format("{}", fmt::join(instance.tags, ", ")));
  if (instance.priority != 0) add("priority", fmt::format("{}", instance.priority));
  if (instance.parent_instance)
    add("called by", fmt::format("instance {}", instance.parent_instance.value));
  if (instance.origin)
    add(instance.ends_origin ? "reset from" : "forked from",
        fmt::format("instance {}, event {}", instance.origin.value, instance.origin_seq.value));
  if (instance.deadline) add("deadline", Time(instance.deadline));
  if (const model::Failure& failure = replay::FailureOf(instance); !failure.kind.empty())
    rows.push_back({"error", Clean(failure.kind + ": " + failure.message)});
  if (const model::Timer timer = model::NextTimer(instance); timer.at)
    rows.push_back(
        {"next timer", fmt::format("{} ({})", Time(timer.at), model::EnumName(timer.kind))});
  for (const replay::Waiting& waiting : recorded.standing.waits) {
    const std::string command = WaitCommand(instance.id, waiting, recorded.standing, place);
    rows.push_back({"waits for", Clean(WaitPhrase(waiting))});
    if (!command.empty()) rows.push_back({"", Clean(command)});
  }
  std::string text = Table(rows) + "\n" + StepTable(*recorded.timeline);
  const auto section = [&](std::string_view title, const Value& values) {
    if (!values.is_object() || values.as_object().empty()) return;
    text += fmt::format("\n{}\n", title);
    for (const Member& member : values.as_object())
      text += fmt::format("  {}: {}\n", Clean(member.key), Inline(member.value));
  };
  if (instance.input.has_value()) section("input", instance.input.value());
  section("variables", VariablesOf(instance));
  if (instance.output.has_value()) section("outputs", instance.output.value());
  terminal.Print(text);
}

}  // namespace

int ShowStatus(const Arguments& arguments, const Terminal& terminal) {
  const auto recorded = ReadRecorded(arguments);
  if (!recorded.has_value()) return Refuse(terminal, recorded.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(ToJson(**recorded))) + "\n");
  } else {
    Print(**recorded, PlaceOf(arguments), terminal);
  }
  return kExitDone;
}

}  // namespace stele::cli
