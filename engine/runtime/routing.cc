// What one instance's record means for others: messages meet waits, children follow their parents,
// who waits for a place is admitted, who watches an end is told.
//
// Nothing here is stored: the board says what is still to be done, and recovery goes through it.
#include <fmt/format.h>

#include "engine/runtime/shard.h"

namespace stele::runtime {

namespace {

// Messages and waits of one name and key that are paired at once.
constexpr size_t kRouteBatch = 64;

// Whether an instance or its run refuses what comes too late, and not a store that cannot be read.
bool IsOver(const Error& refusal) {
  return refusal.code == ErrorCode::kUnknownInstance || refusal.code == ErrorCode::kUnknownRun ||
         refusal.code == ErrorCode::kInstanceEnded || refusal.code == ErrorCode::kWrongState;
}

// `with_parent` says it to the engine; people read the reason.
model::PauseInstance PauseWithParent() {
  return {.reason = "its parent was paused", .with_parent = true};
}

model::ResumeInstance ResumeWithParent() {
  return {.reason = "its parent was resumed", .steps = 0, .with_parent = true};
}

}  // namespace

void Shard::React(Live& live) {
  const Position position(next_position_.value - 1);
  board_.Fold(live.instance, *live.definition, events_, {position, now_}, live.waiting);
  bool ended = false;
  if (std::holds_alternative<model::InstanceForked>(events_[0]))
    for (const model::StepRun& run : live.instance.runs)
      for (const model::Wait& wait : run.waits)
        if (wait.kind == model::WaitKind::kMessage) Route(wait.name, wait.key);
  for (const model::Event& event : events_) {
    if (const auto* activated = std::get_if<model::StepActivated>(&event)) {
      for (const model::Wait& wait : activated->waits)
        if (wait.kind == model::WaitKind::kMessage) Route(wait.name, wait.key);
    } else if (const auto* attempt = std::get_if<model::AttemptStarted>(&event)) {
      if (const model::StepRun* run = live.instance.FindRun(attempt->run))
        for (const model::Wait& wait : run->waits)
          if (wait.kind == model::WaitKind::kMessage) Route(wait.name, wait.key);
    } else if (const auto* message = std::get_if<model::MessagePublished>(&event)) {
      Route(message->name, message->key);
    } else if (const auto* started = std::get_if<model::ChildStarted>(&event)) {
      if (live.instance.paused) TellChild(started->child, true);
    } else if (std::holds_alternative<model::InstancePaused>(event) ||
               std::holds_alternative<model::InstanceResumed>(event)) {
      TellChildren(live, event);
    }
    ended = ended || model::HasEnded(live.instance.status);
  }
  if (ended && live.definition->concurrency.has_value())
    PlaceMayBeFree(live.definition->name, live.instance.concurrency_key);
}

void Shard::Route(std::string_view name, std::string_view key) {
  if (stopping_) return;
  const auto waits = board_.Waits(name, key, kRouteBatch);
  if (!waits.has_value()) return Failed(waits.error());
  if (waits->empty()) return;
  const auto messages = board_.Messages(name, key, now_, kRouteBatch);
  if (!messages.has_value()) return Failed(messages.error());
  auto wait = waits->begin();
  for (const KeptMessage& message : *messages) {
    if (offered_messages_.contains({message.position, message.ordinal})) continue;
    while (wait != waits->end() && offered_waits_.contains({wait->instance, wait->run})) ++wait;
    if (wait == waits->end()) return;
    Offer(message, *wait++);
  }
}

void Shard::Offer(const KeptMessage& message, const WaitingRun& wait) {
  const std::pair<Position, uint32_t> offered{message.position, message.ordinal};
  const std::pair<InstanceId, RunId> waiting{wait.instance, wait.run};
  offered_messages_.insert(offered);
  offered_waits_.insert(waiting);
  Send(wait.instance,
       model::CorrelateMessage{wait.run, wait.event, message.name, message.payload,
                               message.position, message.ordinal},
       "",
       [this, offered, waiting, wait, name = message.name,
        key = message.key](const Result<Position>& answer) {
         offered_messages_.erase(offered);
         offered_waits_.erase(waiting);
         if (failed_ || stopping_) return;
         if (!answer.has_value()) {
           if (!IsOver(answer.error())) return Failed(answer.error());
           // The message is for another.
           board_.ForgetWait(name, key, wait);
         }
         Route(name, key);
       });
}

void Shard::TellChildren(const Live& live, const model::Event& event) {
  const auto* resumed = std::get_if<model::InstanceResumed>(&event);
  if (resumed != nullptr && resumed->steps > 0) return;
  for (const model::StepRun& run : live.instance.runs)
    if (run.child) TellChild(run.child, resumed == nullptr);
}

void Shard::TellChild(InstanceId child, bool pause) {
  const Result<Live*> found = Load(child);
  if (!found.has_value()) return Failed(found.error());
  looked_at_.push_back(child);
  const model::Instance& instance = (*found)->instance;
  if (!instance.linked || model::HasEnded(instance.status)) return;
  // In order: what was sent before is decided before, and one that does not fit is refused.
  if (pause) {
    Send(child, PauseWithParent(), "", nullptr);
  } else {
    Send(child, ResumeWithParent(), "", nullptr);
  }
}

// A child that was paused for itself stays so when its parent goes on. Asked when it is decided:
// its pause may have been before it in the inbox.
std::optional<Error> Shard::RefuseToFollow(const Inbound& inbound) {
  const auto* resume = std::get_if<model::ResumeInstance>(&inbound.command);
  if (resume == nullptr || !resume->with_parent) return std::nullopt;
  const auto follows = board_.WasPausedWithParent(inbound.instance);
  if (!follows.has_value()) {
    Failed(follows.error());
    return follows.error();
  }
  if (*follows) return std::nullopt;
  return Error{ErrorCode::kWrongState,
               fmt::format("Expected instance {} to be paused with its parent but found it paused "
                           "for itself, or not at all",
                           inbound.instance.value)};
}

void Shard::FollowParent(Live& live, model::Asker asker) {
  const model::Instance& child = live.instance;
  if (!child.linked || !child.parent_instance) return;
  const InstanceId id = child.id;
  const Result<Live*> parent = Load(child.parent_instance);
  if (!parent.has_value()) return Failed(parent.error());
  looked_at_.push_back(child.parent_instance);
  const model::Instance& instance = (*parent)->instance;
  const model::StepRun* run = instance.FindRun(child.parent_run);
  const bool waits = !model::HasEnded(instance.status) && run != nullptr &&
                     run->state == model::RunState::kAttempt &&
                     child.idempotency_key == CallKey({instance.id, run->id, run->attempt});
  if (!waits) {
    Send(id, model::CancelInstance{true, "its parent does not wait for it"}, asker, nullptr);
  } else if (instance.paused && !child.paused) {
    Send(id, PauseWithParent(), asker, nullptr);
  } else if (!instance.paused && child.paused) {
    Send(id, ResumeWithParent(), asker, nullptr);
  }
}

// A reset: what it was made of goes on in it alone. It is decided right behind the reset, so that
// no checkpoint and nothing of the origin comes between the two records: when the second did not
// become durable, the log ends without one of the origin's.
Shard::Inbound Shard::EndOfOrigin(const model::Instance& reset, model::KeptAsker asker) {
  return {reset.origin,
          model::TerminateInstance{fmt::format("reset: instance {} goes on from its event {}",
                                               reset.id.value, reset.origin_seq.value)},
          std::move(asker), [this](const Result<Position>& answer) {
            // It may have ended, or be removed, before it was reset.
            if (answer.has_value() || failed_ || stopping_) return;
            const ErrorCode code = answer.error().code;
            const bool removed = code == ErrorCode::kInstanceErased;
            if (!removed && !IsOver(answer.error())) Failed(answer.error());
          }};
}

void Shard::WatchEnd(InstanceId instance, std::function<void(const model::Instance&)> ended) {
  watchers_.emplace(instance, std::move(ended));
  const Result<Live*> live = Load(instance);
  if (!live.has_value()) {
    if (live.error().code != ErrorCode::kUnknownInstance) Failed(live.error());
    return;
  }
  // Settling it tells the watchers.
  if (model::HasEnded((*live)->instance.status)) {
    looked_at_.push_back(instance);
    Wake();
  }
}

void Shard::TellWatchers(const model::Instance& instance) {
  const auto [begin, end] = watchers_.equal_range(instance.id);
  if (begin == end) return;
  std::vector<std::function<void(const model::Instance&)>> told;
  for (auto at = begin; at != end; ++at) told.push_back(std::move(at->second));
  watchers_.erase(begin, end);
  for (const auto& tell : told) tell(instance);
}

}  // namespace stele::runtime
