// A log whose payloads are sealed: what its files show, what it takes to read it, what is left when
// keys are destroyed.
#include <algorithm>

#include "eventstore/backup.h"
#include "eventstore/block_reader.h"
#include "eventstore/format.h"
#include "eventstore/log_db.h"
#include "eventstore/restore.h"
#include "eventstore/store_keys.h"
#include "tests/eventstore/archive_store.h"
#include "tests/eventstore/sealed_store.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard;
constexpr size_t kLogBufferBytes = 1 << 20;

// The rows of all keys, by their names.
std::vector<KeyRow> KeysIn(const std::string& path) {
  LogDb log;
  EXPECT_TRUE(log.Open(path + "/log", kLogBufferBytes, false, nullptr));
  std::vector<KeyRow> rows;
  EXPECT_TRUE(log.ForEachKey([&](std::string_view name, std::string_view value) -> Status {
    rows.push_back({std::string(name), std::string(value)});
    return {};
  }));
  return rows;
}

std::string MasterRowIn(const std::string& path) {
  LogDb log;
  EXPECT_TRUE(log.Open(path + "/log", kLogBufferBytes, false, nullptr));
  const auto row = log.ReadMeta(kMasterRowName);
  return row && *row ? **row : "";
}

const std::string& RowOf(const std::vector<KeyRow>& rows, uint64_t instance, uint64_t record = 0) {
  const std::string name = PayloadKeyId{kShard, InstanceId(instance), Position(record)}.Name();
  return std::ranges::find(rows, name, &KeyRow::name)->value;
}

Status Destroy(EventStore& store, const std::vector<uint64_t>& instances,
               const std::vector<uint64_t>& records = {}) {
  std::vector<InstanceId> ids;
  for (const uint64_t instance : instances) ids.push_back(InstanceId(instance));
  std::vector<Position> positions;
  for (const uint64_t record : records) positions.push_back(Position(record));
  return store.DestroyKeys(kShard, ids, positions);
}

TEST(SealedLog, GivesItsPayloadsBackAndShowsThemInNoFile) {
  const TempDir dir;
  {
    const auto store = OpenOk(dir.path(), Sealed());
    AppendSecrets(*store, 3, 1, 20);
    for (uint64_t instance = 1; instance <= 3; ++instance) ExpectSecrets(*store, instance, 20);
    ASSERT_OK(store->PutSnapshot(kShard, InstanceId(1),
                                 {Seq(20), Position(60), "a state with secret-1-of-1"}));
    ASSERT_OK(store->WriteCheckpoint(kShard, {Position(60), "with secret-2-of-1 too"}));
    EXPECT_FALSE(AnyFileHas(dir.path(), "secret"));
    EXPECT_EQ(ReadLog(*store).size(), 60u);
  }
  EXPECT_FALSE(AnyFileHas(dir.path(), "secret"));
  const auto store = OpenOk(dir.path(), Sealed());
  for (uint64_t instance = 1; instance <= 3; ++instance) ExpectSecrets(*store, instance, 20);
  const auto snapshot = store->GetSnapshot(kShard, InstanceId(1));
  ASSERT_OK(snapshot);
  EXPECT_EQ((*snapshot)->state, "a state with secret-1-of-1");
  EXPECT_EQ(*store->VerifyChain(kShard), 60u);
}

TEST(SealedLog, KeepsAPlainLogOutOfTheFilesOnlyWhenAsked) {
  const TempDir dir;
  const auto store = OpenOk(dir.path(), {});
  AppendSecrets(*store, 1, 1, 1);
  EXPECT_TRUE(AnyFileHas(dir.path(), "secret-1-of-1"));
  EXPECT_CODE(Destroy(*store, {1}), kUnsupported);
  EXPECT_EQ(*store->KeyDestroyed(kShard, InstanceId(1)), false);
}

