// The process that is killed in removal_kill_test.cc:
//
//   removal_child PATH DAYS    runs instances and retains at the same time, day after day
//
// It tells on its standard output: "pid N"; "ended N", of an instance; "day N", that one begins;
// "step 0", of a purge or an archiving.
#include <unistd.h>

#include "tests/engine/retention/steady_engine.h"

namespace stele::retention {
namespace {

void Tell(std::string_view what, uint64_t number) {
  const std::string line = fmt::format("{} {}\n", what, number);
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(3);
}

int Main(const std::string& path, int64_t days) {
  Tell("pid", static_cast<uint64_t>(getpid()));
  SteadyEngine engine({.directory = path,
                       .days = days,
                       .ended = [](InstanceId id) { Tell("ended", id.value); },
                       .step = [](std::string_view) { Tell("step", 0); }});
  engine.Register();
  engine.GoOn();
  for (;; ++days) {
    Tell("day", static_cast<uint64_t>(days));
    engine.BeginRetaining();
    engine.Day(20);
    engine.AwaitRetained();
  }
}

}  // namespace
}  // namespace stele::retention

int main(int argc, char** argv) {
  return argc < 3 ? 1 : stele::retention::Main(argv[1], std::strtoll(argv[2], nullptr, 10));
}
