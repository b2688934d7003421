// One core, no disk: decide + apply + encode of a record, and its parts.
#include <benchmark/benchmark.h>

#include <vector>

#include "bench/ten_steps.h"
#include "engine/apply/apply.h"
#include "engine/decide/decide.h"
#include "engine/model/codec.h"
#include "engine/model/instance.h"

namespace stele {
namespace {

// Runs one instance from its start to its end; returns the records it made.
template <class OnRecord>
int RunInstance(decide::Decider& decider, const definition::Definition& definition, uint64_t id,
                std::vector<model::Event>& events, OnRecord on_record) {
  static const Payload kInput = Payload::FromText(bench::kInput);
  model::Instance instance;
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
  while (!model::HasEnded(instance.status))
    decide(model::CompleteAttempt{
        .run = instance.runs.back().id, .attempt = 1, .output = Payload::FromText(bench::kOutput)});
  return records;
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

void LiveInstanceMemory(benchmark::State& state) {
  const auto definition = bench::TenSteps();
  decide::Decider decider;
  std::vector<model::Event> events;
  size_t most = 0;
  for (auto _ : state)
    RunInstance(decider, *definition, 1, events, [&](const model::Instance& instance, const auto&) {
      most = std::max(most, model::MemoryOf(instance).structure);
    });
  state.counters["bytes"] = static_cast<double>(most);
}
BENCHMARK(LiveInstanceMemory)->Iterations(100);

}  // namespace
}  // namespace stele
