// Follows a course beside the recorded one, record by record, and finds where it leaves that.
//
// Two records are the same when their events are. Of a course in another version of the definition
// events are compared as they are told, with the ids of steps, so that what the version numbers
// otherwise is no difference; nor is how tokens travel there, or that a step is skipped which the
// other version does not have. When a record was written is none either.
//
// Thread: one at a time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/value.h"
#include "engine/definition/definition.h"
#include "engine/model/event.h"
#include "engine/model/registry.h"
#include "replay/what_if/recorded_course.h"

namespace stele::replay {

// An event as it is shown: {event, …} with its members.
struct PathEvent {
  Seq seq;
  TimeUs time;
  Object event;
};

// Where a course leaves the recorded one: the first event that differs. Without the one the course
// of that side goes on no more.
struct Parting {
  std::optional<PathEvent> recorded;
  std::optional<PathEvent> now;
};

class Path {
 public:
  // REQUIRES: the arguments outlive it.
  Path(const RecordedCourse& course, const model::Registry& registry)
      : course_(course),
        registry_(registry),
        recorded_definition_(&course.parted_definition()),
        own_definition_(recorded_definition_) {}

  // From now on the events are those of another version, which `as_told` is with the recorded ids.
  void Migrate(std::shared_ptr<const definition::Definition> as_told);

  // The course's next record; `first` is the seq of its first event.
  void Take(const std::vector<model::Event>& events, Seq first, TimeUs time);
  // There are no more.
  void End();

  const std::optional<Parting>& parting() const { return parting_; }
  // Events that are as recorded, and those behind the end of what is recorded.
  uint64_t followed() const { return followed_; }
  uint64_t beyond() const { return beyond_; }

 private:
  bool AreSame(const model::Event& recorded, const model::Event& now) const;
  bool IsBeside(const model::Event& event, const definition::Definition& own,
                const definition::Definition& other) const;
  // From `at` on, the first that is not beside; their number: there is none.
  size_t NextThatCounts(const std::vector<model::Event>& events, size_t at,
                        const definition::Definition& own,
                        const definition::Definition& other) const;
  void Follow(const std::vector<model::Event>& events);
  void ShowNextRecorded();

  const RecordedCourse& course_;
  const model::Registry& registry_;
  const definition::Definition* recorded_definition_;
  const definition::Definition* own_definition_;
  std::shared_ptr<const definition::Definition> as_told_;  // null: the versions are the same
  size_t next_ = 0;                                        // the recorded record to come
  uint64_t followed_ = 0;
  uint64_t beyond_ = 0;
  std::optional<Parting> parting_;
};

}  // namespace stele::replay
