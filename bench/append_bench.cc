// The event store beside a bare file, in one run:
//
//   append_bench                                  everything; /1: payloads are sealed
//   append_bench --benchmark_filter=WriteAmplification
//
// STELE_BENCH_RECORDS sets how many records those write that need a log: by hand many, for a short
// look few.
//
// "Bare" is a file that is written to and synced by fdatasync: with the records as they are (raw)
// and with the blocks as the store keeps them (stored), in the same batches. The directory is
// STELE_BENCH_DIR or the system's for temporary files; it should be on a real disk.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "bench/measuring.h"
#include "eventstore/block_sealer.h"
#include "eventstore/committer.h"
#include "eventstore/log_tree.h"
#include "eventstore/record_tree.h"
#include "eventstore/rocksdb_store.h"

namespace stele::eventstore {
namespace {

using bench::CpuSeconds;
using bench::Median;
using bench::SecondsSince;
using bench::Steady;

constexpr ShardId kShard(0);
constexpr uint32_t kInFlight = 1024;

uint32_t Records(uint32_t usual) {
  const char* wanted = std::getenv("STELE_BENCH_RECORDS");
  return wanted == nullptr ? usual : static_cast<uint32_t>(std::strtoul(wanted, nullptr, 10));
}

class Directory : public bench::Folder {
 public:
  Directory() : Folder(Parent()) {}

 private:
  static std::filesystem::path Parent() {
    const char* base = std::getenv("STELE_BENCH_DIR");
    return base != nullptr ? std::filesystem::path(base) : std::filesystem::temp_directory_path();
  }
};

// Records as a ten-step workload makes them: 11 records an instance, many instances at once, bodies
// of some 190 bytes (a Cap'n Proto message is words, most of them small numbers), ids and times
// that differ, outputs of a dozen digits that nothing can compress.
class Workload {
 public:
  void Add(Batch* batch) {
    const uint64_t slot = random() % kRunning;
    if (step_[slot]++ % 11 == 0) instance_[slot] = ++last_instance_;
    const uint64_t step = (step_[slot] - 1) % 11;
    const uint64_t instance = instance_[slot];
    time_ += 1 + random() % 3;
    uint64_t body[24] = {};
    body[0] = 0x0000001700000000;
    body[1] = 0x0003000200000000;
    body[2] = time_;
    body[3] = step << 32 | 3;
    body[4] = 0x0000004d00000005 + step;
    body[6] = 0x0000000100000001 | (step + 1) << 16;
    body[8] = time_ - 900 - random() % 64;
    body[10] = 0x000000d200000011;
    body[12] = 0x0004000000010002;
    const auto text =
        fmt::format("{{\"order\":{},\"total\":{},\"ok\":true}}", instance, random() % 1'000'000);
    std::copy(text.begin(), text.end(), reinterpret_cast<char*>(body + 15));
    RecordHeader header;
    header.instance = InstanceId(instance);
    header.first_seq = Seq(1 + step * 3);
    header.event_count = 3;
    header.time = TimeUs(static_cast<int64_t>(time_));
    header.causation = Position(position_ > kRunning ? position_ - random() % kRunning : 0);
    ++position_;
    batch->Add(header, {reinterpret_cast<const char*>(body), sizeof body});
  }

