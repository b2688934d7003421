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

}  // namespace

void Path::Migrate(std::shared_ptr<const definition::Definition> as_told) {
  as_told_ = std::move(as_told);
  own_definition_ = as_told_.get();
}

bool Path::AreSame(const Event& recorded, const Event& now) const {
  if (as_told_ == nullptr) return recorded == now;
  return recorded.index() == now.index() && model::EventToJson(recorded, recorded_definition_) ==
                                                model::EventToJson(now, own_definition_);
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
  if (parting_.has_value()) return;
  if (next_ == course_.records().size()) {
    beyond_ += events.size();
    return;
  }
  const CourseRecord& record = course_.records()[next_];
  const std::vector<Event> recorded = course_.EventsOf(next_++);
  const size_t both = std::min(recorded.size(), events.size());
  size_t at = 0;
  while (at < both && AreSame(recorded[at], events[at])) ++at;
  if (at == recorded.size() && at == events.size()) return Follow(recorded);
  followed_ += at;
  parting_.emplace();
  if (at < recorded.size())
    parting_->recorded =
        Shown(recorded[at], record.first.Plus(at), record.context.time, *recorded_definition_);
  if (at < events.size()) parting_->now = Shown(events[at], first.Plus(at), time, *own_definition_);
}

void Path::End() {
  if (parting_.has_value() || next_ == course_.records().size()) return;
  const CourseRecord& record = course_.records()[next_];
  parting_.emplace();
  parting_->recorded = Shown(course_.EventsOf(next_).front(), record.first, record.context.time,
                             *recorded_definition_);
}

}  // namespace stele::replay
