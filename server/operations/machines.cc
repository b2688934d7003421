#include "server/operations/machines.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "server/operations/limits.h"

namespace stele::server {

Status Machines::Kept::MakeReady(InstanceId instance, const model::Registry& registry) {
  const Result<bool> destroyed = store.KeyDestroyed(shard, instance);
  if (!destroyed.has_value()) return std::unexpected(destroyed.error());
  if (*destroyed != keys_destroyed) machine.reset();
  if (machine != nullptr) {
    const Result<bool> more = machine->Refresh(registry);
    if (more.has_value()) return {};
    machine.reset();
    return std::unexpected(more.error());
  }
  auto opened = replay::TimeMachine::Open(source, instance, registry);
  if (!opened.has_value()) return std::unexpected(opened.error());
  machine = *std::move(opened);
  keys_destroyed = *destroyed;
  return {};
}

Result<Object> Machines::Kept::Answer(InstanceId instance, const model::Registry& registry,
                                      const Ask& ask) {
  const std::lock_guard lock(mutex);
  const Status ready = MakeReady(instance, registry);
  Result<Object> answer = ready.has_value() ? ask(*machine) : std::unexpected(ready.error());
  bytes = machine == nullptr ? 0 : machine->bytes();
  return answer;
}

Promised<Object> Machines::With(InstanceId instance, bool long_question, Ask ask) {
  GiveUpRemoved();
  Place& place = places_[instance];
  if (place.kept == nullptr)
    place.kept = std::make_shared<Kept>(*desk_.engine().store, desk_.engine().shard_id);
  place.used = ++uses_;
  place.when = desk_.Now();
  // Here and not when it is answered alone: who has asked may go away before that.
  GiveUpSome();
  if (sweeping_ == nullptr) sweeping_ = Sweep().eagerlyEvaluate(nullptr);
  const bool is_long = long_question || !place.is_made || place.kept->long_questions > 0;
  auto work = [kept = place.kept, instance, registry = desk_.Definitions(), ask = std::move(ask),
               counted = is_long ? LongQuestion(place.kept) : nullptr] {
    return kept->Answer(instance, *registry, ask);
  };
  auto answer = is_long ? desk_.ReadLong(std::move(work)) : desk_.Read(std::move(work));
  return answer.then([this, instance, kept = place.kept](Result<Object> found) {
    Settle(instance, kept, found.has_value());
    return found;
  });
}

// A question that failed says nothing of the machine: an instance that is unknown leaves none.
void Machines::Settle(InstanceId instance, const std::shared_ptr<Kept>& kept, bool made) {
  const auto place = places_.find(instance);
  if (place == places_.end() || place->second.kept != kept) return;
  place->second.is_made = place->second.is_made || made;
  if (kept->bytes == 0) places_.erase(place);
  GiveUpSome();
}

// Counts until it is answered, or given up.
std::shared_ptr<void> Machines::LongQuestion(std::shared_ptr<Kept> kept) {
  ++kept->long_questions;
  return {nullptr, [kept = std::move(kept)](std::nullptr_t) { --kept->long_questions; }};
}

size_t Machines::bytes() const {
  size_t sum = 0;
  for (const auto& [instance, place] : places_) sum += place.kept->bytes;
  return sum;
}

void Machines::GiveUpSome() {
  while (places_.size() > 1 && (places_.size() > kMaxMachines || bytes() > kMachineBytes))
    places_.erase(
        std::ranges::min_element(places_, {}, [](const auto& entry) { return entry.second.used; }));
}

void Machines::GiveUpIdle(int64_t idle_us) {
  const TimeUs now = desk_.Now();
  std::erase_if(places_,
                [&](const auto& entry) { return now.value - entry.second.when.value >= idle_us; });
}

void Machines::GiveUpRemoved() {
  std::erase_if(places_, [&](const auto& entry) {
    const auto& [instance, place] = entry;
    return !place.kept->keys_destroyed && desk_.registry().IsRemoved(instance);
  });
}

kj::Promise<void> Machines::Sweep() {
  return desk_.timer().afterDelay(kMachineSweepUs * kj::MICROSECONDS).then([this] {
    GiveUpIdle(kMachineIdleUs);
    GiveUpRemoved();
    return Sweep();
  });
}

}  // namespace stele::server