 private:
  static constexpr uint64_t kRunning = 1000;
  uint64_t random() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ >> 33;
  }
  uint64_t state_ = 42;
  uint64_t time_ = 1'700'000'000'000'000;
  uint64_t position_ = 1;
  uint64_t last_instance_ = 0;
  uint64_t instance_[kRunning] = {};
  uint64_t step_[kRunning] = {};
};

// Of the workload's bodies: the text of an output and what stands behind it.
class OutputFinder final : public PayloadFinder {
 public:
  bool Find(std::string_view body, std::vector<PayloadSpan>* spans) const override {
    constexpr uint32_t kText = 15 * 8;
    spans->assign(1, {kText - 8, kText, static_cast<uint32_t>(body.size()) - kText});
    return true;
  }
};

Batch MakeWork(Workload* workload, uint32_t records) {
  Batch work;
  for (uint32_t i = 0; i < records; ++i) workload->Add(&work);
  return work;
}

// A thread that keeps `in_flight` records on their way. Its records are made beforehand, so that
// what is measured is the store.
class Driver {
 public:
  Driver(EventStore& store, uint32_t in_flight)
      : in_flight_(in_flight), committer_(store, kShard, [this](const Result<Position>& durable) {
          CHECK(durable.has_value(), "{}", durable.error().message);
          std::lock_guard lock(mutex_);
          durable_ = durable->value;
          ++blocks_;
          changed_.notify_one();
        }) {
    submitted_ = durable_ = store.NextPosition(kShard).value - 1;
  }

  // Submits the records of `work` from first to last; returns when all are durable.
  void Run(const Batch& work) {
    Batch batch;
    uint32_t next = 0;
    const uint64_t base = submitted_;
    while (next < work.count()) {
      const uint64_t durable = WaitForRoom();
      const auto room = static_cast<uint32_t>(in_flight_ - (submitted_ - durable));
      const uint32_t count = std::min(room, work.count() - next);
      slice_.Clear();
      AppendSlice(work, next, count);
      committer_.Submit(slice_);
      next += count;
      submitted_ = base + next;
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return durable_ == submitted_; });
  }
  // The next `records` of the workload, some at a time.
  void RunAll(Workload* workload, uint32_t records) {
    constexpr uint32_t kAtATime = 100'000;
    for (uint32_t i = 0; i < records; i += kAtATime)
      Run(MakeWork(workload, std::min(kAtATime, records - i)));
  }
  uint64_t blocks() const { return blocks_; }

 private:
  uint64_t WaitForRoom() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return submitted_ - durable_ < in_flight_; });
    return durable_;
  }
  // A loop adds records one by one; the copy stands for that.
  void AppendSlice(const Batch& work, uint32_t from, uint32_t count) {
    const auto offsets = work.offsets();
    for (uint32_t i = from; i < from + count; ++i) {
      const size_t end = i + 1 < work.count() ? offsets[i + 1] : work.bytes();
      slice_.AddFrame(work.frames().substr(offsets[i], end - offsets[i]));
    }
  }

  const uint32_t in_flight_;
  uint64_t submitted_ = 0;
  Batch slice_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t durable_ = 0;
  uint64_t blocks_ = 0;
  Committer committer_;  // last: its workers call into the above
};

class BareFile {
 public:
  explicit BareFile(const std::string& path)
      : fd_(open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600)) {
    CHECK(fd_ >= 0, "{}", path);
  }
  ~BareFile() { close(fd_); }
  void Append(std::string_view bytes) {
    CHECK(write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    CHECK(fdatasync(fd_) == 0);
  }

 private:
  int fd_;
};

std::unique_ptr<EventStore> OpenStore(const std::string& path, bool sealed = false) {
  RocksDbOptions options;
  if (sealed) {
    options.master_key = CipherKey(std::string(kKeyBytes, 'k'));
    options.payloads = std::make_shared<OutputFinder>();
  }
  auto store = OpenRocksDbStore(path, options);
  CHECK(store.has_value(), "{}", store.error().message);
  return std::move(*store);
}

// The blocks that a batch becomes when it is cut every `records` records.
std::vector<std::string> SealEvery(const Batch& work, uint32_t records,
                                   std::vector<std::string>* raw) {
  BlockSealer sealer;
  SealedBlock block;
  LogTail tail;
  std::vector<std::string> stored;
  for (uint32_t from = 0; from < work.count(); from += records) {
    Batch batch;
    const uint32_t end = std::min(work.count(), from + records);
    for (uint32_t i = from; i < end; ++i) {
      const size_t frame_end = i + 1 < work.count() ? work.offsets()[i + 1] : work.bytes();
      batch.AddFrame(work.frames().substr(work.offsets()[i], frame_end - work.offsets()[i]));
    }
    CHECK(sealer.Seal(kShard, tail, batch, &block).has_value());
    tail = block.after;
    stored.push_back(block.value);
    raw->emplace_back(batch.frames());
  }
  return stored;
}

