// The engine as a whole, on a disk, every block synced: instances a second, replay, loading,
// starting.
//
//     engine_bench [--instances N] [--records N] [--events N] [--encrypt] [--data DIR]
//
// --encrypt: with a master key, so that payloads are sealed and what is derived is encrypted.
// Prints a line a figure. Medians of several rounds, behind one that is not counted, where a figure
// is a rate. What is read was written a moment before, so that it comes from the page cache.
#include <fmt/format.h>
#include <uv.h>

#include <algorithm>
#include <vector>

#include "bench/measuring.h"
#include "bench/ten_step_load.h"
#include "engine/apply/apply.h"
#include "engine/model/payload_spans.h"
#include "engine/model/snapshot.h"
#include "engine/runtime/limits.h"
#include "eventstore/rocksdb_store.h"

namespace stele {
namespace {

using bench::Load;
using bench::Median;
using bench::SecondsSince;
using bench::Steady;

constexpr ShardId kLongShard(7);

struct Settings {
  uint64_t instances = 200'000;  // of the durable workload
  uint64_t records = 0;          // of the log that is opened; 0: the durable workload's
  uint64_t events = 1'000'000;   // of the long instance
  bool encrypt = false;          // payloads are sealed
  std::string data = ".";        // where a folder is made and removed
};

struct Replayed {
  uint64_t records = 0;
  uint64_t ended = 0;
};

// Every record into state; `apply` false only decodes.
Replayed Replay(const eventstore::EventStore& store, bool apply) {
  std::unordered_map<InstanceId, model::Instance> live;
  Replayed result;
  auto cursor = store.Read(ShardId(), Position(1));
  CHECK(cursor.has_value(), "{}", cursor.error().ToString());
  for (;;) {
    auto record = (*cursor)->Next();
    CHECK(record.has_value(), "{}", record.error().ToString());
    if (!record->has_value()) break;
    ++result.records;
    const InstanceId id = (*record)->header.instance;
    if (id == InstanceId()) continue;
    model::Instance* instance = nullptr;
    if (apply) {
      instance = &live[id];
      instance->id = id;
    }
    const model::RecordContext context{(*record)->position, (*record)->header.time};
    const Status decoded = model::DecodeEach((*record)->body, [&](const model::Event& event) {
      if (apply) apply::Apply(*instance, event, context);
    });
    CHECK(decoded.has_value(), "{}", decoded.error().ToString());
    if (apply && model::HasEnded(instance->status)) {
      ++result.ended;
      live.erase(id);
    }
  }
  return result;
}

void MeasureReplay(const eventstore::EventStore& store) {
  std::vector<double> state, scan;
  Replayed replayed;
  for (int round = 0; round < 3; ++round) {
    auto start = Steady::now();
    replayed = Replay(store, false);
    scan.push_back(static_cast<double>(replayed.records) / SecondsSince(start));
    start = Steady::now();
    replayed = Replay(store, true);
    state.push_back(static_cast<double>(replayed.records) / SecondsSince(start));
  }
  fmt::print("replay into state       {:>12.0f} records/s  ({} records, {} instances ended)\n",
             Median(state), replayed.records, replayed.ended);
  fmt::print("scan that only decodes  {:>12.0f} records/s  (ratio {:.2f})\n", Median(scan),
             Median(state) / Median(scan));
}

// One instance with very many events: a loop that iterates. The snapshot lies as far back as it
// can, an interval less one event.
uint64_t MakeLongInstance(eventstore::EventStore& store, uint64_t events) {
  definition::LoadResult loaded = definition::Load(
      "version: \"1.0\"\nname: long\nsteps:\n  - id: each\n    type: loop\n    times: 100000000\n"
      "    max_iterations: 100000000\n    steps:\n      - {id: work, type: script, config: "
      "{script: w}}\n",
      definition::Syntax::kYaml, "long");
  if (!loaded.has_value()) {
    fmt::print("long instance: {}\n", loaded.error().front().message);
    return 0;
  }
  decide::Decider decider;
  model::RecordEncoder encoder;
  model::Instance instance;
  instance.id = InstanceId(1);
  const ShardId shard = kLongShard;
  std::vector<model::Event> made;
  eventstore::Batch batch;
  Position next = store.NextPosition(shard);
  const auto append = [&] {
    const Status appended = store.Append(shard, next, batch);
    CHECK(appended.has_value(), "{}", appended.error().ToString());
    next = store.NextPosition(shard);
    batch.Clear();
  };
  const auto decide = [&](const model::Command& command) {
    made.clear();
    const Position position(next.value + batch.count());
    const auto rejection =
        decider.Decide(instance, command, {**loaded, {position, TimeUs(1)}}, made);
    CHECK(!rejection.has_value(), "{}", rejection->message);
    batch.Add({.instance = instance.id,
               .first_seq = Seq(instance.seq.value - made.size() + 1),
               .event_count = static_cast<uint32_t>(made.size()),
               .time = TimeUs(1)},
              encoder.Encode(made));
    if (batch.count() >= 4096) append();
  };
  const auto put = [&] {
    append();  // a snapshot is of what is durable
    const Status written = store.PutSnapshot(
        shard, instance.id, {instance.seq, instance.position, model::EncodeSnapshot(instance)});
    CHECK(written.has_value(), "{}", written.error().ToString());
  };
  decide(model::StartInstance{.definition = DefinitionId(1)});
  bool has_snapshot = false;
  while (!has_snapshot || instance.seq.value < events) {
    decide(model::CompleteAttempt{
        .run = instance.runs.back().id, .attempt = 1, .output = Payload::FromText(bench::kOutput)});
    const bool is_due = instance.seq.value + runtime::kSnapshotEvents > events;
    if (is_due && !std::exchange(has_snapshot, true)) put();
  }
  if (batch.count() != 0) append();
  return instance.seq.value;
}

// Of a store that was opened anew: from its files, not from what it wrote last.
void MeasureLongInstance(const eventstore::EventStore& store, uint64_t events) {
  const ShardId shard = kLongShard;
  std::vector<double> milliseconds;
  uint64_t tail_records = 0;
  for (int round = 0; round < 9; ++round) {
    const auto start = Steady::now();
    const auto snapshot = store.GetSnapshot(shard, InstanceId(1));
    CHECK(snapshot.has_value() && snapshot->has_value());
    auto instance = model::DecodeSnapshot((*snapshot)->state);
    CHECK(instance.has_value(), "{}", instance.error().ToString());
    auto tail = store.ReadInstance(shard, InstanceId(1), instance->seq.Next());
    CHECK(tail.has_value(), "{}", tail.error().ToString());
    tail_records = 0;
    for (;;) {
      const auto record = (*tail)->Next();
      CHECK(record.has_value(), "{}", record.error().ToString());
      if (!record->has_value()) break;
      ++tail_records;
      const model::RecordContext context{(*record)->position, (*record)->header.time};
      const Status decoded = model::DecodeEach((*record)->body, [&](const model::Event& event) {
        apply::Apply(*instance, event, context);
      });
      CHECK(decoded.has_value(), "{}", decoded.error().ToString());
    }
    CHECK(instance->seq.value == events, "{} of {}", instance->seq.value, events);
    milliseconds.push_back(SecondsSince(start) * 1e3);
  }
  fmt::print("load an instance of {} events {:>8.3f} ms, snapshot and a tail of {} records\n",
             events, Median(milliseconds), tail_records);
}

eventstore::EventStore& Reopen(std::unique_ptr<eventstore::EventStore>& store,
                               const std::string& path, bool encrypt) {
  store.reset();
  eventstore::RocksDbOptions options;
  if (encrypt) {
    options.master_key = eventstore::CipherKey(std::string(eventstore::kKeyBytes, 'k'));
    options.payloads = std::make_shared<model::RecordPayloads>();
  }
  auto opened = eventstore::OpenRocksDbStore(path, options);
  CHECK(opened.has_value(), "{}", opened.error().ToString());
  store = *std::move(opened);
  return *store;
}

int Main(const Settings& settings) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  const bench::Folder folder(settings.data);
  std::unique_ptr<eventstore::EventStore> store;
  Reopen(store, folder.path(), settings.encrypt);
  {
    Load load(&loop, *store);
    load.Open();
    load.Run(settings.instances / 10 + 1, 1000);
    std::vector<double> rates;
    for (int round = 0; round < 3; ++round) rates.push_back(load.Run(settings.instances / 3, 1000));
    fmt::print("10-step instances       {:>12.0f} instances/s durable, 1,000 at once\n",
               Median(rates));
    load.Close();
  }
  const eventstore::StoreStats stats = store->Stats();
  const uint64_t records = store->NextPosition(ShardId()).value - 1;
  fmt::print("stored                  {:>12.1f} bytes/record ({} records)\n",
             static_cast<double>(stats.appended_bytes) / static_cast<double>(records), records);
  MeasureReplay(*store);
  if (settings.records > records) {
    Load load(&loop, *store);
    load.Open();
    load.Run((settings.records - records) / 11 + 1, 1000);
    load.Close();
  }
  const auto start = Steady::now();
  Reopen(store, folder.path(), settings.encrypt);
  const double opening = SecondsSince(start);
  {
    Load load(&loop, *store);
    fmt::print(
        "start on {} records {:>8.3f} s to the first command (store {:.3f} s), files in the "
        "page cache\n",
        store->NextPosition(ShardId()).value - 1, opening + load.FirstCommand(), opening);
    load.Close();
  }
  if (const uint64_t events = MakeLongInstance(*store, settings.events); events > 0)
    MeasureLongInstance(Reopen(store, folder.path(), settings.encrypt), events);
  store.reset();
  uv_loop_close(&loop);
  return 0;
}

}  // namespace
}  // namespace stele

int main(int argc, char** argv) {
  stele::Settings settings;
  stele::bench::ReadArguments(argc, argv,
                              "[--instances N] [--records N] [--events N] [--encrypt] [--data DIR]",
                              {{"--instances", stele::bench::Into(settings.instances)},
                               {"--records", stele::bench::Into(settings.records)},
                               {"--events", stele::bench::Into(settings.events)},
                               {"--data", stele::bench::Into(settings.data)}},
                              {{"--encrypt", &settings.encrypt}});
  return stele::Main(settings);
}
