#include "replay/export/import.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "replay/verify.h"
#include "tests/engine/model/random_values.h"
#include "tests/replay/export/exported.h"
#include "tests/replay/recorded_log.h"

namespace stele::replay {
namespace {

using testing::HasSubstr;

// A directory for imports, and whether it was made.
class ImportPlace {
 public:
  std::string target() const { return directory_.path() + "/imported"; }
  bool is_made() const { return std::filesystem::exists(target()); }
  bool is_clean() const { return std::filesystem::is_empty(directory_.path()); }
  std::unique_ptr<eventstore::EventStore> Open(eventstore::RocksDbOptions options = {}) const {
    options.create_if_missing = false;
    auto store = eventstore::OpenRocksDbStore(target(), options);
    EXPECT_TRUE(store.has_value()) << store.error().message;
    return store.has_value() ? *std::move(store) : nullptr;
  }

 private:
  eventstore::TempDir directory_;
};

// Two instances that are decided, a record a block.
std::unique_ptr<RecordedLog> SmallLog() {
  auto log = std::make_unique<RecordedLog>();
  model::Instance one = log->Start(1), two = log->Start(2);
  log->Decide(one, Complete(1));
  log->Decide(two, model::FailAttempt{.run = RunId(1), .kind = "exit", .message = "no\nway"});
  log->Decide(one, Complete(2));
  return log;
}

// Records of any events, whether they make sense or not, some of them in one block.
void FillAtRandom(eventstore::EventStore& store, uint64_t seed, int blocks) {
  model::RandomValues values(seed);
  model::RecordEncoder encoder;
  for (int i = 0; i < blocks; ++i) {
    eventstore::Batch batch;
    const uint64_t records = 1 + values.Below(4);
    for (uint64_t each = 0; each < records; ++each) {
      std::string actor, source;
      values.Set(actor);
      values.Set(source);
      // Names are text: the edges see to that.
      for (std::string* text : {&actor, &source}) {
        for (char& c : *text) c = static_cast<char>('!' + static_cast<uint8_t>(c) % 90);
        text->resize(std::min<size_t>(text->size(), 255));
      }
      const std::vector<model::Event> events = values.Events(1 + values.Below(5));
      batch.Add({.instance = InstanceId(1 + values.Below(3)),
                 .first_seq = Seq(1 + values.Below(1000)),
                 .event_count = static_cast<uint32_t>(events.size()),
                 .time = TimeUs(static_cast<int64_t>(values.Below(1'000'000))),
                 .causation = Position(values.Below(3)),
                 .actor = actor,
                 .source = source},
                encoder.Encode(events));
    }
    ASSERT_TRUE(store.Append(kShard, store.NextPosition(kShard), batch).has_value());
  }
}

TEST(Import, MakesTheSameLogAgain) {
  const auto log = SmallLog();
  const auto lines = ExportLines(log->store);
  ASSERT_TRUE(lines.has_value()) << lines.error().message;
  ImportPlace place;
  const auto report = ImportLines(*lines, place.target());
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->counts.records, log->store.NextPosition(kShard).value - 1);
  EXPECT_EQ(report->imported, log->store.Tail(kShard).hash);
  const auto store = place.Open();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->Tail(kShard), log->store.Tail(kShard));
  EXPECT_EQ(FramesOf(*store), FramesOf(log->store));
  const auto verified = Verify(*store, kShard);
  ASSERT_TRUE(verified.has_value()) << verified.error().message;
  EXPECT_EQ(verified->open, 1u);
}

TEST(Import, MakesTheSameLogOfAnyEvents) {
  for (const uint64_t seed : {21u, 22u, 23u}) {
    eventstore::MemoryStore store;
    FillAtRandom(store, seed, 100);
    const auto lines = ExportLines(store);
    ASSERT_TRUE(lines.has_value()) << lines.error().message;
    ImportPlace place;
    const auto report = ImportLines(*lines, place.target());
    ASSERT_TRUE(report.has_value()) << report.error().message;
    const auto imported = place.Open();
    ASSERT_NE(imported, nullptr);
    EXPECT_EQ(imported->Tail(kShard), store.Tail(kShard));
    EXPECT_EQ(FramesOf(*imported), FramesOf(store));
  }
}

TEST(Import, MakesAnEmptyLogOfAnEmptyOne) {
  const eventstore::MemoryStore store;
  const auto lines = ExportLines(store);
  ASSERT_TRUE(lines.has_value()) << lines.error().message;
  ImportPlace place;
  const auto report = ImportLines(*lines, place.target());
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(place.Open()->NextPosition(kShard), Position(1));
}

// Of lines that are not what was written: the sentence of the refusal.
std::string RefusalOf(const std::vector<std::string>& lines,
                      ErrorCode code = ErrorCode::kBackupDamaged) {
  const auto fault = FaultOf(lines);
  EXPECT_TRUE(fault.has_value());
  if (!fault) return {};
  EXPECT_EQ(fault->code, code) << fault->message;
  return fault->message;
}

