#include "cli/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/open_data.h"
#include "cli/text.h"
#include "engine/model/beginning.h"
#include "replay/history.h"

namespace stele::cli {

using replay::Motion;

namespace {

// What one instance's end means for another is decided in the turn behind it: a turn in which
// nothing moves is followed by one more look.
constexpr uint32_t kStillChecks = 3;

}  // namespace

Session::Session(Engine& engine, const Terminal& terminal, const Arguments& arguments, bool quiet)
    : engine_(engine),
      terminal_(terminal),
      json_(arguments.Has("--json")),
      quiet_(arguments.Has("--quiet")),
      place_(PlaceOf(arguments)),
      display_(terminal, engine.clock(),
               json_ || quiet_ || quiet ? Loudness::kQuiet : Loudness::kLines) {
  engine_.WatchWorkers([this] { CheckSoon(); });
  display_.TellWaits(WorkersLacking());
}

replay::LacksWorker Session::WorkersLacking() const {
  return [this](const definition::Step& step) {
    return !engine_.interrupted() && engine_.LacksWorker(step);
  };
}

void Session::Note(std::string_view sentence) {
  display_.Clear();
  terminal_.PrintNote(Clean(sentence));
}

void Session::Follow(InstanceId instance) {
  followed_.try_emplace(instance);
}

void Session::Answered() {
  --awaited_;
  CheckSoon();
}

// What happened to an instance before it is followed.
bool Session::Seed(InstanceId instance, FollowedRun& followed, Position before) {
  const Status read = replay::ReadHistory(
      engine_.store(), kShard, instance,
      [&](const replay::HistoryEntry& entry) {
        if (model::BeginsInstance(entry.event))
          followed.timeline.emplace(
              *engine_.shard().registry().Find(model::DefinitionBehind(entry.event))->definition,
              &engine_.shard().registry());
        followed.timeline->Apply(entry.event, entry.record);
      },
      before);
  return read.has_value();
}

void Session::OnRecord(InstanceId instance, std::span<const model::Event> events,
                       const model::RecordContext& record) {
  CheckSoon();
  auto found = followed_.find(instance);
  if (found == followed_.end()) {
    const bool woken = woken_by_.has_value() && instance &&
                       std::holds_alternative<model::MessageCorrelated>(events.front());
    if (!woken) return;
    found = followed_.try_emplace(instance).first;
    engine_.shard().Post([this, instance] { GoOnWith(instance, *woken_by_); });
  }
  FollowedRun& followed = found->second;
  followed.ending.reset();
  if (!followed.timeline.has_value()) {
    if (model::BeginsInstance(events.front())) {
      const auto* registered =
          engine_.shard().registry().Find(model::DefinitionBehind(events.front()));
      followed.timeline.emplace(*registered->definition, &engine_.shard().registry());
      display_.Say(fmt::format("instance {} of {}", instance.value, Clean(registered->name)));
    } else if (!Seed(instance, followed, record.position)) {
      return;
    }
  }
  const std::string prefix = says_which_ ? fmt::format("[{}] ", instance.value) : "";
  for (const model::Event& event : events) {
    followed.timeline->Apply(event, record);
    display_.Show(*followed.timeline, event, prefix);
  }
}

void Session::OnEnded(const model::Instance& instance) {
  CheckSoon();
  const auto found = followed_.find(instance.id);
  if (found == followed_.end()) return;
  found->second.ending = EndingOf(instance);
}

void Session::OnFatal(const Error& error) {
  display_.Clear();
  terminal_.PrintError(error);
  fatal_ = true;
  engine_.Leave();
}

void Session::CheckSoon() {
  still_ = 0;
  if (checking_ || engine_.leaving()) return;
  checking_ = true;
  engine_.shard().Post([this] { Check(); });
}

void Session::Check() {
  checking_ = false;
  if (engine_.leaving()) return;
  std::set<InstanceId> seen;
  Motion motion = awaited_ > 0 ? Motion::kWork : Motion::kNone;
  for (const auto& [id, followed] : followed_) motion = std::max(motion, MotionOf(id, seen));
  for (const InstanceId id : carried_) motion = std::max(motion, MotionOf(id, seen));
  if (motion != Motion::kNone)
    for (const InstanceId id : seen) TellMoments(id, motion);
  if (motion != Motion::kNone) return;
  if (++still_ >= kStillChecks) {
    if (go_on_ == nullptr || !go_on_()) return engine_.Leave();
    still_ = 0;
  }
  if (checking_) return;
  checking_ = true;
  engine_.shard().Post([this] { Check(); });
}

Motion Session::MotionOf(InstanceId id, std::set<InstanceId>& seen) {
  if (!seen.insert(id).second) return Motion::kNone;
  const auto followed = followed_.find(id);
  if (followed != followed_.end() && followed->second.ending.has_value()) return Motion::kNone;
  const auto found = engine_.shard().Find(id);
  if (!found.has_value()) return Motion::kNone;
  const model::Instance& instance = **found;
  // Of one that is followed the end has to be told yet.
  if (model::HasEnded(instance.status))
    return followed != followed_.end() ? Motion::kWork : Motion::kNone;
  const replay::Standing standing = Standing(instance);
  Motion motion = standing.motion;
  const TimeUs due = model::NextTimer(instance).at;
  if (awaits_overdue_ && due && due <= engine_.clock().Now()) motion = Motion::kWork;
  for (const replay::Waiting& waiting : standing.waits) {
    if (waiting.what != replay::WaitFor::kChild) continue;
    const auto child = engine_.shard().Find(waiting.child);
    if (child.has_value() && model::HasEnded((*child)->status)) return Motion::kWork;
    motion = std::max(motion, MotionOf(waiting.child, seen));
  }
  return motion;
}

// Nobody can send it meanwhile: this process has the directory.
void Session::TellMoments(InstanceId id, Motion motion) {
  const auto found = engine_.shard().Find(id);
  if (!found.has_value() || model::HasEnded((*found)->status)) return;
  const model::Instance& instance = **found;
  moments_.Look(instance, *engine_.shard().registry().Find(instance.definition)->definition,
                Standing(instance), motion, engine_.clock().Now(),
                [this](std::string_view sentence) { Note(sentence); });
}

replay::Standing Session::Standing(const model::Instance& instance) const {
  return replay::StandingOf(instance,
                            *engine_.shard().registry().Find(instance.definition)->definition,
                            WorkersLacking());
}

void Session::GoOnWith(InstanceId instance, model::Asker asker) {
  InstanceId top = instance;
  for (;;) {
    const auto found = engine_.shard().Find(top);
    if (!found.has_value() || !(*found)->parent_instance) break;
    const InstanceId parent = (*found)->parent_instance;
    const auto above = engine_.shard().Find(parent);
    if (!above.has_value() || model::HasEnded((*above)->status)) break;
    top = parent;
  }
  std::set<InstanceId> seen;
  GoOnBelow(top, asker, seen);
}

void Session::GoOnBelow(InstanceId instance, model::Asker asker, std::set<InstanceId>& seen) {
  if (!seen.insert(instance).second) return;
  const auto found = engine_.shard().Find(instance);
  if (!found.has_value() || model::HasEnded((*found)->status)) return;
  std::vector<InstanceId> children;
  for (const model::StepRun& run : (*found)->runs)
    if (run.child) children.push_back(run.child);
  if (!engine_.shard().ResumeInstance(instance, asker).has_value()) return;
  Carry(instance);
  for (const InstanceId child : children) GoOnBelow(child, asker, seen);
}

void Session::Run() {
  // One that has ended before has nothing to tell any more: it is looked up.
  for (auto& [id, followed] : followed_) {
    const auto found = engine_.shard().Find(id);
    if (found.has_value() && model::HasEnded((*found)->status)) OnEnded(**found);
  }
  CheckSoon();
  engine_.Run(!display_.is_live() ? std::function<void()>() : [this] {
    std::vector<const replay::Timeline*> timelines;
    for (const auto& [id, followed] : followed_)
      if (followed.timeline.has_value() && !followed.ending.has_value())
        timelines.push_back(&*followed.timeline);
    display_.Redraw(timelines);
  });
  display_.Clear();
}

void Session::NoteStanding(InstanceId id, FollowedRun& followed) {
  const TimeUs now = engine_.clock().Now();
  const Result<model::Instance> instance = replay::ReadInstance(engine_.store(), kShard, id);
  followed.ending = instance.has_value()
                        ? StandingEnding(*instance, Standing(*instance), place_, now)
                        : StandingEnding({}, {}, place_, now);
}

int Session::Report(bool one) {
  for (auto& [id, followed] : followed_) {
    if (!followed.timeline.has_value()) Seed(id, followed, Position(UINT64_MAX));
    if (followed.timeline.has_value() && !followed.ending.has_value()) NoteStanding(id, followed);
  }
  return ReportRuns(terminal_,
                    {.json = json_,
                     .quiet = quiet_,
                     .expects_cancelled = expects_cancelled_,
                     .cut_off = fatal_ || engine_.interrupted(),
                     .place = place_},
                    followed_, one);
}

}  // namespace stele::cli