double BareRate(const std::string& path, const std::vector<std::string>& blocks, uint32_t records) {
  BareFile file(path);
  const auto start = Steady::now();
  for (const std::string& block : blocks) file.Append(block);
  return records / SecondsSince(start);
}

// Rounds of the three, one after the other, so that a neighbour's load falls on all. 1: payloads
// are sealed.
void BM_Append(benchmark::State& state) {
  const uint32_t count = Records(100'000);
  constexpr int kRounds = 7;
  Directory directory;
  auto store = OpenStore(directory.path() + "/store", state.range(0) == 1);
  Workload workload;
  Driver driver(*store, kInFlight);
  for (auto _ : state) {
    std::vector<double> rates, raw_rates, stored_rates, raw_ratios, stored_ratios;
    for (int round = 0; round < kRounds; ++round) {
      const Batch work = MakeWork(&workload, count);
      const uint64_t blocks = driver.blocks();
      const auto start = Steady::now();
      driver.Run(work);
      rates.push_back(count / SecondsSince(start));
      // The same batches, on average.
      std::vector<std::string> raw;
      const auto stored =
          SealEvery(work, static_cast<uint32_t>(count / (driver.blocks() - blocks)), &raw);
      raw_rates.push_back(BareRate(directory.path() + "/raw", raw, count));
      stored_rates.push_back(BareRate(directory.path() + "/stored", stored, count));
      raw_ratios.push_back(rates.back() / raw_rates.back());
      stored_ratios.push_back(rates.back() / stored_rates.back());
    }
    state.SetIterationTime(1 / Median(rates));
    const StoreStats stats = store->Stats();
    const double records = double{kRounds} * count;
    state.counters["records/s"] = Median(rates);
    state.counters["records/block"] = records / static_cast<double>(driver.blocks());
    state.counters["bare_raw/s"] = Median(raw_rates);
    state.counters["bare_stored/s"] = Median(stored_rates);
    state.counters["ratio_raw"] = Median(raw_ratios);
    state.counters["ratio_stored"] = Median(stored_ratios);
    state.counters["raw_B/record"] = stats.raw_bytes / records;
    state.counters["stored_B/record"] = stats.appended_bytes / records;
    state.counters["index_B/record"] = stats.index_bytes_written / records;
  }
}
BENCHMARK(BM_Append)->Arg(0)->Arg(1)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);