TEST(Import, LeavesNothingWhenItIsRefused) {
  std::vector<std::string> lines = *ExportLines(SmallLog()->store);
  lines.pop_back();
  ImportPlace place;
  const auto report = ImportLines(lines, place.target());
  ASSERT_FALSE(report.has_value());
  EXPECT_TRUE(place.is_clean());
}

TEST(Import, NamesTheLineOfAnyChangedByte) {
  const auto lines = *ExportLines(SmallLog()->store);
  EXPECT_EQ(FaultOf(lines), std::nullopt);
  for (size_t at = 0; at < lines.size(); ++at) {
    for (size_t byte = 0; byte < lines[at].size(); ++byte) {
      std::vector<std::string> changed = lines;
      changed[at][byte] ^= 1;
      // A line break makes two lines of it, both of which are wrong.
      if (changed[at][byte] == '\n') continue;
      ASSERT_THAT(RefusalOf(changed), HasSubstr(fmt::format("line {} ", at + 1)))
          << byte << changed[at];
    }
  }
}

TEST(Import, NamesTheLineThatIsMissingAddedOrMoved) {
  const auto lines = *ExportLines(SmallLog()->store);
  for (size_t at = 0; at < lines.size(); ++at) {
    std::vector<std::string> missing = lines, twice = lines;
    missing.erase(missing.begin() + static_cast<ptrdiff_t>(at));
    twice.insert(twice.begin() + static_cast<ptrdiff_t>(at), lines[at]);
    EXPECT_THAT(RefusalOf(missing), HasSubstr(fmt::format("line {} ", at + 1)));
    EXPECT_THAT(RefusalOf(twice), HasSubstr(fmt::format("line {} ", at + 2)));
    if (at + 1 == lines.size()) continue;
    std::vector<std::string> moved = lines;
    std::swap(moved[at], moved[at + 1]);
    EXPECT_THAT(RefusalOf(moved), HasSubstr(fmt::format("line {} ", at + 1)));
  }
  EXPECT_THAT(RefusalOf({}), HasSubstr("line 1 "));
}

TEST(Import, RefusesWhatSomebodyChangedWithItsCheck) {
  const auto lines = *ExportLines(SmallLog()->store);
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::vector<std::string> forged = lines;
    for (std::string& line : forged) {
      const size_t at = line.find(from);
      if (at == line.npos) continue;
      line.replace(at, from.size(), to);
      line = WithItsCheck(line);
      return RefusalOf(forged);
    }
    ADD_FAILURE() << "no line has " << from;
    return std::string();
  };
  // What happened, who did it, when, in which instance: the record's hash knows.
  EXPECT_THAT(changed(R"("ok":true)", R"("ok":nope)"), HasSubstr("line "));
  EXPECT_THAT(changed(R"("ok":true)", R"("ok":null)"), HasSubstr("with hash"));
  EXPECT_THAT(changed(R"("log":"printed")", R"("log":"prInted")"), HasSubstr("with hash"));
  EXPECT_THAT(changed(R"("time":2000)", R"("time":2001)"), HasSubstr("line "));
  EXPECT_THAT(changed(R"("event":"instance_completed")", R"("event":"instance_cancelled")"),
              HasSubstr("output"));
  EXPECT_THAT(changed(R"("whole":true)", R"("whole":maybe)"), HasSubstr("line 1 "));
  EXPECT_THAT(changed(R"({"records":)", R"({"records":1)"), HasSubstr("records"));
}

// Bytes that are put in a line's place at random, with a check that fits: names beside the numbers
// may pass, but no log other than the one that was exported.
TEST(Import, TakesNothingForTheLogThatIsAnother) {
  const auto log = SmallLog();
  const auto lines = *ExportLines(log->store);
  model::RandomValues values(31);
  constexpr std::string_view kBytes = "\"{}[],:0123456789aeflnrstu\\-. \n";
  uint64_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::string> forged = lines;
    std::string& line = forged[values.Below(forged.size())];
    for (uint64_t change = 1 + values.Below(3); change > 0; --change) {
      const size_t at = values.Below(line.size());
      const char byte = kBytes[values.Below(kBytes.size())];
      const uint64_t way = values.Below(3);
      if (way == 0) line[at] = byte;
      if (way == 1) line.insert(at, 1, byte);
      if (way == 2) line.erase(at, 1 + values.Below(4));
    }
    line = WithItsCheck(line);
    UnkeptLog imported;
    if (FaultOf(forged, imported)) {
      ++refused;
    } else {
      ASSERT_EQ(imported.tail(), log->store.Tail(kShard)) << line;
    }
  }
  EXPECT_GT(refused, 10'000u);
}