TEST(SealedLog, HasAKeyForEachInstanceAndEachRecordOfTheRegistryThatHoldsPayloads) {
  const TempDir dir;
  {
    const auto store = OpenOk(dir.path(), Sealed());
    AppendSecrets(*store, 2, 1, 3);  // positions 1 to 6
    Batch registry;
    AddSecret(&registry, 0, 1);
    AddSecret(&registry, 0, 2);
    registry.Add(HeaderFor(0, 3), BodyOf({}) + std::string(16, '\0'));
    registry.Add(HeaderFor(9, 1), std::string(8, '\0'));
    ASSERT_OK(AppendNext(*store, registry));
  }
  std::vector<std::string> names;
  for (const KeyRow& row : KeysIn(dir.path())) names.push_back(row.name);
  const auto name = [](uint64_t instance, uint64_t record) {
    return PayloadKeyId{kShard, InstanceId(instance), Position(record)}.Name();
  };
  EXPECT_EQ(names, (std::vector{name(0, 7), name(0, 8), name(1, 0), name(2, 0)}));
}

TEST(SealedLog, SealsTheSameRecordToOtherBytesEachTime) {
  std::vector<std::string> frames(2);
  PayloadKeys keys(
      KeyOf('w'), std::make_shared<TestPayloads>(),
      [](std::string_view) -> Result<std::optional<std::string>> { return std::nullopt; });
  Batch batch;
  AddSecret(&batch, 1, 1);
  for (std::string& frame : frames) {
    RecordCipher cipher(keys);
    std::vector<KeyRow> rows;
    ASSERT_OK(cipher.Seal(kShard, Position(1), batch.frames(), &frame, &rows));
    EXPECT_EQ(rows.size(), 1u);
  }
  EXPECT_EQ(frames[0].size(), batch.frames().size() + kSealBytes);
  EXPECT_NE(frames[0], frames[1]);
  const auto middle = [](const std::string& frame) { return frame.substr(frame.size() - 64, 30); };
  EXPECT_NE(middle(frames[0]), middle(frames[1]));
}

