#include "engine/triggers/pending_firings.h"

#include "base/check.h"

namespace stele::triggers {

Pending& PendingFirings::Add(Pending pending) {
  const uint64_t number = next_++;
  const bool is_new = by_key_.emplace(std::pair(pending.trigger, pending.key), number).second;
  CHECK(is_new, "trigger {} has a firing {} already", pending.trigger.value, pending.key);
  const Place place(pending.trigger, number);
  return pending_.emplace(place, std::move(pending)).first->second;
}

Pending* PendingFirings::Find(TriggerId trigger, std::string_view key) {
  const auto found = by_key_.find(std::pair(trigger, std::string(key)));
  return found == by_key_.end() ? nullptr : &pending_.at(Place(trigger, found->second));
}

void PendingFirings::Remove(TriggerId trigger, std::string_view key) {
  const auto found = by_key_.find(std::pair(trigger, std::string(key)));
  if (found == by_key_.end()) return;
  pending_.erase(Place(trigger, found->second));
  by_key_.erase(found);
}

void PendingFirings::ForEach(const std::function<void(Pending&)>& visit) {
  for (auto& [place, pending] : pending_) visit(pending);
}

std::vector<std::string> PendingFirings::Buffered(TriggerId trigger) const {
  std::vector<std::string> keys;
  for (auto at = pending_.lower_bound(Place(trigger, 0));
       at != pending_.end() && at->first.first == trigger; ++at)
    if (at->second.buffered) keys.push_back(at->second.key);
  return keys;
}

std::vector<TriggerId> PendingFirings::BufferedTriggers() const {
  std::vector<TriggerId> triggers;
  for (const auto& [place, pending] : pending_)
    if (pending.buffered && (triggers.empty() || triggers.back() != place.first))
      triggers.push_back(place.first);
  return triggers;
}

bool PendingFirings::HasStarting(TriggerId trigger) const {
  for (auto at = pending_.lower_bound(Place(trigger, 0));
       at != pending_.end() && at->first.first == trigger; ++at)
    if (!at->second.buffered) return true;
  return false;
}

}  // namespace stele::triggers
