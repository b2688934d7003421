// `stele triggers list | show | next`: what is recorded of triggers.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/json.h"
#include "cli/asked_names.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/source.h"
#include "cli/text.h"
#include "cli/trigger_operation.h"
#include "engine/triggers/declared.h"
#include "engine/triggers/firing_input.h"
#include "replay/history.h"

namespace stele::cli {

namespace {

// How many firings came to what, by the first word of their outcome.
using Outcomes = std::map<std::string, uint64_t, std::less<>>;

struct RecordedTriggers {
  model::Registry registry;
  triggers::TriggerTable table;
  std::map<TriggerId, Outcomes> outcomes;

  void Apply(const model::Event& event, const model::RecordContext& context) {
    table.Apply(event, context);
    if (const auto* fired = std::get_if<model::TriggerFired>(&event))
      ++outcomes[fired->trigger][fired->outcome.substr(0, fired->outcome.find_first_of(": "))];
  }
};

Result<RecordedTriggers> ReadTriggers(const Arguments& arguments) {
  const auto source = OpenSource(arguments, Firings::kWith);
  if (!source.has_value()) return std::unexpected(source.error());
  RecordedTriggers read;
  auto registry = replay::ReadRegistry(
      **source, [&](const replay::HistoryEntry& entry) { read.Apply(entry.event, entry.record); });
  if (!registry.has_value()) return std::unexpected(registry.error());
  read.registry = *std::move(registry);
  return read;
}

// A server keeps those of some definitions back.
bool IsKeptBack(const triggers::KnownTrigger& trigger) {
  return trigger.definition.empty();
}

// When a schedule fires next; nothing for other kinds and those that are not active.
std::vector<triggers::Firing> NextFirings(const triggers::KnownTrigger& trigger, TimeUs now,
                                          size_t count) {
  std::vector<triggers::Firing> firings;
  if (trigger.As<triggers::ScheduleTrigger>() == nullptr || !trigger.active()) return firings;
  const triggers::Schedule schedule = triggers::ScheduleOf(trigger);
  auto next = schedule.NextFiring(std::max(now.value, trigger.last_scheduled.value));
  while (next && firings.size() < count) {
    firings.push_back(*next);
    next = schedule.NextFiring(next->scheduled_us);
  }
  return firings;
}

Object OutcomesOf(const RecordedTriggers& read, TriggerId trigger) {
  Object object;
  const auto found = read.outcomes.find(trigger);
  if (found == read.outcomes.end()) return object;
  for (const auto& [outcome, count] : found->second)
    object.Set(outcome, static_cast<int64_t>(count));
  return object;
}

// "399 skipped, 5 started".
std::string OutcomesText(const RecordedTriggers& read, TriggerId trigger) {
  constexpr std::pair<std::string_view, std::string_view> kSaid[] = {
      {"start", "started"}, {"buffer", "buffered"}, {"skip", "skipped"}};
  std::string text;
  for (const Member& member : OutcomesOf(read, trigger)) {
    const auto said =
        std::ranges::find(kSaid, member.key, &std::pair<std::string_view, std::string_view>::first);
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", member.value.as_int(),
                        said == std::end(kSaid) ? Clean(member.key) : std::string(said->second));
  }
  return text.empty() ? "-" : text;
}

Object ToJson(const RecordedTriggers& read, const triggers::KnownTrigger& trigger) {
  const model::RegisteredTrigger& registered = *read.registry.Find(trigger.id);
  Object object{{"trigger", static_cast<int64_t>(trigger.id.value)},
                {"definition", trigger.definition},
                {"name", trigger.stored.name},
                {"kind", trigger.kind},
                {"declared", trigger.stored.declared},
                {"state", model::TriggerStateName(trigger.state)},
                {"config", trigger.stored.trigger},
                {"since", trigger.since.value},
                {"fired", static_cast<int64_t>(registered.fired)},
                {"outcomes", OutcomesOf(read, trigger.id)},
                {"last_time", registered.last_time ? Value(registered.last_time.value) : Value()},
                {"last_outcome", registered.last_outcome}};
  if (!trigger.reason.empty()) object.Set("reason", trigger.reason);
  if (!trigger.fault.empty()) object.Set("fault", trigger.fault);
  if (const auto* webhook = trigger.As<triggers::WebhookConfig>())
    object.Set("path", webhook->path);
  const auto next = NextFirings(trigger, SystemClock().Now(), 1);
  if (!next.empty()) object.Set("next", triggers::MomentText(next[0].scheduled_us));
  return object;
}

// Those that definitions declare and no `stele serve` has taken up yet.
std::vector<std::vector<std::string>> Declared(const RecordedTriggers& read) {
  std::set<std::string> names;
  for (const auto& definition : read.registry.definitions)
    if (replay::MayBeRead(definition)) names.insert(definition.name);
  std::vector<std::vector<std::string>> rows;
  for (const std::string& name : names) {
    const auto changes = triggers::PlanDeclared(read.registry, name, [&](TriggerId id) {
      const auto* known = read.table.Find(id);
      return known == nullptr || known->reason != triggers::kNotDeclared;
    });
    for (const auto& one : changes.added)
      rows.push_back(
          {"-", Clean(name), Clean(one.stored.name), one.kind, "declared", "-", "-", "-", ""});
  }
  return rows;
}

// What its last firing came to, for people. A firing may wait for its definition: it is one
// whether its instance has started or not.
std::string OutcomeText(const model::Registry& registry, const triggers::KnownTrigger& trigger) {
  const std::string& outcome = registry.Find(trigger.id)->last_outcome;
  if (outcome == "buffer") return "fired, in line";
  if (outcome != "start") return Cut(Clean(outcome), 60);
  return registry.Startable(trigger.definition) != nullptr
             ? "fired"
             : "fired; no version of its definition is active";
}

Result<const triggers::KnownTrigger*> Find(const RecordedTriggers& read, const std::string& word) {
  const Result<TriggerId> id = ParseTriggerId(word);
  if (!id.has_value()) return std::unexpected(id.error());
  const auto* known = read.table.Find(*id);
  if (known != nullptr && !IsKeptBack(*known)) return known;
  return Fail(ErrorCode::kUnknownTrigger,
              fmt::format("Expected a trigger but found no {}", id->value));
}

// --kind in the spelling that triggers have: "cron" is "schedule".
std::string KindAsked(const Arguments& arguments) {
  const std::string word = arguments.Get("--kind");
  const std::string_view known = triggers::KindWrittenAs(word);
  return known.empty() ? word : std::string(known);
}

// An empty list for a name that nothing has would say that there is nothing to see.
void NoteUnknown(const Arguments& arguments, const RecordedTriggers& read,
                 const Terminal& terminal) {
  std::vector<std::string> kinds = triggers::KindNames();
  for (const auto& [id, trigger] : read.table.all()) kinds.push_back(trigger.kind);
  std::vector<std::string> names;
  for (const auto& registered : read.registry.definitions) names.push_back(registered.name);
  NoteUnknownName(terminal, "definition", arguments.Get("--definition"), names);
  NoteUnknownName(terminal, "kind of triggers", KindAsked(arguments), kinds);
}

// What --all, --definition, --kind and --next leave, in their order.
std::vector<const triggers::KnownTrigger*> Wanted(const Arguments& arguments,
                                                  const RecordedTriggers& read, TimeUs now) {
  std::vector<std::pair<int64_t, const triggers::KnownTrigger*>> wanted;
  for (const auto& [id, trigger] : read.table.all()) {
    const auto fits = [&](const std::string& asked, const std::string& value) {
      return asked.empty() || asked == value;
    };
    const bool removed = trigger.state == model::TriggerState::kRemoved;
    if (IsKeptBack(trigger) || (removed && !arguments.Has("--all")) ||
        !fits(arguments.Get("--definition"), trigger.definition) ||
        !fits(KindAsked(arguments), trigger.kind))
      continue;
    const auto next = NextFirings(trigger, now, 1);
    if (arguments.Has("--next") && next.empty()) continue;
    wanted.emplace_back(next.empty() ? 0 : next[0].scheduled_us, &trigger);
  }
  if (arguments.Has("--next"))
    std::ranges::stable_sort(wanted, {}, [](const auto& entry) { return entry.first; });
  std::vector<const triggers::KnownTrigger*> found;
  for (const auto& [at, trigger] : wanted) found.push_back(trigger);
  return found;
}

}  // namespace

