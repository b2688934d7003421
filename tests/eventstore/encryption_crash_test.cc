// A sealed log whose process dies: while keys are destroyed, and with a torn last entry.
#include <sys/wait.h>

#include <cstdlib>

#include "eventstore/store_keys.h"
#include "tests/eventstore/archive_store.h"
#include "tests/eventstore/sealed_store.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard;

// Whether it was killed.
bool RunUpTo(const std::string& path, int step, const std::string& how) {
  const int status = std::system(
      fmt::format("exec '{}' '{}' {} {}", STELE_ENCRYPTION_CHILD, path, step, how).c_str());
  const bool killed = WIFSIGNALED(status) || WEXITSTATUS(status) == 128 + 9;
  EXPECT_TRUE(killed || WEXITSTATUS(status) == 0) << status;
  return killed;
}

class DestroyKeysCrash : public testing::TestWithParam<const char*> {};

TEST_P(DestroyKeysCrash, IsFinishedByTheNextCallWhereverItDied) {
  const TempDir original;
  {
    const auto store = OpenOk(original.path(), Sealed());
    AppendSecrets(*store, 4, 1, 25);
    for (uint64_t instance = 1; instance <= 4; ++instance)
      ASSERT_OK(store->PutSnapshot(kShard, InstanceId(instance),
                                   {Seq(25), Position(100), fmt::format("state {}", instance)}));
    ASSERT_OK(store->WriteCheckpoint(kShard, {Position(100), ""}));
  }
  std::string row;
  {
    LogDb log;
    ASSERT_OK(log.Open(original.path() + "/log", 1 << 20, false, nullptr));
    row = log.ReadKey(PayloadKeyId{kShard, InstanceId(2), Position()}.Name())->value();
  }
  int steps = 0;
  for (bool killed = true; killed; ++steps) {
    const TempDir dir;
    std::filesystem::copy(original.path(), dir.path(), std::filesystem::copy_options::recursive);
    killed = RunUpTo(dir.path(), steps + 1, GetParam());
    const auto store = OpenOk(dir.path(), Sealed());
    ASSERT_NE(store, nullptr) << steps;
    const auto gone = store->KeyDestroyed(kShard, InstanceId(2));
    ASSERT_OK(gone);
    EXPECT_EQ(*gone, *store->KeyDestroyed(kShard, InstanceId(4))) << "all or none";
    EXPECT_EQ(*gone, steps > 0) << steps;
    EXPECT_EQ((*store->GetSnapshot(kShard, InstanceId(2))).has_value(), !*gone);
    ExpectSecrets(*store, 2, 25, *gone);
    EXPECT_EQ(*store->VerifyChain(kShard), 100u);
    // What has begun is known; otherwise the same call once more.
    const InstanceId both[] = {InstanceId(2), InstanceId(4)};
    ASSERT_OK(store->DestroyKeys(kShard, *gone ? std::span<const InstanceId>() : both));
    ExpectSecrets(*store, 4, 25, /*erased=*/true);
    ExpectSecrets(*store, 3, 25);
    EXPECT_EQ((*store->GetSnapshot(kShard, InstanceId(3)))->state, "state 3");
    EXPECT_FALSE(AnyFileHas(dir.path(), row)) << steps;
  }
  EXPECT_GE(steps, 4);
}

INSTANTIATE_TEST_SUITE_P(Ways, DestroyKeysCrash, testing::Values("", "unplugged"));

// As a machine without power leaves it: the last entries of the write-ahead log are cut at any
// byte. Payload and key are there, or neither is.
TEST(TornSealedLog, HasTheKeyOfEveryRecordThatItHas) {
  const TempDir original;
  const std::string image = original.path() + "/image";
  {
    const auto store = OpenOk(original.path() + "/data", Sealed());
    for (uint64_t instance = 1; instance <= 6; ++instance) {
      Batch batch;
      AddSecret(&batch, instance, 1);
      ASSERT_OK(AppendNext(*store, batch));
    }
    std::filesystem::copy(original.path() + "/data", image,
                          std::filesystem::copy_options::recursive);
  }
  const auto logs = NamesIn(image + "/log", ".log");
  ASSERT_FALSE(logs.empty());
  const std::string whole = ReadFile(image + "/log/" + logs.back());
  for (size_t lost = 0; lost < 1200 && lost + 1200 < whole.size(); lost += 53) {
    const TempDir dir;
    std::filesystem::copy(image, dir.path(), std::filesystem::copy_options::recursive);
    WriteFile(dir.path() + "/log/" + logs.back(), whole.substr(0, whole.size() - lost));
    const auto store = OpenOk(dir.path(), Sealed());
    ASSERT_NE(store, nullptr) << lost;
    const uint64_t left = store->NextPosition(kShard).value - 1;
    for (uint64_t instance = 1; instance <= left; ++instance) ExpectSecrets(*store, instance, 1);
    // What was lost is appended anew, under another key and another nonce.
    for (uint64_t instance = left + 1; instance <= 6; ++instance) {
      Batch batch;
      AddSecret(&batch, instance, 1);
      ASSERT_OK(AppendNext(*store, batch));
      ExpectSecrets(*store, instance, 1);
    }
    EXPECT_EQ(*store->VerifyChain(kShard), 6u);
  }
}

}  // namespace
}  // namespace stele::eventstore
