#include "cli/session.h"

#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/text.h"
#include "replay/history.h"

namespace stele::cli {

Session::Session(Engine& engine, const Terminal& terminal, const Arguments& arguments)
    : engine_(engine),
      terminal_(terminal),
      json_(arguments.Has("--json")),
      quiet_(arguments.Has("--quiet")),
      data_(arguments.Get("--data", kDefaultData)),
      display_(terminal, engine.clock(), json_ || quiet_ ? Loudness::kQuiet : Loudness::kLines) {}

void Session::Follow(InstanceId instance, bool answered) {
  followed_[instance].answered = answered;
  waiting_.insert(instance);
}

// What happened to an instance before it is followed.
bool Session::Seed(InstanceId instance, Followed& followed, Position before) {
  const Status read = replay::ReadHistory(
      engine_.store(), kShard, instance,
      [&](const replay::HistoryEntry& entry) {
        if (const auto* started = std::get_if<model::InstanceStarted>(&entry.event))
          followed.timeline.emplace(
              *engine_.shard().registry().Find(started->definition)->definition);
        followed.timeline->Apply(entry.event, entry.record);
      },
      before);
  return read.has_value();
}

void Session::OnRecord(InstanceId instance, std::span<const model::Event> events,
                       const model::RecordContext& record) {
  const auto found = followed_.find(instance);
  if (found == followed_.end()) return;
  Followed& followed = found->second;
  if (!followed.timeline.has_value()) {
    if (const auto* started = std::get_if<model::InstanceStarted>(&events.front())) {
      const auto* registered = engine_.shard().registry().Find(started->definition);
      followed.timeline.emplace(*registered->definition);
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
  if (followed.timeline->WaitsForOperator() && waiting_.contains(instance))
    End(instance, {.status = "parked", .ended = record.time});
}

void Session::OnEnded(const model::Instance& instance) {
  if (!followed_.contains(instance.id)) return;
  End(instance.id, {.status = std::string(model::StatusName(instance.status)),
                    .output = instance.output,
                    .failure = instance.failure,
                    .ended = instance.ended});
}

void Session::OnFatal(const Error& error) {
  display_.Clear();
  terminal_.PrintError(error);
  fatal_ = true;
  engine_.Leave();
}

void Session::End(InstanceId instance, Ending ending) {
  followed_[instance].ending = std::move(ending);
  waiting_.erase(instance);
  LeaveWhenDone();
}

void Session::LeaveWhenDone() {
  if (waiting_.empty()) engine_.shard().Post([this] { engine_.Leave(); });
}

void Session::Run() {
  // What waits for an operator has nothing to tell: it is looked up.
  for (auto& [id, followed] : followed_) {
    if (followed.timeline.has_value() || !Seed(id, followed, Position(UINT64_MAX))) continue;
    if (followed.timeline->WaitsForOperator() && !followed.answered) {
      followed.ending = Ending{.status = "parked", .ended = engine_.clock().Now()};
      waiting_.erase(id);
    } else {
      followed.timeline.reset();
    }
  }
  LeaveWhenDone();
  engine_.Run(!display_.is_live() ? std::function<void()>() : [this] {
    std::vector<const replay::Timeline*> timelines;
    for (const InstanceId id : waiting_)
      if (followed_[id].timeline.has_value()) timelines.push_back(&*followed_[id].timeline);
    display_.Redraw(timelines);
  });
  display_.Clear();
}

std::string Session::Hint() const {
  return fmt::format("\"stele resume{}\" continues it",
                     data_ == kDefaultData ? "" : " --data " + data_);
}

void Session::ReportText(InstanceId instance, const Followed& followed) const {
  const Ending& ending = *followed.ending;
  const std::string took =
      Duration(std::max<int64_t>(ending.ended.value - followed.timeline->started().value, 0));
  if (ending.status == "interrupted") {
    terminal_.PrintNote(fmt::format("instance {} is interrupted; {}", instance.value, Hint()));
    return;
  }
  if (ending.status == "parked") {
    terminal_.PrintNote(fmt::format(
        "instance {0} waits for an operator; \"stele status {0}{1}\" shows where, \"stele "
        "resume{1} --parked retry|skip|fail\" decides",
        instance.value, data_ == kDefaultData ? "" : " --data " + data_));
    return;
  }
  const Colour colour = ending.status == "completed" ? Colour::kGreen : Colour::kRed;
  if (!quiet_)
    terminal_.Print(fmt::format("instance {} {} in {}\n", instance.value,
                                terminal_.Paint(colour, ending.status), took));
  if (ending.output.has_value() && ending.output.value().is_object()) {
    std::string outputs;
    for (const Member& output : ending.output.value().as_object())
      outputs += fmt::format("  {}: {}\n", Clean(output.key), Inline(output.value));
    if (!outputs.empty()) terminal_.Print("outputs\n" + outputs);
  }
  if (ending.failure.kind.empty()) return;
  const replay::StepLine* line = followed.timeline->FindRun(ending.failure.run);
  terminal_.PrintError({ErrorCode::kTaskFailed,
                        fmt::format("Expected instance {} to complete but it failed{}: {}: {}",
                                    instance.value, line == nullptr ? "" : " at " + line->label,
                                    ending.failure.kind, ending.failure.message)});
}

int Session::Report(bool one) {
  int code = kExitDone;
  Array documents;
  for (auto& [id, followed] : followed_) {
    if (!followed.timeline.has_value()) Seed(id, followed, Position(UINT64_MAX));
    if (!followed.timeline.has_value()) continue;
    if (!followed.ending.has_value())
      followed.ending = Ending{.status = "interrupted", .ended = engine_.clock().Now()};
    const std::string& status = followed.ending->status;
    if (status == "failed") {
      code = kExitFailed;
    } else if (status != "completed" && code == kExitDone) {
      code = kExitInterrupted;
    }
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