int ListTriggers(const Arguments& arguments, const Terminal& terminal) {
  const auto read = ReadTriggers(arguments);
  if (!read.has_value()) return Refuse(terminal, read.error());
  std::vector<std::vector<std::string>> rows{{"ID", "DEFINITION", "NAME", "KIND", "STATE", "FIRED",
                                              "OUTCOMES", "NEXT (UTC)", "LAST OUTCOME"}};
  NoteUnknown(arguments, *read, terminal);
  Array documents;
  const TimeUs now = SystemClock().Now();
  for (const triggers::KnownTrigger* trigger : Wanted(arguments, *read, now)) {
    const model::RegisteredTrigger& registered = *read->registry.Find(trigger->id);
    const auto next = NextFirings(*trigger, now, 1);
    rows.push_back({fmt::format("{}", trigger->id.value), Clean(trigger->definition),
                    Clean(trigger->stored.name), Clean(trigger->kind),
                    std::string(model::TriggerStateName(trigger->state)),
                    fmt::format("{}", registered.fired), OutcomesText(*read, trigger->id),
                    next.empty() ? "-" : Time(TimeUs(next[0].scheduled_us)),
                    OutcomeText(read->registry, *trigger)});
    documents.push_back(ToJson(*read, *trigger));
  }
  if (!arguments.Has("--next")) {
    for (auto& row : Declared(*read)) {
      if ((arguments.Has("--definition") && arguments.Get("--definition") != row[1]) ||
          (arguments.Has("--kind") && KindAsked(arguments) != row[3]))
        continue;
      documents.push_back(Object{{"definition", row[1]},
                                 {"name", row[2]},
                                 {"kind", row[3]},
                                 {"declared", true},
                                 {"state", "declared"}});
      rows.push_back(std::move(row));
    }
  }
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(std::move(documents))) + "\n");
  } else {
    terminal.Print(rows.size() > 1           ? Table(terminal, rows)
                   : arguments.Has("--next") ? "nothing fires by a schedule\n"
                                             : "there are no triggers\n");
  }
  return kExitDone;
}

