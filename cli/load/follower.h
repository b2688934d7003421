// Who follows live events, and notes when it was told of the end of an instance.
//
// Thread: the loop's.
#pragma once

#include <cstdint>

#include "cli/load/load.h"
#include "schemas/api.capnp.h"

namespace stele::load {

// The last end that somebody was told of.
struct Told {
  uint64_t instance = 0;
  int64_t at_us = 0;
};

class Follower final : public api::EventReceiver::Server {
 public:
  // REQUIRES: `told` outlives it.
  explicit Follower(Told& told) : told_(told) {}

  kj::Promise<void> next(NextContext context) override {
    for (const api::Event::Reader event : context.getParams().getEvents())
      if (event.getName() == "instance_completed") told_ = {event.getInstance(), NowUs()};
    return kj::READY_NOW;
  }

 private:
  Told& told_;
};

}  // namespace stele::load
