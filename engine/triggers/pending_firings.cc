#include "engine/triggers/pending_firings.h"

#include "base/check.h"

namespace stele::triggers {

Pending& PendingFirings::Add(Pending pending) {
  const uint64_t number = next_++;
  const bool is_new = by_key_.emplace(std::pair(pending.trigger, pending.key), number).second;
  CHECK(is_new, "trigger {} has a firing {} already", pending.trigger.value, pending.key);
  const Place place(pending.trigger, number);
  Line& line = lines_[pending.trigger];
  ++line.all;
  if (pending.buffered) line.buffered.insert(number);
  return pending_.emplace(place, std::move(pending)).first->second;
}

Pending* PendingFirings::Find(TriggerId trigger, std::string_view key) {
  const auto found = by_key_.find(std::pair(trigger, std::string(key)));
  return found == by_key_.end() ? nullptr : &pending_.at(Place(trigger, found->second));
}

void PendingFirings::Remove(TriggerId trigger, std::string_view key) {
  const auto found = by_key_.find(std::pair(trigger, std::string(key)));
  if (found == by_key_.end()) return;
  const auto line = lines_.find(trigger);
  line->second.buffered.erase(found->second);
  if (--line->second.all == 0) lines_.erase(line);
  pending_.erase(Place(trigger, found->second));
  by_key_.erase(found);
}

void PendingFirings::ForEach(const std::function<void(Pending&)>& visit) {
  for (auto& [place, pending] : pending_) visit(pending);
}

Pending* PendingFirings::FirstBuffered(TriggerId trigger) {
  const auto line = lines_.find(trigger);
  if (line == lines_.end() || line->second.buffered.empty()) return nullptr;
  return &pending_.at(Place(trigger, *line->second.buffered.begin()));
}

size_t PendingFirings::CountBuffered(TriggerId trigger) const {
  const auto line = lines_.find(trigger);
  return line == lines_.end() ? 0 : line->second.buffered.size();
}

std::vector<TriggerId> PendingFirings::BufferedTriggers() const {
  std::vector<TriggerId> triggers;
  for (const auto& [trigger, line] : lines_)
    if (!line.buffered.empty()) triggers.push_back(trigger);
  return triggers;
}

void PendingFirings::Release(Pending& pending) {
  pending.buffered = false;
  lines_.at(pending.trigger).buffered.erase(by_key_.at({pending.trigger, pending.key}));
}

bool PendingFirings::HasStarting(TriggerId trigger) const {
  const auto line = lines_.find(trigger);
  return line != lines_.end() && line->second.all > line->second.buffered.size();
}

}  // namespace stele::triggers
