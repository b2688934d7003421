// One core, no disk: decide + apply + encode of a record, and its parts.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <climits>
#include <vector>

#include "bench/ten_steps.h"
#include "engine/apply/apply.h"
#include "engine/decide/decide.h"
#include "engine/model/codec.h"
#include "engine/model/instance.h"

namespace stele {
namespace {

// Runs one instance from its start to its end, or until it has made so many records; returns how
// many those are.
template <class OnRecord>
int Run(model::Instance& instance, decide::Decider& decider,
        const definition::Definition& definition, uint64_t id, std::vector<model::Event>& events,
        OnRecord on_record, int most_records = INT_MAX) {
  static const Payload kInput = Payload::FromText(bench::kInput);
  instance.id = InstanceId(id);
  uint64_t position = id * 11;
  int records = 0;
  const auto decide = [&](const model::Command& command) {
    events.clear();
    const auto rejection =
        decider.Decide(instance, command, {definition, {Position(++position), TimeUs(1)}}, events);
    CHECK(!rejection.has_value(), "{}", rejection->message);
    ++records;
    on_record(instance, events);
  };
  decide(model::StartInstance{.definition = DefinitionId(1), .input = kInput});
  while (!model::HasEnded(instance.status) && records < most_records)
    decide(model::CompleteAttempt{
        .run = instance.runs.back().id, .attempt = 1, .output = Payload::FromText(bench::kOutput)});
  return records;
}

template <class OnRecord>
int RunInstance(decide::Decider& decider, const definition::Definition& definition, uint64_t id,
                std::vector<model::Event>& events, OnRecord on_record) {
  model::Instance instance;
  return Run(instance, decider, definition, id, events, on_record);
}

void DecideApplyEncode(benchmark::State& state) {
  const auto definition = bench::TenSteps();
  decide::Decider decider;
  model::RecordEncoder encoder;
  std::vector<model::Event> events;
  uint64_t id = 0;
  int64_t records = 0;
  size_t bytes = 0;
  for (auto _ : state)
    records += RunInstance(
        decider, *definition, ++id, events,
        [&](const model::Instance&, const auto& e) { bytes += encoder.Encode(e).size(); });
  state.counters["records/s"] =
      benchmark::Counter(static_cast<double>(records), benchmark::Counter::kIsRate);
  state.counters["time/record"] = benchmark::Counter(
      static_cast<double>(records), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["body bytes"] = static_cast<double>(bytes) / static_cast<double>(records);
}
BENCHMARK(DecideApplyEncode);

void DecideApply(benchmark::State& state) {
  const auto definition = bench::TenSteps();
  decide::Decider decider;
  std::vector<model::Event> events;
  uint64_t id = 0;
  int64_t records = 0;
  for (auto _ : state)
    records += RunInstance(decider, *definition, ++id, events, [](const auto&, const auto&) {});
  state.counters["time/record"] = benchmark::Counter(
      static_cast<double>(records), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(DecideApply);

// Of the heap, for an instance in the middle of its steps, beside what the engine takes it for.
void LiveInstanceMemory(benchmark::State& state) {
  constexpr size_t kInstances = 10'000;
  constexpr int kRecordsUntilTheMiddle = 6;
  const auto definition = bench::TenSteps();
  decide::Decider decider;
  std::vector<model::Event> events;
  std::vector<model::Instance> kept;
  size_t measured = 0;
  for (auto _ : state) {
    kept.clear();
    kept.reserve(kInstances);
    const size_t before = mallinfo2().uordblks;
    for (size_t i = 0; i < kInstances; ++i) {
      Run(
          kept.emplace_back(), decider, *definition, i + 1, events, [](const auto&, const auto&) {},
          kRecordsUntilTheMiddle);
    }
    measured = mallinfo2().uordblks - before;
  }
  state.counters["heap bytes"] =
      static_cast<double>(measured) / kInstances + sizeof(model::Instance);
  state.counters["estimated bytes"] = static_cast<double>(model::MemoryOf(kept.front()).structure);
}
BENCHMARK(LiveInstanceMemory)->Iterations(3)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace stele
