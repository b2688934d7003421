// The process that dies in crash_test.cc. It tells on its standard output, a line each, "durable
// POSITION" for what was acknowledged and "error CODE" for what was refused.
//
//   crash_child blocks PATH COUNT    appends COUNT blocks of five records, kills itself
//   crash_child commits PATH COUNT   group commits, kills itself when COUNT records are durable
//   crash_child checkpoint PATH 0    puts, makes a checkpoint, puts, kills itself
//   crash_child hold PATH 0          opens and kills itself
//   crash_child full PATH BYTES      appends until no file may grow beyond BYTES
//
// With a fourth word "unplugged" it loses what it has not synced before it kills itself.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "eventstore/committer.h"
#include "eventstore/rocksdb_store.h"
#include "tests/eventstore/power_cut.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

void Tell(std::string_view what, uint64_t number) {
  const std::string line = fmt::format("{} {}\n", what, number);
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(3);
}

std::string unplugged;  // what loses its unsynced bytes; empty: nothing

[[noreturn]] void Die() {
  if (!unplugged.empty()) LoseWhatIsNotSynced(unplugged);
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

void Expect(const Status& status) {
  if (status) return;
  Tell("error", static_cast<uint64_t>(status.error().code));
  _exit(2);
}

void AppendBlocks(EventStore& store, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t next = store.NextPosition(kShard).value;
    Expect(AppendNext(store, RoundRobin(5, 1, next)));
    Tell("durable", next + 4);
  }
  Die();
}

void CommitUntil(EventStore& store, uint64_t count) {
  uint64_t next = store.NextPosition(kShard).value;
  const uint64_t last = next + count;
  Committer committer(store, kShard, [last](const Result<Position>& durable) {
    if (!durable) _exit(2);
    Tell("durable", durable->value);
    if (durable->value >= last) Die();
  });
  for (;; next += 3) {
    Batch batch = RoundRobin(3, 1, next);
    committer.Submit(batch);
    // What is on its way is bounded, as the runtime does it.
    store.WaitForRecords(kShard, Position(next > 900 ? next - 900 : 0), 1'000'000, {});
  }
}

void PutAroundACheckpoint(EventStore& store) {
  Expect(AppendNext(store, RoundRobin(9, 1, 1)));
  Expect(store.PutSnapshot(kShard, InstanceId(1), {Seq(5), Position(5), "five"}));
  Expect(store.PutOpen(kShard, InstanceId(1), "open"));
  Expect(store.WriteCheckpoint(kShard, {Position(5), "at five"}));
  Expect(store.PutSnapshot(kShard, InstanceId(1), {Seq(9), Position(9), "nine"}));
  Expect(store.EraseOpen(kShard, InstanceId(1)));
  Tell("durable", 9);
  Die();
}

void FillTheDisk(EventStore& store, uint64_t bytes) {
  signal(SIGXFSZ, SIG_IGN);
  const rlimit files{bytes, bytes};
  if (setrlimit(RLIMIT_FSIZE, &files) != 0) _exit(3);
  std::string noise;
  uint64_t state = bytes;
  for (uint64_t seq = 1;; ++seq) {
    noise.clear();
    for (int i = 0; i < 4096; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      noise.push_back(static_cast<char>(state >> 56));
    }
    Batch batch;
    batch.Add(HeaderFor(1, seq), noise);
    const Status appended = AppendNext(store, batch);
    if (appended) {
      Tell("durable", seq);
      continue;
    }
    const Status again = AppendNext(store, batch);
    const bool stays = store.NextPosition(kShard) == Position(seq) && !again &&
                       again.error().code == ErrorCode::kStoreWriteFailed;
    Tell("error", stays ? static_cast<uint64_t>(appended.error().code) : 0);
    return;
  }
}

int Main(std::string_view mode, const char* path, uint64_t number) {
  RocksDbOptions options;
  if (mode == "blocks") {
    options.index_chunk_records = 30;
    options.write_buffer_bytes = 64 << 10;
  }
  auto store = OpenRocksDbStore(path, options);
  if (!store) {
    Tell("error", static_cast<uint64_t>(store.error().code));
    return 2;
  }
  if (mode == "blocks") AppendBlocks(**store, number);
  if (mode == "commits") CommitUntil(**store, number);
  if (mode == "checkpoint") PutAroundACheckpoint(**store);
  if (mode == "hold") Die();
  if (mode == "full") FillTheDisk(**store, number);
  return 0;  // with a clean end, which must not make anything worse
}

}  // namespace
}  // namespace stele::eventstore

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 1;
  if (argc == 5) {
    stele::eventstore::unplugged = argv[2];
    stele::eventstore::CountAsSynced(argv[2]);
  }
  return stele::eventstore::Main(argv[1], argv[2], std::strtoull(argv[3], nullptr, 10));
}