int ShowTrigger(const Arguments& arguments, const Terminal& terminal) {
  const auto read = ReadTriggers(arguments);
  if (!read.has_value()) return Refuse(terminal, read.error());
  const auto trigger = Find(*read, arguments.operands()[0]);
  if (!trigger.has_value()) return Refuse(terminal, trigger.error());
  const Object document = ToJson(*read, **trigger);
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(document)) + "\n");
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Member& member : document) {
    const bool is_time = member.key == "since" || member.key == "last_time";
    if (member.key == "outcomes") {
      rows.push_back({member.key, OutcomesText(*read, (*trigger)->id)});
      continue;
    }
    if (member.key == "last_outcome") {
      rows.push_back({member.key, OutcomeText(read->registry, **trigger)});
      continue;
    }
    rows.push_back({member.key, is_time && member.value.is_int()
                                    ? Time(TimeUs(member.value.as_int()))
                                    : Inline(member.value)});
  }
  terminal.Print(Table(terminal, rows));
  return kExitDone;
}

int NextOfTrigger(const Arguments& arguments, const Terminal& terminal) {
  size_t count = 10;
  if (arguments.operands().size() > 1) {
    const auto number = ParseNumber(arguments.operands()[1], "how many firings", 1, 1000);
    if (!number.has_value()) return Refuse(terminal, number.error());
    count = static_cast<size_t>(*number);
  }
  const auto read = ReadTriggers(arguments);
  if (!read.has_value()) return Refuse(terminal, read.error());
  const auto trigger = Find(*read, arguments.operands()[0]);
  if (!trigger.has_value()) return Refuse(terminal, trigger.error());
  if ((*trigger)->As<triggers::ScheduleTrigger>() == nullptr)
    return Refuse(terminal, {ErrorCode::kInvalidInput,
                             fmt::format("Expected a schedule but trigger {} is of the kind \"{}\"",
                                         (*trigger)->id.value, (*trigger)->kind)});
  Array documents;
  for (const triggers::Firing& firing : NextFirings(**trigger, SystemClock().Now(), count)) {
    const std::string text = triggers::MomentText(firing.scheduled_us);
    if (arguments.Has("--json")) {
      documents.push_back(
          Object{{"scheduled", text}, {"due", triggers::MomentText(firing.due_us)}});
    } else {
      terminal.Print(text + "\n");
    }
  }
  if (arguments.Has("--json")) terminal.Print(ToPrettyJson(std::move(documents)) + "\n");
  return kExitDone;
}

}  // namespace stele::cli
