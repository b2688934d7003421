// What a shard knows of the firings of triggers.
#include <algorithm>
#include <charconv>

#include "engine/runtime/board.h"

namespace stele::runtime {

namespace {

constexpr std::string_view kFiringPrefix = "trigger:";

}  // namespace

std::optional<std::pair<TriggerId, std::string_view>> FiringOf(std::string_view key) {
  if (!key.starts_with(kFiringPrefix)) return std::nullopt;
  key.remove_prefix(kFiringPrefix.size());
  TriggerId trigger;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), trigger.value);
  if (error != std::errc() || end == key.data() + key.size() || *end != ':') return std::nullopt;
  return std::pair(trigger, key.substr(static_cast<size_t>(end - key.data()) + 1));
}

std::string FiringKey(TriggerId trigger, std::string_view key) {
  return std::string(kFiringPrefix) + std::to_string(trigger.value) + ":" + std::string(key);
}

Result<std::vector<PendingFiring>> Board::PendingFirings() const {
  std::vector<PendingFiring> firings;
  STELE_RETURN_IF_ERROR(notes_.Scan("t", [&](std::string_view at, std::string_view value) {
    at.remove_prefix(1);
    PendingFiring& firing = firings.emplace_back();
    firing.trigger = TriggerId(TakeNumber32(at));
    firing.key = TakeText(at);
    firing.time = TimeUs(static_cast<int64_t>(TakeNumber64(value)));
    firing.outcome = TakeText(value);
    if (!value.empty()) firing.payload = Payload::FromText(value);
    return true;
  }));
  // In the order in which they fired.
  std::ranges::stable_sort(firings, {}, &PendingFiring::time);
  return firings;
}

void Board::ForgetFiring(TriggerId trigger, std::string_view key) {
  notes_.Erase('t' + KeyPart(trigger.value) + KeyPart(key));
}

Result<std::vector<InstanceId>> Board::OpenOf(TriggerId trigger, size_t most) const {
  const std::string prefix = 'o' + KeyPart(trigger.value);
  std::vector<InstanceId> open;
  STELE_RETURN_IF_ERROR(notes_.Scan(prefix, [&](std::string_view at, std::string_view) {
    at.remove_prefix(prefix.size());
    open.emplace_back(TakeNumber64(at));
    return open.size() < most;
  }));
  return open;
}

}  // namespace stele::runtime