TEST(SealedLog, RefusesBodiesInWhichPayloadsCannotBeFound) {
  const TempDir dir;
  const auto store = OpenOk(dir.path(), Sealed());
  Batch batch;
  batch.Add(HeaderFor(1, 1), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
  EXPECT_CODE(AppendNext(*store, batch), kStoreCorrupt);
  EXPECT_EQ(store->NextPosition(kShard), Position(1));
}

TEST(SealedLog, GoesOnFromALogThatBeganInClear) {
  const TempDir dir;
  {
    const auto store = OpenOk(dir.path(), {});
    AppendSecrets(*store, 2, 1, 2);
    ASSERT_OK(store->WriteCheckpoint(kShard, {Position(4), "in clear"}));
  }
  const auto store = OpenOk(dir.path(), Sealed());
  EXPECT_EQ(store->ReadCheckpoint(kShard)->position, Position(0)) << "state/ is built anew";
  AppendSecrets(*store, 2, 3, 2);
  ExpectSecrets(*store, 1, 4);
  EXPECT_TRUE(AnyFileHas(dir.path(), "secret-2-of-1"));
  EXPECT_FALSE(AnyFileHas(dir.path(), "secret-3-of-1"));
  EXPECT_EQ(*store->VerifyChain(kShard), 8u);
}

// RocksDB ends the process when it cannot read a file that it takes for there.
TEST(SealedLog, OpensWithADamagedIdentityOfWhatIsDerived) {
  const TempDir dir;
  {
    const auto store = OpenOk(dir.path(), Sealed());
    AppendSecrets(*store, 2, 1, 3);
    ASSERT_OK(store->PutSnapshot(kShard, InstanceId(1), {Seq(3), Position(6), "a state"}));
    ASSERT_OK(store->WriteCheckpoint(kShard, {Position(6), "a checkpoint"}));
  }
  const std::string file = dir.path() + "/state/IDENTITY";
  const std::string whole = ReadFile(file);
  std::vector<std::string> damaged = {"", whole.substr(0, 63)};
  for (const size_t at : {0u, 3u, 8u, 23u, 24u, 39u}) {
    damaged.push_back(whole);
    damaged.back()[at] ^= 1;
  }
  RocksDbOptions reading = Sealed();
  reading.read_only = true;
  reading.create_if_missing = false;
  for (const std::string& bytes : damaged) {
    WriteFile(file, bytes);
    {
      const auto store = OpenOk(dir.path(), reading);
      ExpectSecrets(*store, 1, 3);
      EXPECT_EQ(ReadFile(file), bytes);
    }
    const auto store = OpenOk(dir.path(), Sealed());
    ExpectSecrets(*store, 1, 3);
    const auto snapshot = store->GetSnapshot(kShard, InstanceId(1));
    ASSERT_OK(snapshot);
    EXPECT_EQ((*snapshot)->state, "a state");
  }
}

TEST(MasterKey, IsAskedForAndComparedBeforeAnythingIsAppended) {
  const TempDir dir;
  {
    const auto store = OpenOk(dir.path(), Sealed('k'));
    AppendSecrets(*store, 1, 1, 1);
  }
  const std::string before = MasterRowIn(dir.path());
  EXPECT_CODE(OpenRocksDbStore(dir.path()), kMasterKey);
  const auto wrong = OpenRocksDbStore(dir.path(), Sealed('x'));
  EXPECT_CODE(wrong, kMasterKey);
  EXPECT_NE(wrong.error().message.find(MasterKeyId(KeyOf('k'))), std::string::npos);
  EXPECT_NE(wrong.error().message.find(MasterKeyId(KeyOf('x'))), std::string::npos);
  EXPECT_EQ(MasterRowIn(dir.path()), before);
  ExpectSecrets(*OpenOk(dir.path(), Sealed('k')), 1, 1);
}

TEST(MasterKey, IsNotNeededToVerifyTheChain) {
  const TempDir dir;
  {
    const auto store = OpenOk(dir.path(), Sealed());
    AppendSecrets(*store, 2, 1, 60);
    ASSERT_OK(store->WriteCheckpoint(kShard, {Position(120), "x"}));
  }
  RocksDbOptions options;
  options.without_key = true;
  const std::string current = ReadFile(dir.path() + "/state/CURRENT");
  {
    const auto store = OpenOk(dir.path(), options);
    EXPECT_EQ(*store->VerifyChain(kShard), 120u);
    const auto cursor = store->Read(kShard, Position(1));
    EXPECT_CODE((*cursor)->Next(), kMasterKey);
    Batch batch;
    AddSecret(&batch, 1, 61);
    EXPECT_CODE(AppendNext(*store, batch), kStoreWriteFailed);
  }
  EXPECT_EQ(ReadFile(dir.path() + "/state/CURRENT"), current);
  ExpectSecrets(*OpenOk(dir.path(), Sealed()), 2, 60);
}

TEST(MasterKey, IsChangedByOneRowAndLeavesNothingThatTheOldOneOpens) {
  const TempDir dir;
  {
    const auto store = OpenOk(dir.path(), Sealed('k'));
    AppendSecrets(*store, 5, 1, 4);
    ASSERT_OK(store->WriteCheckpoint(kShard, {Position(20), "kept"}));
  }
  const auto keys = KeysIn(dir.path());
  const std::string old = MasterRowIn(dir.path());
  EXPECT_CODE(RotateMasterKey(dir.path(), KeyOf('x'), KeyOf('n')), kMasterKey);
  EXPECT_EQ(MasterRowIn(dir.path()), old);
  ASSERT_OK(RotateMasterKey(dir.path(), KeyOf('k'), KeyOf('n')));
  EXPECT_FALSE(AnyFileHas(dir.path(), old.substr(20, 40)));
  const auto after = KeysIn(dir.path());
  ASSERT_EQ(after.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(after[i].value, keys[i].value);
  EXPECT_CODE(OpenRocksDbStore(dir.path(), Sealed('k')), kMasterKey);
  const auto store = OpenOk(dir.path(), Sealed('n'));
  ExpectSecrets(*store, 5, 4);
  EXPECT_EQ(store->ReadCheckpoint(kShard)->state, "kept") << "the files' key is the same";
}

TEST(DestroyKeys, LeavesTheStructureAndTheChainAndNoTraceOfTheKeys) {
  const TempDir dir;
  {
    const auto store = OpenOk(dir.path(), Sealed());
    AppendSecrets(*store, 4, 1, 30);
  }
  const auto keys = KeysIn(dir.path());
  const auto store = OpenOk(dir.path(), Sealed());
  ExpectSecrets(*store, 2, 30);  // its key is in memory
  ASSERT_OK(store->PutSnapshot(kShard, InstanceId(2), {Seq(30), Position(120), "of two"}));
  ASSERT_OK(store->WriteCheckpoint(kShard, {Position(120), ""}));
  const std::string row_of_two = RowOf(keys, 2), row_of_three = RowOf(keys, 3);
  EXPECT_TRUE(AnyFileHas(dir.path(), row_of_two));
  EXPECT_EQ(*store->KeyDestroyed(kShard, InstanceId(2)), false);

  ASSERT_OK(Destroy(*store, {2, 4, 77}));

  ExpectSecrets(*store, 2, 30, /*erased=*/true);
  ExpectSecrets(*store, 4, 30, /*erased=*/true);
  ExpectSecrets(*store, 3, 30);
  EXPECT_EQ(*store->KeyDestroyed(kShard, InstanceId(2)), true);
  EXPECT_EQ(*store->KeyDestroyed(kShard, InstanceId(77)), false) << "there was none";
  EXPECT_FALSE(AnyFileHas(dir.path(), row_of_two));
  EXPECT_TRUE(AnyFileHas(dir.path(), row_of_three));
  EXPECT_EQ(*store->GetSnapshot(kShard, InstanceId(2)), std::nullopt);
  EXPECT_EQ(*store->VerifyChain(kShard), 120u);
  // What is put afterwards by somebody who still had it is not kept.
  ASSERT_OK(store->PutSnapshot(kShard, InstanceId(2), {Seq(30), Position(120), "late"}));
  EXPECT_EQ(*store->GetSnapshot(kShard, InstanceId(2)), std::nullopt);
  ASSERT_OK(Destroy(*store, {2, 4}));
}

TEST(DestroyKeys, HoldsAfterTheNextStart) {
  const TempDir dir;
  {
    const auto store = OpenOk(dir.path(), Sealed());
    AppendSecrets(*store, 2, 1, 3);
    ASSERT_OK(Destroy(*store, {1}));
  }
  const auto store = OpenOk(dir.path(), Sealed());
  ExpectSecrets(*store, 1, 3, /*erased=*/true);
  ExpectSecrets(*store, 2, 3);
}

TEST(DestroyKeys, KeepsNoPayloadOfWhatIsRecordedAfterwards) {
  const TempDir dir;
  const auto store = OpenOk(dir.path(), Sealed());
  AppendSecrets(*store, 1, 1, 1);
  ASSERT_OK(Destroy(*store, {1}));
  AppendSecrets(*store, 1, 2, 1);
  const auto records = ReadHistory(*store, 1);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(PayloadsOf(records[1].body), std::vector<std::string>());
  EXPECT_EQ(records[1].body.find("secret"), std::string::npos);
  EXPECT_FALSE(AnyFileHas(dir.path(), "secret"));
  EXPECT_EQ(*store->VerifyChain(kShard), 2u);
}

TEST(DestroyKeys, TakesSingleRecordsOfTheRegistryAndNeverAllOfIt) {
  const TempDir dir;
  const auto store = OpenOk(dir.path(), Sealed());
  AppendSecrets(*store, 1, 1, 1);
  Batch batch;
  for (uint64_t seq = 1; seq <= 3; ++seq) AddSecret(&batch, 0, seq);
  ASSERT_OK(AppendNext(*store, batch));  // positions 2 to 4
  ASSERT_OK(Destroy(*store, {}, {3}));
  const auto records = ReadLog(*store);
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(PayloadsOf(records[1].body).front(), SecretOf(0, 1));
  EXPECT_TRUE(PayloadsOf(records[2].body).empty());
  EXPECT_EQ(PayloadsOf(records[3].body).front(), SecretOf(0, 3));
  EXPECT_CODE(Destroy(*store, {0}), kWrongState);
}

TEST(DestroyKeys, ReachesTheArchiveAndLaterBackups) {
  const TempDir dir, backups, restored;
  const std::string data = dir.path() + "/data", copy = restored.path() + "/data";
  {
    const auto store = OpenOk(data, Sealed());
    AppendSecrets(*store, 3, 1, 40);
    ASSERT_OK(store->Archive(kShard, Position(100)));
    ExpectSecrets(*store, 1, 40);
    ASSERT_OK(Destroy(*store, {1}));
    ExpectSecrets(*store, 1, 40, /*erased=*/true);
    ASSERT_OK(store->Backup({.directory = backups.path() + "/b",
                             .now = TimeUs(5),
                             .files = {},
                             .keep = 0,
                             .progress = nullptr}));
    EXPECT_EQ(*store->VerifyChain(kShard), 120u);
  }
  EXPECT_FALSE(AnyFileHas(dir.path(), "secret"));
  EXPECT_FALSE(AnyFileHas(backups.path(), "secret"));
  ASSERT_OK(VerifyBackups(backups.path() + "/b"));
  RestoreRequest request;
  request.directory = backups.path() + "/b";
  request.target = copy;
  ASSERT_OK(Restore(request));
  const auto store = OpenOk(copy, Sealed());
  ExpectSecrets(*store, 1, 40, /*erased=*/true);
  ExpectSecrets(*store, 2, 40);
}

TEST(SealedLog, IsRestoredToAPositionWithItsKeys) {
  const TempDir dir;
  const std::string data = dir.path() + "/data", copy = dir.path() + "/copy";
  {
    const auto store = OpenOk(data, Sealed());
    AppendSecrets(*store, 2, 1, 10);
    ASSERT_OK(Destroy(*store, {1}));
    Batch later;
    AddSecret(&later, 3, 1);
    ASSERT_OK(AppendNext(*store, later));
    ASSERT_OK(Destroy(*store, {3}));
    ASSERT_OK(store->Backup({.directory = dir.path() + "/b",
                             .now = TimeUs(5),
                             .files = {},
                             .keep = 0,
                             .progress = nullptr}));
  }
  RestoreRequest request;
  request.directory = dir.path() + "/b";
  request.target = copy;
  request.to_position = Position(15);
  ASSERT_OK(Restore(request));
  const auto store = OpenOk(copy, Sealed());
  ExpectSecrets(*store, 1, 8, /*erased=*/true);
  ExpectSecrets(*store, 2, 7);
  // Nothing is known of an instance that began later: its number is given again.
  Batch again;
  AddSecret(&again, 3, 1);
  ASSERT_OK(AppendNext(*store, again));
  ExpectSecrets(*store, 3, 1);
}

TEST(SealedLog, TellsThePositionOfPayloadsThatWereAltered) {
  const TempDir dir;
  {
    const auto store = OpenOk(dir.path(), Sealed());
    AppendSecrets(*store, 1, 1, 2);
  }
  {
    LogDb log;
    ASSERT_OK(log.Open(dir.path() + "/log", kLogBufferBytes, false, nullptr));
    const auto source = log.Source(kShard, [] { return Position(3); }, false);
    const auto block = source->Find(Position(2));
    ASSERT_OK(block);
    std::string bytes((*block)->bytes);
    BlockReader reader;
    ASSERT_OK(reader.Open(bytes, kShard, Position(2)));
    // Uncompressed, so that a byte of a payload can be changed.
    std::string frames(reader.frames());
    frames[frames.size() - 20] = static_cast<char>(frames[frames.size() - 20] ^ 1);
    BlockHeader header = reader.header();
    header.flags = kCompressionNone;
    header.stored_bytes = header.raw_bytes;
    bytes = std::string(kBlockHeaderBytes, '\0') + frames;
    EncodeBlockHeader(header, &bytes);
    ASSERT_OK(log.ImportBlock(kShard, Position(2), bytes));
    ASSERT_OK(log.Flush());
  }
  const auto store = OpenOk(dir.path(), Sealed());
  const auto cursor = store->Read(kShard, Position(2));
  const auto record = (*cursor)->Next();
  EXPECT_CODE(record, kStoreCorrupt);
  EXPECT_NE(record.error().message.find("position 2"), std::string::npos) << record.error().message;
}

}  // namespace
}  // namespace stele::eventstore
