// What a record costs on its way into and out of the log.
#include <benchmark/benchmark.h>

#include <string>

#include "engine/model/codec.h"
#include "engine/model/snapshot.h"

namespace stele::model {
namespace {

// A step's result with what mostly follows from it; 20 bytes of output.
std::vector<Event> StepToStep() {
  return {
      AttemptCompleted{
          .run = RunId(3), .attempt = 1, .output = Payload::FromText(R"({"number":123456789})")},
      StepCompleted{.run = RunId(3)},
      StepActivated{.run = RunId(4), .step = StepIndex(4), .via = TransitionIndex(3)}};
}

void BM_EncodeRecord(benchmark::State& state) {
  const std::vector<Event> events = StepToStep();
  RecordEncoder encoder;
  size_t bytes = 0;
  for (auto _ : state) {
    const std::string_view body = encoder.Encode(events);
    benchmark::DoNotOptimize(body.data());
    bytes = body.size();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_EncodeRecord);

void BM_DecodeEach(benchmark::State& state) {
  RecordEncoder encoder;
  const std::string_view body = encoder.Encode(StepToStep());
  size_t seen = 0;
  for (auto _ : state) {
    const auto status = DecodeEach(body, [&](const Event& event) { seen += event.index(); });
    if (!status) state.SkipWithError(status.error().message.c_str());
  }
  benchmark::DoNotOptimize(seen);
}
BENCHMARK(BM_DecodeEach);

void BM_Decode(benchmark::State& state) {
  RecordEncoder encoder;
  const std::string_view body = encoder.Encode(StepToStep());
  for (auto _ : state) {
    auto events = Decode(body);
    if (!events) state.SkipWithError(events.error().message.c_str());
    benchmark::DoNotOptimize(events);
  }
}
BENCHMARK(BM_Decode);

// Ten steps of which nine are done.
Instance SmallInstance() {
  Instance instance;
  instance.id = InstanceId(1);
  instance.status = Status::kRunning;
  instance.input = Payload::FromText(R"({"order":42})");
  Scope& scope = instance.scopes.emplace_back();
  for (uint32_t step = 0; step < 10; ++step) {
    SlotOf(scope, StepIndex(step)).output = Payload::FromText(R"({"number":123456789})");
  }
  instance.runs.emplace_back().id = RunId(10);
  return instance;
}

void BM_EncodeSnapshot(benchmark::State& state) {
  const Instance instance = SmallInstance();
  for (auto _ : state) benchmark::DoNotOptimize(EncodeSnapshot(instance));
}
BENCHMARK(BM_EncodeSnapshot);

void BM_DecodeSnapshot(benchmark::State& state) {
  const std::string bytes = EncodeSnapshot(SmallInstance());
  for (auto _ : state) benchmark::DoNotOptimize(DecodeSnapshot(bytes));
}
BENCHMARK(BM_DecodeSnapshot);

}  // namespace
}  // namespace stele::model