// What hashing takes of a record's way to the disk, in CPU time: the leaves, the blocks' trees, and
// both trees, of blocks that begin evenly or not; beside the whole way, in the same rounds.
void BM_Hashing(benchmark::State& state) {
  const uint32_t count = Records(100'000);
  constexpr uint64_t kBlock = 512;
  constexpr int kRounds = 7;
  Directory directory;
  auto store = OpenStore(directory.path() + "/store");
  Workload workload;
  Driver driver(*store, kInFlight);
  for (auto _ : state) {
    std::vector<double> ways, leaves, blocks, even, uneven;
    const auto take = [&](std::vector<double>* times, const auto& work) {
      const double before = CpuSeconds();
      work();
      times->push_back((CpuSeconds() - before) / count * 1e6);
    };
    for (int round = 0; round < kRounds; ++round) {
      const Batch work = MakeWork(&workload, count);
      take(&ways, [&] { driver.Run(work); });
      std::vector<Hash> hashes(count);
      take(&leaves, [&] {
        for (uint32_t i = 0; i < count; ++i) {
          const size_t end = i + 1 < count ? work.offsets()[i + 1] : work.bytes();
          hashes[i] = LeafHash(Position(i + 1),
                               work.frames().substr(work.offsets()[i], end - work.offsets()[i]));
        }
      });
      take(&blocks, [&] {
        for (uint64_t at = 0; at < count; at += kBlock) {
          const uint64_t end = std::min<uint64_t>(at + kBlock, count);
          RecordTree tree(static_cast<uint32_t>(end - at));
          for (uint64_t i = at; i < end; ++i) tree.AddLeaf(hashes[i]);
          benchmark::DoNotOptimize(tree.Root());
        }
      });
      const auto both = [&](uint64_t block) {
        LogFrontier frontier;
        BlockCover cover;
        for (uint64_t at = 0; at < count; at += block) {
          const uint64_t end = std::min<uint64_t>(at + block, count);
          RecordTree tree(static_cast<uint32_t>(end - at));
          cover.Begin(Position(at + 1));
          for (uint64_t i = at; i < end; ++i) cover.AddLeaf(hashes[i], &tree);
          cover.Finish(&tree);
          benchmark::DoNotOptimize(tree.Root());
          for (const LogNode& node : cover.nodes()) frontier.Add(node);
        }
        benchmark::DoNotOptimize(frontier.Root());
      };
      take(&even, [&] { both(kBlock); });
      take(&uneven, [&] { both(kBlock - 1); });
    }
    state.SetIterationTime(Median(ways) * 1e-6);
    state.counters["way_us"] = Median(ways);
    state.counters["leaves_us"] = Median(leaves);
    state.counters["block_trees_us"] = Median(blocks);
    state.counters["both_even_us"] = Median(even);
    state.counters["both_uneven_us"] = Median(uneven);
    state.counters["even_share"] = (Median(even) - Median(blocks)) / Median(ways);
    state.counters["uneven_share"] = (Median(uneven) - Median(blocks)) / Median(ways);
  }
}
BENCHMARK(BM_Hashing)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);

// One record at a time: from submission to the answer. 1: payloads are sealed.
void BM_AppendLatency(benchmark::State& state) {
  const uint32_t count = std::min(Records(2000), 2000u);
  Directory directory;
  auto store = OpenStore(directory.path() + "/store", state.range(0) == 1);
  Workload workload;
  Driver driver(*store, 1);
  BareFile file(directory.path() + "/bare");
  for (auto _ : state) {
    std::vector<double> latencies, bare;
    for (uint32_t i = 0; i < count; ++i) {
      const Batch one = MakeWork(&workload, 1);
      auto start = Steady::now();
      driver.Run(one);
      latencies.push_back(SecondsSince(start));
      start = Steady::now();
      file.Append(one.frames());
      bare.push_back(SecondsSince(start));
    }
    state.SetIterationTime(Median(latencies));
    state.counters["p50_us"] = Median(latencies) * 1e6;
    state.counters["bare_p50_us"] = Median(bare) * 1e6;
    state.counters["ratio"] = Median(latencies) / Median(bare);
  }
}
BENCHMARK(BM_AppendLatency)
    ->Arg(0)
    ->Arg(1)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

// Sealing alone: hash, compression, checksum.
void BM_Seal(benchmark::State& state) {
  Workload workload;
  const Batch work = MakeWork(&workload, static_cast<uint32_t>(state.range(0)));
  BlockSealer sealer;
  SealedBlock block;
  for (auto _ : state) CHECK(sealer.Seal(kShard, LogTail{}, work, &block).has_value());
  state.SetItemsProcessed(state.iterations() * work.count());
  state.counters["B/record"] = static_cast<double>(block.value.size()) / work.count();
}
BENCHMARK(BM_Seal)->Arg(1)->Arg(512)->Arg(1024)->Arg(4096);

