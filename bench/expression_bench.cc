// What a condition and a template cost. Conditions of the first group evaluate without allocation.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>

#include "base/json.h"
#include "engine/expression/expression.h"

namespace {
// Counted, so that an allocation on the path of a condition shows as a figure.
thread_local int64_t allocations = 0;
}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace stele::expression {
namespace {

class FixedEnvironment final : public Environment {
 public:
  Found Lookup(std::span<const std::string> path) const override {
    const Value* value = root_.Find(path[0]);
    return {value, value == nullptr ? size_t{0} : size_t{1}};
  }

 private:
  Value root_ = ParseJson(R"({"input": {"score": 60, "age": 20, "verified": true,
                                        "type": "premium", "data": ["x", "y"]},
                              "loop": {"index": 1}, "response": {"message": "a success"}})")
                    .value();
};

void Evaluate(benchmark::State& state, const char* text) {
  const FixedEnvironment environment;
  const Expression expression = Expression::Compile(text).value();
  const int64_t before = allocations;
  for (auto _ : state) benchmark::DoNotOptimize(expression.EvaluateBool(environment).value());
  state.SetItemsProcessed(state.iterations());
  state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations - before),
                                                     benchmark::Counter::kAvgIterations);
}
BENCHMARK_CAPTURE(Evaluate, compare_number, "input.score >= 60");
BENCHMARK_CAPTURE(Evaluate, compare_string, "{{input.type}} == 'premium'");
BENCHMARK_CAPTURE(Evaluate, two_conditions, "input.age >= 18 and input.verified == true");
BENCHMARK_CAPTURE(Evaluate, contains, "{{response.message}}.contains('success')");
BENCHMARK_CAPTURE(Evaluate, in_constant_list, "input.type in ['basic', 'premium']");
BENCHMARK_CAPTURE(Evaluate, dynamic_index, "input.data[loop.index] == 'y'");
BENCHMARK_CAPTURE(Evaluate, matches, "response.message matches '^a s.*s$'");

void Compile(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(Expression::Compile("input.age >= 18 and input.verified == true"));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Compile);

void Render(benchmark::State& state) {
  const FixedEnvironment environment;
  const Template compiled =
      Template::Compile(ParseJson(R"({"url": "http://h/{{input.score}}/x", "method": "GET",
                                      "body": {"data": "{{input.data}}", "n": 1}})")
                            .value())
          .value();
  for (auto _ : state) benchmark::DoNotOptimize(compiled.Render(environment));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Render);

}  // namespace
}  // namespace stele::expression
