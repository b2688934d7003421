#include "engine/embed/subscription.h"

#include <fmt/format.h>

#include <exception>
#include <utility>
#include <vector>

namespace stele::embed {

Subscription::Subscription(SubscriptionParts parts)
    : parts_(std::move(parts)), thread_([this] { Work(); }) {}

Subscription::~Subscription() {
  Join();
}

void Subscription::Join() {
  if (thread_.joinable()) thread_.join();
}

void Subscription::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

void Subscription::Leave(bool waits) {
  left_ = true;
  Wake();
  if (waits) const std::lock_guard lock(telling_);
}

void Subscription::End() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
}

// False: nothing more will come.
bool Subscription::WaitForMore() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return woken_ || ending_; });
  return std::exchange(woken_, false) || !ending_;
}

void Subscription::Tell(const replay::ShownEvent& shown) {
  const Event event{.position = shown.position.value,
                    .ordinal = shown.ordinal,
                    .instance = shown.instance.value,
                    .time_us = shown.time.value,
                    .name = std::string(shown.name),
                    .json = shown.json};
  const std::lock_guard lock(telling_);
  if (left_) return;
  try {
    parts_.receive(event);
  } catch (const std::exception& exception) {
    parts_.problem(std::string("Expected a subscriber to return but it threw: ") +
                   exception.what());
  } catch (...) {
    parts_.problem("Expected a subscriber to return but it threw");
  }
}

void Subscription::Work() {
  const OwnThreads::Membership membership(*parts_.own);
  uint64_t told_at_the_end = 0;
  while (!left_) {
    const auto events = parts_.reader->Next();
    if (!events.has_value()) {
      parts_.problem(events.error().ToString());
      break;
    }
    if (!events->has_value()) {
      if (!WaitForMore()) break;
      continue;
    }
    for (const replay::ShownEvent& event : **events) Tell(event);
    if (!bounded_ || ++told_at_the_end < parts_.backlog) continue;
    parts_.problem(fmt::format(
        "Expected a subscriber to be at most {} records behind when the engine stops but found it "
        "further behind: it was told those up to position {}",
        parts_.backlog, (*events)->back().position.value));
    break;
  }
  over_ = true;
}

}  // namespace stele::embed
