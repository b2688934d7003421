// Tells the service manager, as often as it asks for, that the server goes on: the loop turns, and
// what was decided becomes durable. A server that does neither is not told of, and is begun anew.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <functional>

#include "cli/supervisor.h"

namespace stele::cli {

class Watchdog {
 public:
  // Calls `answer` once all that was decided before is durable, perhaps never: `goes_on` is false
  // when nothing becomes durable any more.
  using Ask = std::function<void(std::function<void(bool goes_on)> answer)>;

  // Looks at nothing when nobody asks for it. REQUIRES: the loop and the supervisor outlive it; no
  // answer comes when it is gone.
  Watchdog(uv_loop_t* loop, const Supervisor& supervisor, Ask ask);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The server is about to stop: from now on it is enough that the loop turns.
  void Leave() { leaving_ = true; }

 private:
  void Look();
  void Tell() const { supervisor_.Tell("WATCHDOG=1"); }

  const Supervisor& supervisor_;
  const Ask ask_;
  uv_timer_t* timer_;     // its handle outlives the watchdog until the loop has closed it
  bool waiting_ = false;  // for an answer
  bool leaving_ = false;
};

}  // namespace stele::cli