// The same with payloads sealed, their keys being known; an instance's first record makes one.
void BM_SealPayloads(benchmark::State& state) {
  Workload workload;
  const Batch work = MakeWork(&workload, static_cast<uint32_t>(state.range(0)));
  PayloadKeys keys(CipherKey::Generate(), std::make_shared<OutputFinder>(), [](std::string_view) {
    return Result<std::optional<std::string>>(std::nullopt);
  });
  BlockSealer sealer(&keys);
  SealedBlock block;
  CHECK(sealer.Seal(kShard, LogTail{}, work, &block).has_value());
  keys.Written(block.keys);
  for (auto _ : state) CHECK(sealer.Seal(kShard, LogTail{}, work, &block).has_value());
  state.SetItemsProcessed(state.iterations() * work.count());
  state.counters["B/record"] = static_cast<double>(block.value.size()) / work.count();
}
BENCHMARK(BM_SealPayloads)->Arg(1)->Arg(512)->Arg(1024)->Arg(4096);

// A scan that decodes every record, from disk (or what the kernel keeps of it). 1: payloads are
// sealed.
void BM_Scan(benchmark::State& state) {
  const uint32_t count = Records(1'000'000);
  Directory directory;
  const bool sealed = state.range(0) == 1;
  auto store = OpenStore(directory.path() + "/store", sealed);
  Workload workload;
  {
    Driver driver(*store, 4096);
    driver.RunAll(&workload, count);
  }
  store.reset();
  const auto start = Steady::now();
  store = OpenStore(directory.path() + "/store", sealed);
  state.counters["open_ms"] = SecondsSince(start) * 1e3;
  for (auto _ : state) {
    auto cursor = store->Read(kShard, Position(1));
    uint64_t records = 0, bytes = 0;
    for (auto next = (*cursor)->Next(); next && *next; next = (*cursor)->Next()) {
      ++records;
      bytes += (*next)->body.size();
    }
    CHECK(records == count);
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(BM_Scan)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_ReadInstance(benchmark::State& state) {
  const uint32_t count = Records(1'000'000);
  Directory directory;
  auto store = OpenStore(directory.path() + "/store", state.range(0) == 1);
  Workload workload;
  Driver driver(*store, kInFlight);
  driver.RunAll(&workload, count);
  uint64_t instance = 1;
  for (auto _ : state) {
    auto cursor = store->ReadInstance(kShard, InstanceId(instance), Seq(1));
    uint64_t records = 0;
    for (auto next = (*cursor)->Next(); next && *next; next = (*cursor)->Next()) ++records;
    CHECK(records > 0);
    instance = 1 + (instance + 7919) % (count / 12);
  }
}
BENCHMARK(BM_ReadInstance)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

void BM_WriteAmplification(benchmark::State& state) {
  const uint32_t records = Records(2'000'000);
  const bool sealed = state.range(0) == 1;
  Directory directory;
  auto store = OpenStore(directory.path() + "/store", sealed);
  Workload workload;
  for (auto _ : state) {
    {
      Driver driver(*store, kInFlight);
      driver.RunAll(&workload, records);
    }
    const StoreStats stats = store->Stats();
    const auto written = static_cast<double>(stats.wal_bytes_written + stats.flush_bytes_written +
                                             stats.compaction_bytes_written);
    const double count = records;
    state.counters["raw_B/record"] = stats.raw_bytes / count;
    state.counters["stored_B/record"] = stats.appended_bytes / count;
    state.counters["wal_MB"] = stats.wal_bytes_written / 1e6;
    state.counters["flush_MB"] = stats.flush_bytes_written / 1e6;
    state.counters["compaction_MB"] = stats.compaction_bytes_written / 1e6;
    state.counters["index_MB"] = stats.index_bytes_written / 1e6;
    state.counters["per_stored"] = written / stats.appended_bytes;
    state.counters["per_raw"] = written / stats.raw_bytes;
    store.reset();
    const auto start = Steady::now();
    store = OpenStore(directory.path() + "/store", sealed);
    state.counters["open_ms"] = SecondsSince(start) * 1e3;
  }
}
BENCHMARK(BM_WriteAmplification)->Arg(0)->Arg(1)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace stele::eventstore
