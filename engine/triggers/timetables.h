// Where each schedule has got to. Says what is due at a moment, and what came too late to be made
// up for. Pure but for its own cursors; knows no clock.
//
// Not for concurrent use.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/triggers/trigger_table.h"

namespace stele::triggers {

struct DueFiring {
  TriggerId trigger;
  int64_t scheduled_us = 0;
};

// Firings of a trigger that are later than it makes up for.
struct MissedFirings {
  TriggerId trigger;
  int64_t last_us = 0;  // the last of them, or a moment behind it
  size_t count = 0;
  bool more = false;  // than were counted
};

class Timetables {
 public:
  // Takes up the schedules of active triggers, each behind what it has fired and not before the
  // trigger was registered or resumed; drops the others.
  void Follow(const TriggerTable& table);

  struct Due {
    std::vector<MissedFirings> missed;
    std::vector<DueFiring> firings;  // of each trigger in its schedule's order
  };
  // What is due by then, at most kMaxFirings of each trigger; NextMoment says when there is more.
  // It is never given again: who takes it has to fire it.
  Due Take(int64_t now_us);
  // When Take has to be called next.
  std::optional<int64_t> NextMoment() const;

  // Up to there a trigger's schedule is dealt with; nothing when it is not followed.
  std::optional<int64_t> CursorOf(TriggerId trigger) const;

 private:
  struct Timetable {
    Schedule schedule;
    TimeUs since;  // the trigger's
    int64_t catch_up_us = 0;
    int64_t cursor_us = 0;  // the scheduled time of the last firing that was taken
    std::optional<Firing> next;
  };
  static void TakeMissed(TriggerId id, Timetable& table, int64_t now_us, Due& due);

  std::map<TriggerId, Timetable> timetables_;
};

// The schedule of a trigger. REQUIRES: it has one.
Schedule ScheduleOf(const KnownTrigger& trigger);

}  // namespace stele::triggers
