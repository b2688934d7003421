#include "sdk/cpp/outbox.h"

#include <utility>

namespace stele::sdk {

void Outbox::Say(Said said) {
  kj::Maybe<kj::Own<kj::CrossThreadPromiseFulfiller<void>>> woken;
  {
    const std::lock_guard lock(mutex_);
    said_.push_back(std::move(said));
    woken = kj::mv(waiting_);
    waiting_ = nullptr;
  }
  KJ_IF_MAYBE (each, woken) {
    (*each)->fulfill();
  }
}

kj::Promise<void> Outbox::Arm() {
  const std::lock_guard lock(mutex_);
  if (!said_.empty()) return kj::READY_NOW;
  auto waiting = kj::newPromiseAndCrossThreadFulfiller<void>();
  waiting_ = kj::mv(waiting.fulfiller);
  return kj::mv(waiting.promise);
}

std::vector<Said> Outbox::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(said_, {});
}

}  // namespace stele::sdk
