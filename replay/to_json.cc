#include "replay/to_json.h"

#include "engine/model/event_json.h"
#include "engine/model/names.h"
#include "replay/state_members.h"

namespace stele::replay {

namespace {

void AddTask(Object& object, const Waiting& waiting) {
  const model::HumanTask& task = *waiting.task;
  object.Set("type", waiting.type);
  object.Set("title", waiting.title);
  object.Set("assignees", Texts(task.assignees));
  object.Set("groups", Texts(task.groups));
  object.Set("claimed_by", task.claimed_by.empty() ? Value() : Value(task.claimed_by));
  object.Set("min_approvers", static_cast<int64_t>(task.min_approvers));
  object.Set("votes", VotesToJson(task.votes));
}

}  // namespace

Array VotesToJson(const std::vector<model::Vote>& all) {
  Array votes;
  for (const model::Vote& vote : all)
    votes.push_back(Object{{"person", vote.person},
                           {"approved", vote.approved},
                           {"comment", vote.comment},
                           {"time", vote.time.value}});
  return votes;
}

Array WaitsToJson(const std::vector<model::Wait>& all) {
  Array waits;
  for (const model::Wait& wait : all) {
    Members out;
    out.Word("kind", model::EnumName(wait.kind));
    out("event", wait.event);
    out("name", wait.name);
    out("key", wait.key);
    out("due", wait.due);
    waits.push_back(out.Take());
  }
  return waits;
}

Object ToJson(const HistoryEntry& entry, const definition::Definition* definition) {
  Object document{{"seq", static_cast<int64_t>(entry.seq.value)},
                  {"position", static_cast<int64_t>(entry.record.position.value)},
                  {"time", entry.record.time.value}};
  if (!entry.actor.empty()) document.Set("actor", entry.actor);
  if (!entry.source.empty()) document.Set("source", entry.source);
  if (entry.erased) document.Set("erased", true);
  Value event = model::EventToJson(entry.event, definition);
  for (Member& member : event.as_object()) document.Set(member.key, std::move(member.value));
  return document;
}

Value WaitingToJson(const Waiting& waiting) {
  Object object{{"for", WaitForName(waiting.what)}};
  if (waiting.run) {
    object.Set("run", static_cast<int64_t>(waiting.run.value));
    object.Set("step", waiting.step);
    object.Set("label", waiting.label);
    object.Set("since", waiting.since.value);
  }
  if (waiting.task != nullptr) AddTask(object, waiting);
  if (waiting.what == WaitFor::kMessage) object.Set("events", WaitsToJson(waiting.waits));
  if (waiting.what == WaitFor::kChild)
    object.Set("child", static_cast<int64_t>(waiting.child.value));
  if (waiting.what == WaitFor::kOperator)
    object.Set("error", Object{{"kind", waiting.kind}, {"message", waiting.message}});
  if (waiting.what == WaitFor::kWorker) object.Set("type", waiting.type);
  if (waiting.due) object.Set("due", waiting.due.value);
  return object;
}

Array StandingToJson(const Standing& standing) {
  Array array;
  for (const Waiting& waiting : standing.waits) array.push_back(WaitingToJson(waiting));
  return array;
}

Array StepsToJson(const Timeline& timeline) {
  Array steps;
  for (const StepLine& line : timeline.lines()) {
    Object step{{"step", line.id}, {"label", line.label}, {"state", StepStateName(line.state)}};
    if (line.run) step.Set("run", static_cast<int64_t>(line.run.value));
    if (line.purpose != model::Purpose::kNormal) step.Set("purpose", model::EnumName(line.purpose));
    if (!line.attempts.empty())
      step.Set("attempts", static_cast<int64_t>(line.attempts.back().number));
    step.Set("started", line.started.value);
    if (line.ended) step.Set("ended", line.ended.value);
    if (line.due) step.Set("due", line.due.value);
    if (line.output.has_value()) step.Set("output", line.output.value());
    if (line.child) step.Set("child", static_cast<int64_t>(line.child.value));
    if (!line.claimed_by.empty()) step.Set("claimed_by", line.claimed_by);
    if (!line.votes.empty()) step.Set("votes", VotesToJson(line.votes));
    const bool failed = line.state != StepState::kCompleted && !line.kind.empty();
    if (failed) step.Set("error", Object{{"kind", line.kind}, {"message", line.message}});
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace stele::replay
