// Who asked, and from where, as records have it.
#include "engine/model/asker.h"

#include "base/utf8.h"
#include "eventstore/limits.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

constexpr const char* kOne = R"(
version: "1.0"
name: one
steps:
  - {id: work, type: script, config: {script: x}}
)";

// Of the last record of the instance.
model::KeptAsker LastOf(World& world, InstanceId instance) {
  model::KeptAsker last;
  const auto cursor = world.store().ReadInstance(ShardId(), instance, Seq(1)).value();
  for (auto record = cursor->Next().value(); record.has_value(); record = cursor->Next().value())
    last = {std::string(record->header.actor), std::string(record->header.source)};
  return last;
}

model::KeptAsker AfterPauseBy(const model::Asker& asker) {
  World world(std::make_unique<eventstore::MemoryStore>());
  world.hanging = {"work"};
  world.Open();
  InstanceId id;
  EXPECT_TRUE(world.Start(world.Register(kOne), &id).has_value());
  world.shard().Send(id, model::PauseInstance{.reason = "so"}, asker, nullptr);
  world.RunUntilQuiet();
  return LastOf(world, id);
}

TEST(WhoAsks, IsInTheRecordWithWhereFrom) {
  EXPECT_EQ(AfterPauseBy({"anna", "rest 10.0.0.7"}),
            (model::KeptAsker{.actor = "anna", .source = "rest 10.0.0.7"}));
  EXPECT_EQ(AfterPauseBy("anna"), (model::KeptAsker{.actor = "anna", .source = ""}));
  EXPECT_EQ(AfterPauseBy(model::KeptAsker{"anna", "sdk"}),
            (model::KeptAsker{.actor = "anna", .source = "sdk"}));
}

TEST(WhoAsks, IsCutAtACharacterWhereTheSourceIsLonger) {
  std::string source = "rest 10.0.0.7 ";
  while (source.size() <= eventstore::kMaxSourceBytes) source += "ä";
  const std::string kept = AfterPauseBy({"anna", source}).source;
  EXPECT_LE(kept.size(), eventstore::kMaxSourceBytes);
  EXPECT_GE(kept.size(), eventstore::kMaxSourceBytes - 1);
  EXPECT_TRUE(IsUtf8(kept));
  EXPECT_TRUE(source.starts_with(kept));
}

TEST(WhoAsks, IsNobodyForWhatTheEngineDoes) {
  World world(std::make_unique<eventstore::MemoryStore>());
  world.Open();
  InstanceId id;
  EXPECT_TRUE(world.Start(world.Register(kOne), &id).has_value());
  EXPECT_TRUE(world.RunUntilEnded(id));
  EXPECT_EQ(LastOf(world, id), model::KeptAsker());
}

}  // namespace
}  // namespace stele::runtime
