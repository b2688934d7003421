// The process that dies in archive_crash_test.cc, at the step that it is told.
//
//   archive_child archive PATH STEP   archives up to position 100
//   archive_child grow PATH STEP      archives up to position 40, then the rest, into one segment
//   archive_child cut PATH STEP       cuts instances 5, 6, 20 and 30 out
//   archive_child clear PATH STEP     cuts all up to 34 out, so that segments are put together
//   archive_child full PATH BYTES     archives while no file may grow beyond BYTES, then once more
//
// Steps count from 1. It tells the number of the last one on its standard output, "step N"; when
// there are fewer it ends by itself and tells "done N". With a fourth word "unplugged" it loses
// what it has not synced before it kills itself.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "tests/eventstore/archive_store.h"
#include "tests/eventstore/power_cut.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

void Tell(std::string_view what, uint64_t number) {
  const std::string line = fmt::format("{} {}\n", what, number);
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(3);
}

// Says what the first try was refused with: "error CODE".
int ArchiveOnAFullDisk(const std::string& path, uint64_t bytes) {
  auto store = OpenRocksDbStore(path, SmallSegments(1 << 20));
  if (!store) return 2;
  signal(SIGXFSZ, SIG_IGN);
  rlimit files{};
  if (getrlimit(RLIMIT_FSIZE, &files) != 0) return 3;
  const rlimit little{bytes, files.rlim_max};
  if (setrlimit(RLIMIT_FSIZE, &little) != 0) return 3;
  const auto refused = (*store)->Archive(kShard, Position(121));
  if (setrlimit(RLIMIT_FSIZE, &files) != 0) return 3;
  if (refused) return 2;
  Tell("error", static_cast<uint64_t>(refused.error().code));
  if (!NamesIn(path + "/archive", ".new").empty()) return 4;
  if (!AppendNext(**store, RoundRobin(1, 1, 4))) return 5;
  if (!(*store)->Archive(kShard, Position(121))) return 6;
  Tell("done", 0);
  return 0;
}

int Main(std::string_view mode, const std::string& path, uint64_t last, bool unplugged) {
  if (mode == "full") return ArchiveOnAFullDisk(path, last);
  if (unplugged) CountAsSynced(path);
  uint64_t steps = 0;
  RocksDbOptions options = SmallSegments(mode == "grow" ? 1 << 20 : 2000);
  options.on_archive_step = [&](std::string_view) {
    if (++steps < last) return;
    Tell("step", steps);
    if (unplugged) LoseWhatIsNotSynced(path);
    kill(getpid(), SIGKILL);
    for (;;) pause();
  };
  auto store = OpenRocksDbStore(path, options);
  if (!store) return 2;
  bool ok = true;
  if (mode == "archive") ok = (*store)->Archive(kShard, Position(100)).has_value();
  if (mode == "grow")
    for (const uint64_t to : {40, 80, 121})
      ok = ok && (*store)->Archive(kShard, Position(to)).has_value();
  Erasure erasure;
  if (mode == "cut")
    erasure.instances = {InstanceId(5), InstanceId(6), InstanceId(20), InstanceId(30)};
  if (mode == "clear")
    for (uint64_t instance = 1; instance <= 34; ++instance)
      erasure.instances.push_back(InstanceId(instance));
  if (!erasure.instances.empty()) {
    erasure.notes = {"key of 5"};
    ok = (*store)->Cut(kShard, erasure).has_value();
  }
  if (ok) Tell("done", steps);
  return ok ? 0 : 2;
}

}  // namespace
}  // namespace stele::eventstore

int main(int argc, char** argv) {
  if (argc < 4) return 1;
  return stele::eventstore::Main(argv[1], argv[2], std::strtoull(argv[3], nullptr, 10), argc > 4);
}