TEST(Import, RefusesAnotherRecordUnderTheHashOfOneThatWasNeverSealed) {
  // The record's payload is another one, which its line explains: the chain's hashes are the old
  // ones.
  auto lines = *ExportLines(SmallLog()->store);
  for (std::string& line : lines) {
    const size_t hash = line.find("\"hash\":\"");
    if (!line.contains("\"record\":") || hash == line.npos) continue;
    line.insert(hash, fmt::format("\"clear\":\"{}\",", line.substr(hash + 8, 64)));
    line = WithItsCheck(line);
    EXPECT_THAT(RefusalOf(lines), HasSubstr("clear"));
    return;
  }
  FAIL() << "no record";
}

TEST(Import, RefusesRecordsWithAHashOfTheirOwnThatTheBlockHasNot) {
  auto lines = *ExportLines(SmallLog()->store);
  // All of the record is consistent, and so is the line.
  for (std::string& line : lines) {
    const size_t actor = line.find("\"actor\":\"test\"");
    const size_t hash = line.find("\"hash\":\"");
    if (actor == line.npos || hash == line.npos || line.find("\"events\":1,") == line.npos)
      continue;
    line.replace(hash + 8, 64, std::string(64, 'a'));
    line = WithItsCheck(line);
    EXPECT_THAT(RefusalOf(lines), HasSubstr("hash"));
    return;
  }
  FAIL() << "no record of one event";
}

TEST(Import, RefusesAPartOfALog) {
  const auto log = SmallLog();
  const auto lines = *ExportLines(log->store, {.whole = false});
  EXPECT_THAT(RefusalOf(lines, ErrorCode::kUnsupported), HasSubstr("--since"));
}

TEST(Import, RefusesAnExportOfPurgedInstances) {
  const auto log = SmallLog();
  ASSERT_TRUE(log->store.Archive(kShard, log->store.NextPosition(kShard)).has_value());
  ASSERT_TRUE(log->store.Cut(kShard, {.instances = {InstanceId(1)}, .notes = {}}).has_value());
  const auto lines = ExportLines(log->store);
  ASSERT_TRUE(lines.has_value()) << lines.error().message;
  EXPECT_THAT(RefusalOf(*lines, ErrorCode::kUnsupported), HasSubstr("purged"));
}

TEST(Import, LeavesADirectoryAloneInWhichThereIsSomething) {
  const auto lines = *ExportLines(SmallLog()->store);
  ImportPlace place;
  ASSERT_TRUE(ImportLines(lines, place.target()).has_value());
  const auto again = ImportLines(lines, place.target());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kWrongDirectory);
  EXPECT_NE(place.Open(), nullptr);
}

// A log whose payloads are sealed.
struct SealedLog {
  eventstore::MemoryStore store{std::make_shared<model::RecordPayloads>()};
  SealedLog() {
    model::RecordEncoder encoder;
    for (uint64_t i = 1; i <= 4; ++i) {
      eventstore::Batch batch;
      const std::vector<model::Event> events{
          model::StepCompleted{.run = RunId(1), .output = Payload::FromText("\"hush\"")},
          model::InstancePaused{.reason = "hush"}};
      batch.Add(
          {.instance = InstanceId(i), .first_seq = Seq(1), .event_count = 2, .time = TimeUs(5)},
          encoder.Encode(events));
      EXPECT_TRUE(store.Append(kShard, Position(i), batch).has_value());
    }
  }
};

TEST(Import, SealsAgainWhatWasSealedOrRefusesIt) {
  const SealedLog log;
  const auto lines = *ExportLines(log.store);
  EXPECT_THAT(RefusalOf(lines, ErrorCode::kMasterKey), HasSubstr("key"));
  eventstore::RocksDbOptions options;
  options.master_key = eventstore::CipherKey(std::string(eventstore::kKeyBytes, 'k'));
  options.payloads = std::make_shared<model::RecordPayloads>();
  ImportPlace place;
  const auto report = ImportLines(lines, place.target(), options);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->exported, log.store.Tail(kShard).hash);
  EXPECT_NE(report->imported, report->exported);
  const auto store = place.Open(options);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(FramesOf(*store), FramesOf(log.store));
  EXPECT_NE(store->payload_keys(), nullptr);
}

TEST(Import, RefusesErasedPayloads) {
  SealedLog log;
  const std::vector<InstanceId> gone{InstanceId(2)};
  ASSERT_TRUE(log.store.DestroyKeys(kShard, gone, {}).has_value());
  const auto lines = *ExportLines(log.store);
  EXPECT_THAT(lines[3], HasSubstr("\"erased\":true"));
  EXPECT_THAT(lines[3], testing::Not(HasSubstr("hush")));
  ImportPlace place;
  eventstore::RocksDbOptions options;
  options.master_key = eventstore::CipherKey(std::string(eventstore::kKeyBytes, 'k'));
  options.payloads = std::make_shared<model::RecordPayloads>();
  const auto report = ImportLines(lines, place.target(), options);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(report.error().message, HasSubstr("erased"));
}

}  // namespace
}  // namespace stele::replay
