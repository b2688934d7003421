// What handlers say, on its way to the thread that holds the connection. In the order in which it
// was said; the thread is woken once for all that came since it looked.
//
// Thread: any, but for Arm, Take and NextTask, which are the loop's.
#pragma once

#include <kj/async.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "stele/worker.h"

namespace stele::sdk {

struct Heartbeat {
  uint64_t task = 0;
  std::string detail;
};
struct Printed {
  uint64_t task = 0;
  std::string text;
};
struct Answered {
  uint64_t task = 0;
  Result result;
};
struct StopAsked {};
using Said = std::variant<Heartbeat, Printed, Answered, StopAsked>;

class Outbox {
 public:
  void Say(Said said);
  // Kept when there is something to take. One at a time.
  kj::Promise<void> Arm();
  std::vector<Said> Take();
  // Numbers of tasks: what is said of one whose connection was lost finds none of another.
  uint64_t NextTask() { return ++last_task_; }

 private:
  uint64_t last_task_ = 0;
  std::mutex mutex_;
  std::vector<Said> said_;
  kj::Maybe<kj::Own<kj::CrossThreadPromiseFulfiller<void>>> waiting_;
};

}  // namespace stele::sdk
