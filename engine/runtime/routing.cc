// What one instance's record means for others: messages meet waits, children follow their parents,
// who waits for a place is admitted, who watches an end is told.
//
// Nothing here is stored: the board says what is still to be done, and recovery goes through it.
#include "engine/runtime/shard.h"

namespace stele::runtime {

namespace {

// Messages and waits of one name and key that are paired at once.
constexpr size_t kRouteBatch = 64;

}  // namespace

void Shard::React(Live& live) {
  const Position position(next_position_.value - 1);
  board_.Fold(live.instance, *live.definition, events_, {position, now_}, live.waiting);
  bool ended = false;
  for (const model::Event& event : events_) {
    if (const auto* activated = std::get_if<model::StepActivated>(&event)) {
      for (const model::Wait& wait : activated->waits)
        if (wait.kind == model::WaitKind::kMessage) Route(wait.name, wait.key);
    } else if (const auto* message = std::get_if<model::MessagePublished>(&event)) {
      Route(message->name, message->key);
    } else if (std::holds_alternative<model::InstancePaused>(event) ||
               std::holds_alternative<model::InstanceResumed>(event)) {
      TellChildren(live, event);
    }
    ended = ended || model::HasEnded(live.instance.status);
  }
  if (ended && live.definition->concurrency.has_value())
    AdmitNext(live.definition->name, live.instance.concurrency_key);
}

void Shard::Route(std::string_view name, std::string_view key) {
  if (stopping_) return;
  const auto messages = board_.Messages(name, key, now_, kRouteBatch);
  if (!messages.has_value()) return Failed(messages.error());
  if (messages->empty()) return;
  const auto waits = board_.Waits(name, key, kRouteBatch);
  if (!waits.has_value()) return Failed(waits.error());
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
         if (failed_) return;
         // The run waits no more: the message is for another.
         if (!answer.has_value()) board_.ForgetWait(name, key, wait);
         Route(name, key);
       });
}

void Shard::TellChildren(const Live& live, const model::Event& event) {
  const auto* resumed = std::get_if<model::InstanceResumed>(&event);
  for (const model::StepRun& run : live.instance.runs) {
    if (!run.child) continue;
    const InstanceId child = run.child;
    const auto tell = [&](model::Command command) { Send(child, std::move(command), "", nullptr); };
    const Result<Live*> found = Load(child);
    if (!found.has_value() || !(*found)->instance.linked) continue;
    if (resumed == nullptr) {
      if (!(*found)->instance.paused) tell(model::PauseInstance{"its parent was paused"});
    } else if (resumed->steps == 0 && (*found)->instance.paused) {
      tell(model::ResumeInstance{"its parent was resumed"});
    }
  }
}

void Shard::FollowParent(Live& live, std::string_view actor) {
  const model::Instance& child = live.instance;
  if (!child.linked || !child.parent_instance) return;
  const InstanceId id = child.id;
  const Result<Live*> parent = Load(child.parent_instance);
  if (!parent.has_value()) return;
  const model::Instance& instance = (*parent)->instance;
  if (model::HasEnded(instance.status) || instance.FindRun(child.parent_run) == nullptr) {
    Send(id, model::CancelInstance{true, "its parent has ended"}, actor, nullptr);
  } else if (instance.paused && !child.paused) {
    Send(id, model::PauseInstance{"its parent is paused"}, actor, nullptr);
  }
}

void Shard::WatchEnd(InstanceId instance, std::function<void(const model::Instance&)> ended) {
  watchers_.emplace(instance, std::move(ended));
  const Result<Live*> live = Load(instance);
  if (!live.has_value()) return;
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
