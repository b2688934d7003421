// The process that dies in encryption_crash_test.cc while keys of a sealed log are destroyed.
//
//   encryption_child PATH STEP [unplugged]   destroys the keys of the instances 2 and 4
//
// Steps count from 1. With "unplugged" it loses what it has not synced before it kills itself. When
// there are fewer steps it ends by itself, with 0.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "tests/eventstore/power_cut.h"
#include "tests/eventstore/sealed_store.h"

namespace stele::eventstore {
namespace {

int Main(const std::string& path, uint64_t last, bool unplugged) {
  if (unplugged) CountAsSynced(path);
  uint64_t steps = 0;
  RocksDbOptions options = Sealed();
  options.on_archive_step = [&](std::string_view) {
    if (++steps < last) return;
    if (unplugged) LoseWhatIsNotSynced(path);
    kill(getpid(), SIGKILL);
    for (;;) pause();
  };
  auto store = OpenRocksDbStore(path, options);
  if (!store) return 2;
  const InstanceId instances[] = {InstanceId(2), InstanceId(4)};
  return (*store)->DestroyKeys(ShardId(), instances) ? 0 : 3;
}

}  // namespace
}  // namespace stele::eventstore

int main(int count, char** words) {
  if (count < 3) return 1;
  return stele::eventstore::Main(words[1], std::strtoull(words[2], nullptr, 10), count > 3);
}
