// Damaged files give faults or other definitions, never a crash. The damage is deterministic.

#include <gtest/gtest.h>

#include "engine/definition/canonical.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  size_t Below(size_t n) {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return static_cast<size_t>((z ^ (z >> 31)) % n);
  }

 private:
  uint64_t state_;
};

// Whatever loads must survive the canonical form.
void LoadAndCompare(const std::string& text, Syntax syntax) {
  const LoadResult result = Load(text, syntax, "unnamed");
  if (!result) {
    ASSERT_FALSE(result.error().empty());
    for (const Fault& fault : result.error()) ASSERT_FALSE(fault.message.empty());
    return;
  }
  const std::string canonical = WriteCanonical(**result);
  const LoadResult again = ReadCanonical(canonical);
  ASSERT_TRUE(again) << FormatFault("canonical", again.error()[0]) << "\n" << text;
  ASSERT_EQ(WriteCanonical(**again), canonical) << text;
}

std::string Mutate(std::string text, Random& random) {
  using namespace std::literals;
  static constexpr std::string_view kBytes = "\n :-,[]{}\"'&*|>!%#?\\\t\0$aT0\xff"sv;
  for (size_t n = 1 + random.Below(3); n > 0 && !text.empty(); --n) {
    const size_t at = random.Below(text.size());
    switch (random.Below(4)) {
      case 0:
        text[at] = kBytes[random.Below(kBytes.size())];
        break;
      case 1:
        text.insert(at, 1, kBytes[random.Below(kBytes.size())]);
        break;
      case 2:
        text.erase(at, 1 + random.Below(12));
        break;
      default:
        text.insert(at, text.substr(random.Below(text.size()), random.Below(40)));
        break;
    }
  }
  return text;
}

TEST(Mutation, TruncatedFilesGiveFaultsOrDefinitions) {
  for (const std::string& name : PrintedNames()) {
    const std::string text = ReadPrinted(name);
    const Syntax syntax = SyntaxOf(name, text);
    for (size_t length = 0; length < text.size(); length += 3)
      LoadAndCompare(text.substr(0, length), syntax);
  }
}

TEST(Mutation, ChangedFilesGiveFaultsOrDefinitions) {
  Random random(7);
  for (const std::string& name : PrintedNames()) {
    const std::string text = ReadPrinted(name);
    const Syntax syntax = SyntaxOf(name, text);
    for (int i = 0; i < 400; ++i) LoadAndCompare(Mutate(text, random), syntax);
  }
}

TEST(Mutation, ChangedCanonicalTextsGiveFaultsOrDefinitions) {
  Random random(11);
  for (const char* name : {"conditional-workflow.yml", "data-processing.yml"}) {
    const std::string text = WriteCanonical(*LoadYaml(ReadPrinted(name)));
    for (int i = 0; i < 2'000; ++i) LoadAndCompare(Mutate(text, random), Syntax::kJson);
  }
}

}  // namespace
}  // namespace stele::definition::testing
