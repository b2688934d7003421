#include "replay/what_if/path.h"

#include <algorithm>

#include "engine/model/event_json.h"

namespace stele::replay {

namespace {

using model::Event;

PathEvent Shown(const Event& event, Seq seq, TimeUs time,
                const definition::Definition& definition) {
  return {seq, time, model::EventToJson(event, &definition).as_object()};
}

// Without the way on which a token came.
Object Told(const Event& event, const definition::Definition& definition) {
  Object told = model::EventToJson(event, &definition).as_object();
  told.Erase("via");
  return told;
}

}  // namespace

void Path::Migrate(std::shared_ptr<const definition::Definition> as_told) {
  as_told_ = std::move(as_told);
  own_definition_ = as_told_.get();
}

bool Path::AreSame(const Event& recorded, const Event& now) const {
  if (as_told_ == nullptr) return recorded == now;
  return recorded.index() == now.index() &&
         Told(recorded, *recorded_definition_) == Told(now, *own_definition_);
}

// How tokens travel, and what passes by steps that only one version has: what comes of them is in
// other events.
bool Path::IsBeside(const Event& event, const definition::Definition& own,
                    const definition::Definition& other) const {
  if (as_told_ == nullptr) return false;
  const auto lacks = [&](StepIndex step) { return other.FindStep(own.step(step).id) == nullptr; };
  if (const auto* passed = std::get_if<model::StepPassed>(&event)) return lacks(passed->step);
  if (const auto* skipped = std::get_if<model::StepSkipped>(&event)) return lacks(skipped->step);
  return std::holds_alternative<model::TokenArrived>(event);
}

size_t Path::NextThatCounts(const std::vector<Event>& events, size_t at,
                            const definition::Definition& own,
                            const definition::Definition& other) const {
  while (at < events.size() && IsBeside(events[at], own, other)) ++at;
  return at;
}

// Both courses migrate to the version that a recorded event names.
void Path::Follow(const std::vector<Event>& events) {
  followed_ += events.size();
  for (const Event& event : events)
    if (const auto* migrated = std::get_if<model::InstanceMigrated>(&event))
      recorded_definition_ = own_definition_ =
          registry_.Find(migrated->definition)->definition.get();
}

void Path::Take(const std::vector<Event>& events, Seq first, TimeUs time) {
  if (parting_.has_value()) {
    // The record in which it left was no longer than the recorded one until there.
    if (!parting_->now.has_value())
      parting_->now = Shown(events.front(), first, time, *own_definition_);
    return;
  }
  if (next_ == course_.records().size()) {
    beyond_ += events.size();
    return;
  }
  const CourseRecord& record = course_.records()[next_];
  const std::vector<Event> recorded = course_.EventsOf(next_++);
  size_t then = 0, now = 0;
  for (;; ++then, ++now) {
    then = NextThatCounts(recorded, then, *recorded_definition_, *own_definition_);
    now = NextThatCounts(events, now, *own_definition_, *recorded_definition_);
    if (then == recorded.size() || now == events.size() || !AreSame(recorded[then], events[now]))
      break;
  }
  if (then == recorded.size() && now == events.size()) return Follow(recorded);
  followed_ += then;
  parting_.emplace();
  if (then < recorded.size())
    parting_->recorded =
        Shown(recorded[then], record.first.Plus(then), record.context.time, *recorded_definition_);
  else
    ShowNextRecorded();
  if (now < events.size())
    parting_->now = Shown(events[now], first.Plus(now), time, *own_definition_);
}

void Path::ShowNextRecorded() {
  if (next_ == course_.records().size()) return;
  const CourseRecord& record = course_.records()[next_];
  parting_->recorded = Shown(course_.EventsOf(next_).front(), record.first, record.context.time,
                             *recorded_definition_);
}

void Path::End() {
  if (parting_.has_value() || next_ == course_.records().size()) return;
  parting_.emplace();
  ShowNextRecorded();
}

}  // namespace stele::replay
