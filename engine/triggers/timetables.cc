#include "engine/triggers/timetables.h"

#include <algorithm>

namespace stele::triggers {

Schedule ScheduleOf(const KnownTrigger& trigger) {
  return trigger.As<ScheduleTrigger>()->MakeSchedule(trigger.definition + "/" +
                                                     trigger.stored.name);
}

void Timetables::Follow(const TriggerTable& table) {
  std::erase_if(timetables_, [&](const auto& entry) {
    const KnownTrigger* trigger = table.Find(entry.first);
    // One that was resumed begins again.
    return trigger == nullptr || !trigger->active() || trigger->since > entry.second.since;
  });
  for (const auto& [id, trigger] : table.all()) {
    const auto* schedule = trigger.As<ScheduleTrigger>();
    if (schedule == nullptr || !trigger.active() || timetables_.contains(id)) continue;
    Timetable& timetable = timetables_
                               .emplace(id, Timetable{.schedule = ScheduleOf(trigger),
                                                      .since = trigger.since,
                                                      .catch_up_us = schedule->catch_up_us,
                                                      .next = {}})
                               .first->second;
    timetable.cursor_us = std::max(trigger.since.value, trigger.last_scheduled.value);
    timetable.next = timetable.schedule.NextFiring(timetable.cursor_us);
  }
}

// Firings that are due before `now_us` less the window, whatever their jitter.
void Timetables::TakeMissed(TriggerId id, Timetable& table, int64_t now_us, Due& due) {
  const int64_t window_us = std::max(table.catch_up_us, kPunctualUs);
  MissedFirings missed{.trigger = id};
  while (table.next && table.next->due_us + window_us < now_us) {
    if (missed.count == kMaxMissedCounted && !missed.more) {
      // Go on behind all that is too late for certain.
      missed.more = true;
      table.cursor_us =
          std::max(table.cursor_us, now_us - window_us - table.schedule.options().jitter_us - 1);
    } else {
      if (!missed.more) ++missed.count;
      table.cursor_us = table.next->scheduled_us;
    }
    missed.last_us = table.cursor_us;
    table.next = table.schedule.NextFiring(table.cursor_us);
  }
  if (missed.count > 0) due.missed.push_back(missed);
}

Timetables::Due Timetables::Take(int64_t now_us) {
  Due due;
  for (auto& [id, table] : timetables_) {
    TakeMissed(id, table, now_us, due);
    for (size_t taken = 0; taken < kMaxFirings && table.next && table.next->due_us <= now_us;
         ++taken) {
      due.firings.push_back({id, table.next->scheduled_us});
      table.cursor_us = table.next->scheduled_us;
      table.next = table.schedule.NextFiring(table.cursor_us);
    }
  }
  return due;
}

std::optional<int64_t> Timetables::NextMoment() const {
  std::optional<int64_t> next;
  for (const auto& [id, table] : timetables_)
    if (table.next && (!next || table.next->due_us < *next)) next = table.next->due_us;
  return next;
}

std::optional<int64_t> Timetables::CursorOf(TriggerId trigger) const {
  const auto found = timetables_.find(trigger);
  if (found == timetables_.end()) return std::nullopt;
  return found->second.cursor_us;
}

}  // namespace stele::triggers
