// The process that dies in views_crash_test.cc: builds all views of a busy log anew, again and
// again, until it has used so much of its processor's time.
//
//     views_child PATH TURNS MICROSECONDS
//
// Goes on with what an earlier one has left. Prints the microseconds that one building took when
// MICROSECONDS is 0, which never kills it.
#include <sys/resource.h>
#include <sys/time.h>

#include <cstdio>
#include <cstdlib>

#include "projections/all_views.h"
#include "projections/projector.h"
#include "tests/projections/busy_log.h"

namespace stele::projections {
namespace {

int64_t UsedUs() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * int64_t{1'000'000} +
         usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

// The default of SIGPROF ends the process at once, wherever it is.
void DieAfter(int64_t microseconds) {
  const itimerval timer{{}, {microseconds / 1'000'000, microseconds % 1'000'000}};
  setitimer(ITIMER_PROF, &timer, nullptr);
}

int Build(const std::string& path, int turns, int64_t microseconds) {
  BusyLog busy;
  busy.Run(turns);
  const int64_t before = UsedUs();
  if (microseconds > 0) DieAfter(microseconds);
  do {
    auto views = Projector::Open(busy.log.store, ViewLog::kShard, path, AllViews());
    if (!views.has_value() || !(*views)->repaired().empty()) return 2;
    if (!(*views)->Rebuild().has_value() || !(*views)->CatchUp().has_value()) return 3;
  } while (microseconds > 0);
  std::printf("%lld\n", static_cast<long long>(UsedUs() - before));
  return 0;
}

}  // namespace
}  // namespace stele::projections

int main(int argc, char** argv) {
  if (argc != 4) return 1;
  return stele::projections::Build(argv[1], std::atoi(argv[2]), std::atoll(argv[3]));
}
