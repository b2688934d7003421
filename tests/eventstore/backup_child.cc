// The process that dies in backup_crash_test.cc, just before it syncs for the COUNT-th time.
//
//   backup_child backup DATA DIRECTORY COUNT    backs up, keeping two
//   backup_child full DATA DIRECTORY BYTES      backs up while no file may grow beyond BYTES
//   backup_child restore DIRECTORY NEW COUNT    restores the newest backup
//   backup_child cut DIRECTORY NEW COUNT        restores it up to position 7
//
// With a fifth word "unplugged" it loses what it has not synced before it kills itself. It prints
// the error, if there is one.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "eventstore/restore.h"
#include "eventstore/rocksdb_store.h"
#include "tests/eventstore/power_cut.h"

namespace stele::eventstore {
namespace {

std::atomic<long> syncs_left = 0;
std::string unplugged;  // what loses its unsynced bytes; empty: nothing

void DieInTime() {
  if (--syncs_left != 0) return;
  if (!unplugged.empty()) LoseWhatIsNotSynced(unplugged);
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

int Refused(const Error& error) {
  std::puts(error.ToString().c_str());
  return 2;
}

void LimitFiles(long bytes) {
  signal(SIGXFSZ, SIG_IGN);
  const rlimit files{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
  if (setrlimit(RLIMIT_FSIZE, &files) != 0) _exit(3);
}

int BackUp(const char* data, const char* directory, long count, bool full) {
  RocksDbOptions options;
  options.create_if_missing = false;
  const auto store = OpenRocksDbStore(data, options);
  if (!store) return Refused(store.error());
  if (full)
    LimitFiles(count);
  else
    syncs_left = count;
  const auto made = (*store)->Backup({.directory = directory,
                                      .now = TimeUs(1'800'000'000'000'000),
                                      .files = {"settings.json"},
                                      .keep = 2,
                                      .progress = nullptr});
  syncs_left = 0;
  return made ? 0 : Refused(made.error());
}

int RestoreNewest(const char* directory, const char* target, long count, bool cut) {
  RestoreRequest request;
  request.directory = directory;
  request.target = target;
  if (cut) request.to_position = Position(7);
  syncs_left = count;
  const auto restored = Restore(request);
  syncs_left = 0;
  return restored ? 0 : Refused(restored.error());
}

}  // namespace
}  // namespace stele::eventstore

int main(int argc, char** argv) {
  using namespace stele::eventstore;
  if (argc != 5 && argc != 6) return 1;
  const std::string_view mode = argv[1];
  if (argc == 6) {
    // The parent of both directories.
    const std::string first = argv[2];
    unplugged = first.substr(0, first.rfind('/'));
    CountAsSynced(unplugged);
  }
  CallBeforeEachSync(DieInTime);
  const long count = std::strtol(argv[4], nullptr, 10);
  if (mode == "backup" || mode == "full") return BackUp(argv[2], argv[3], count, mode == "full");
  return RestoreNewest(argv[2], argv[3], count, mode == "cut");
}
