#include "cli/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/text.h"
#include "cli/waiting_text.h"
#include "replay/history.h"
#include "replay/to_json.h"

namespace stele::cli {

using replay::Motion;

namespace {

// What one instance's end means for another is decided in the turn behind it: a turn in which
// nothing moves is followed by one more look.
constexpr uint32_t kStillChecks = 3;

// A wait that ends sooner is not worth a word.
constexpr int64_t kShortWaitUs = 1'000'000;
// Delays, and what goes on by itself, are told of when they are this long.
constexpr int64_t kLongWaitUs = 10'000'000;

}  // namespace

Session::Session(Engine& engine, const Terminal& terminal, const Arguments& arguments, bool quiet)
    : engine_(engine),
      terminal_(terminal),
      json_(arguments.Has("--json")),
      quiet_(arguments.Has("--quiet")),
      data_(arguments.Get("--data", kDefaultData)),
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
bool Session::Seed(InstanceId instance, Followed& followed, Position before) {
  const Status read = replay::ReadHistory(
      engine_.store(), kShard, instance,
      [&](const replay::HistoryEntry& entry) {
        if (const auto* started = std::get_if<model::InstanceStarted>(&entry.event))
          followed.timeline.emplace(
              *engine_.shard().registry().Find(started->definition)->definition,
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
  Followed& followed = found->second;
  followed.ending.reset();
  if (!followed.timeline.has_value()) {
    if (const auto* started = std::get_if<model::InstanceStarted>(&events.front())) {
      const auto* registered = engine_.shard().registry().Find(started->definition);
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
  found->second.ending = Ending{.status = std::string(model::StatusName(instance.status)),
                                .output = instance.output,
                                .failure = instance.failure,
                                .ended = instance.ended};
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

// Says what is waited for, when that may take a while and nobody can send it meanwhile: this
// process has the directory.
void Session::TellMoments(InstanceId id, Motion motion) {
  const auto found = engine_.shard().Find(id);
  if (!found.has_value() || model::HasEnded((*found)->status)) return;
  const model::Instance& instance = **found;
  const TimeUs now = engine_.clock().Now();
  const auto tell = [&](RunId run, const std::string& what, TimeUs due) {
    if (told_moments_.insert({id, run, due}).second)
      Note(fmt::format("instance {} waits for {} until {}; an interrupt (Ctrl-C) leaves it",
                       id.value, what, Time(due)));
  };
  if (motion == Motion::kMoment)
    for (const replay::Waiting& waiting : Standing(instance).waits)
      if (waiting.what == replay::WaitFor::kMessage && waiting.due > now.Plus(kShortWaitUs))
        tell(waiting.run, WaitPhrase(waiting), waiting.due);
  const definition::Definition& definition =
      *engine_.shard().registry().Find(instance.definition)->definition;
  for (const model::StepRun& run : instance.runs) {
    const bool delays = run.state == model::RunState::kDelay;
    if (instance.paused || (!delays && run.state != model::RunState::kBackoff)) continue;
    if (run.due > now.Plus(kLongWaitUs))
      tell(run.id,
           fmt::format("{} \"{}\"", delays ? "the delay of" : "the next attempt at",
                       replay::LabelOf(instance, definition, run)),
           run.due);
  }
}

replay::Standing Session::Standing(const model::Instance& instance) const {
  return replay::StandingOf(instance,
                            *engine_.shard().registry().Find(instance.definition)->definition,
                            WorkersLacking());
}

void Session::GoOnWith(InstanceId instance, std::string_view actor) {
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
  GoOnBelow(top, actor, seen);
}

void Session::GoOnBelow(InstanceId instance, std::string_view actor, std::set<InstanceId>& seen) {
  if (!seen.insert(instance).second) return;
  const auto found = engine_.shard().Find(instance);
  if (!found.has_value() || model::HasEnded((*found)->status)) return;
  std::vector<InstanceId> children;
  for (const model::StepRun& run : (*found)->runs)
    if (run.child) children.push_back(run.child);
  if (!engine_.shard().ResumeInstance(instance, actor).has_value()) return;
  Carry(instance);
  for (const InstanceId child : children) GoOnBelow(child, actor, seen);
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

// An instance that has not ended: what it waits for, or that it was interrupted.
void Session::NoteStanding(InstanceId id, Followed& followed) {
  Ending& ending =
      followed.ending.emplace(Ending{.status = "interrupted", .ended = engine_.clock().Now()});
  const Result<model::Instance> instance = replay::ReadInstance(engine_.store(), kShard, id);
  if (!instance.has_value()) return;
  const replay::Standing standing = Standing(*instance);
  if (standing.motion == Motion::kWork || standing.waits.empty()) return;
  ending.status = StatusWord(*instance, standing);
  ending.waiting_for = StandingToJson(standing);
  for (const replay::Waiting& waiting : standing.waits)
    ending.waits.emplace_back(WaitSentence(waiting), WaitCommand(id, waiting, standing, {DataOption(data_)}));
}

void Session::ReportWaits(InstanceId instance, const Ending& ending) const {
  for (const auto& [sentence, command] : ending.waits)
    terminal_.PrintNote(fmt::format("instance {} {}{}{}", instance.value, sentence,
                                    command.empty() ? "" : "; ", command));
}

void Session::ReportText(InstanceId instance, const Followed& followed) const {
  const Ending& ending = *followed.ending;
  const std::string took =
      Duration(std::max<int64_t>(ending.ended.value - followed.timeline->started().value, 0));
  if (!ending.waits.empty()) return ReportWaits(instance, ending);
  if (ending.status == "interrupted") {
    terminal_.PrintNote(fmt::format("instance {} is interrupted; \"stele resume{}\" continues it",
                                    instance.value, DataOption(data_)));
    return;
  }
  const bool good = ending.status == "completed" || (expects_cancelled_ && CodeOf(ending) == 0);
  if (!quiet_)
    terminal_.Print(
        fmt::format("instance {} {} in {}\n", instance.value,
                    terminal_.Paint(good ? Colour::kGreen : Colour::kRed, ending.status), took));
  if (ending.output.has_value() && ending.output.value().is_object()) {
    std::string outputs;
    for (const Member& output : ending.output.value().as_object())
      outputs += fmt::format("  {}: {}\n", Clean(output.key), Inline(output.value));
    if (!outputs.empty()) terminal_.Print("outputs\n" + outputs);
  }
  if (ending.failure.kind.empty() || ending.status != "failed") return;
  const replay::StepLine* line = followed.timeline->FindRun(ending.failure.run);
  terminal_.PrintError({ErrorCode::kTaskFailed,
                        fmt::format("Expected instance {} to complete but it failed{}: {}: {}",
                                    instance.value, line == nullptr ? "" : " at " + line->label,
                                    ending.failure.kind, ending.failure.message)});
}

int Session::CodeOf(const Ending& ending) const {
  if (ending.status == "completed") return kExitDone;
  if (ending.status == "failed") return kExitFailed;
  const bool ended = ending.status == "cancelled" || ending.status == "terminated";
  return expects_cancelled_ && ended ? kExitDone : kExitInterrupted;
}

int Session::Report(bool one) {
  int code = kExitDone;
  Array documents;
  for (auto& [id, followed] : followed_) {
    if (!followed.timeline.has_value()) Seed(id, followed, Position(UINT64_MAX));
    if (!followed.timeline.has_value()) continue;
    if (!followed.ending.has_value()) NoteStanding(id, followed);
    const int own = CodeOf(*followed.ending);
    if (own == kExitFailed || code == kExitDone) code = own;
    if (json_) {
      documents.push_back(RunToJson(id, *followed.ending, *followed.timeline));
    } else {
      ReportText(id, followed);
    }
  }
  if (json_ && (!one || !documents.empty()))
    terminal_.Print(CleanJson(ToPrettyJson(one ? documents.front() : Value(std::move(documents)))) +
                    "\n");
  if (fatal_ || engine_.interrupted()) return code == kExitFailed ? code : kExitInterrupted;
  return code;
}

}  // namespace stele::cli
