// Disk use of an engine under steady load with retention: flat, but for a hash of each block of
// which all was cut out. STELE_STEADY_ROUNDS and STELE_STEADY_INSTANCES make it a long run, by
// hand; it prints what it finds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/engine/retention/steady_engine.h"
#include "tests/eventstore/records.h"

namespace stele::retention {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

uint64_t BytesUnder(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, gone))
    if (entry.is_regular_file(gone)) bytes += entry.file_size(gone);
  return bytes;
}

TEST(SteadyLoad, KeepsTheDiskFlatButForHashes) {
  const uint64_t rounds = FromEnvironment("STELE_STEADY_ROUNDS", 12);
  const uint64_t instances = FromEnvironment("STELE_STEADY_INSTANCES", 50);
  // The first days fill what is kept.
  constexpr uint64_t kFilling = 6;
  ASSERT_GT(rounds, kFilling);
  eventstore::TempDir directory;
  SteadyEngine engine({directory.path()});
  engine.Register();
  uint64_t purged = 0, cut = 0, cut_before = 0;
  int64_t filled = 0, last = 0;
  for (uint64_t round = 1; round <= rounds; ++round) {
    engine.Day(instances);
    const RetentionReport report = engine.Retain();
    purged += report.instances;
    cut += report.records;
    last = static_cast<int64_t>(BytesUnder(directory.path() + "/archive") +
                                engine.store().Stats().log_bytes);
    if (round == kFilling) {
      filled = last;
      cut_before = cut;
    }
    fmt::print(
        "day {}: {} instances purged, {} records cut out in all; log and archive {} KiB, "
        "all files {} KiB\n",
        round, purged, cut, last / 1024, BytesUnder(directory.path()) / 1024);
  }
  EXPECT_EQ(purged, (rounds - 3) * instances);
  ASSERT_TRUE(engine.store().VerifyChain(kSteadyShard).has_value());
  for (const projections::ViewState& state : engine.views().States()) {
    const auto compared = engine.views().Verify(state.name);
    ASSERT_TRUE(compared.has_value()) << state.name;
    EXPECT_EQ(compared->differing, 0u) << state.name;
  }
  // A block of which nothing is left has a hash of 32 bytes; the record of each purge a KiB or two.
  const auto hashes = static_cast<int64_t>((cut - cut_before) * 8);
  const auto records = static_cast<int64_t>((rounds - kFilling) * 2 * 1024);
  EXPECT_LT(last, filled + hashes + records);
}

}  // namespace
}  // namespace stele::retention
