// Schedules: what is due fires, or is dropped, or waits in line.
#include <fmt/format.h>

#include "engine/triggers/firing_input.h"
#include "engine/triggers/service.h"

namespace stele::triggers {

void TriggerService::FireSchedules(TimeUs now) {
  timetables_.Follow(table_);
  const Timetables::Due due = timetables_.Take(now.value);
  for (const MissedFirings& missed : due.missed) NoteMissed(missed);
  for (const DueFiring& firing : due.firings) {
    if (over_) return;
    FireScheduled(firing);
  }
}

void TriggerService::NoteMissed(const MissedFirings& missed) {
  NoteOutcome(missed.trigger, "missed-" + MomentText(missed.last_us), TimeUs(missed.last_us),
              missed.more
                  ? fmt::format("missed: more than {} firings", missed.count)
                  : fmt::format("missed: {} firing{}", missed.count, missed.count == 1 ? "" : "s"));
}

void TriggerService::FireScheduled(const DueFiring& due) {
  // A pause that is on its way to the disk holds already.
  const model::RegisteredTrigger& registered = *shard_->registry().Find(due.trigger);
  if (registered.state != model::TriggerState::kActive) return;
  const KnownTrigger& trigger = *table_.Find(due.trigger);
  Shot shot{.trigger = due.trigger,
            .key = MomentText(due.scheduled_us),
            .time = TimeUs(due.scheduled_us),
            .input = {},
            .asker = {},
            .started = {}};
  if (IsKnown(shot.trigger, shot.key)) return;  // a backfill came before
  const auto note = [&](std::string outcome) {
    NoteOutcome(shot.trigger, shot.key, shot.time, std::move(outcome));
  };
  const Object roots{
      {"trigger", Object{{"name", trigger.stored.name}, {"scheduled_time", shot.key}}}};
  if (const std::string why = WhyConditionsFail(*trigger.config, roots); !why.empty())
    return note("skip: " + why);
  Result<Payload> input = InputOf(*trigger.config, roots, Value());
  if (!input.has_value()) return note("refused: " + input.error().message);
  shot.input = *std::move(input);
  if (shard_->registry().Startable(trigger.definition) == nullptr)
    return note(fmt::format("skip: no version of \"{}\" is active", trigger.definition));
  const Overlap overlap = trigger.As<ScheduleTrigger>()->overlap;
  const size_t waiting = pending_.CountBuffered(due.trigger);
  if (overlap != Overlap::kAllow && (waiting > 0 || IsBusy(due.trigger))) {
    if (overlap == Overlap::kSkip) return note("skip: an instance that it started still runs");
    if (overlap == Overlap::kBufferOne && waiting > 0) return note("skip: a firing waits already");
    if (waiting >= kMaxBuffered) return note(fmt::format("skip: {} firings wait already", waiting));
    shot.buffered = true;
  }
  Shoot(std::move(shot));
}

}  // namespace stele::triggers
