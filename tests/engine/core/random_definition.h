// Definitions from a seed: graphs with splits, joins and back edges, loops and sub-processes in
// each other, people, messages, signals, races, calls, conditions, retries, fallbacks, compensation
// and every strategy. The same seed, the same text.
#pragma once

#include <cstdint>
#include <string>

namespace stele::test {

// SplitMix64 (Steele, Lea, Flood, 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

// YAML of the `workflow:` notation. Tasks are of type "script"; conditions look at `outputs.n`.
std::string RandomDefinition(uint64_t seed);

}  // namespace stele::test
