// What is left of purged and erased instances in views: rows of theirs go, totals stay, and a view
// that is built anew is the one that served.
#include "projections/removal.h"

#include <gmock/gmock.h>

#include "projections/all_views.h"
#include "projections/projector.h"
#include "projections/search.h"
#include "projections/views/closed.h"
#include "projections/views/instance_row.h"
#include "projections/views/read_statistics.h"
#include "tests/projections/busy_log.h"

namespace stele::projections {
namespace {

constexpr ShardId kShard = ViewLog::kShard;

std::unique_ptr<Projector> OpenViews(const ViewLog& log, const std::string& path) {
  auto views = Projector::Open(log.store, kShard, path, AllViews());
  if (!views.has_value()) std::abort();
  return *std::move(views);
}

void CatchUp(Projector& views) {
  const Status done = views.CatchUp();
  ASSERT_TRUE(done.has_value()) << done.error().message;
}

void ExpectVerified(Projector& views, const std::string& when) {
  for (const ViewState& state : views.States()) {
    const auto compared = views.Verify(state.name);
    ASSERT_TRUE(compared.has_value()) << state.name << " " << when << compared.error().message;
    EXPECT_EQ(compared->differing, 0u)
        << state.name << " " << when << ": " << testing::PrintToString(compared->examples);
  }
}

std::map<std::string, std::string> RowsOf(const Projector& views, std::string_view view) {
  const auto reader = views.Read(view);
  std::map<std::string, std::string> rows;
  for (KeyCursor keys = reader->Keys(""); keys.valid(); keys.Next())
    rows.emplace(keys.key(), keys.value());
  return rows;
}

// Ended instances of the log, every `step`th.
std::vector<InstanceId> Ended(ViewLog& log, size_t step) {
  std::vector<InstanceId> ended;
  for (InstanceId id(1); log.instance(id).status != model::Status::kNone; id = id.Next())
    if (model::HasEnded(log.instance(id).status) && id.value % step == 0) ended.push_back(id);
  return ended;
}

// The record alone.
void Decide(ViewLog& log, const std::vector<InstanceId>& instances) {
  auto leaving = ReadLeaving(log.store, kShard, log.registry(), instances, AllViews());
  ASSERT_TRUE(leaving.has_value()) << leaving.error().message;
  log.Register(model::InstancesPurged{
      .instances = RangesOf(instances), .reason = "a test", .totals = std::move(leaving->totals)});
}

void CutOut(ViewLog& log, const std::vector<InstanceId>& instances) {
  ASSERT_TRUE(log.store.Archive(kShard, log.store.NextPosition(kShard)).has_value());
  const auto cut = log.store.Cut(kShard, {instances, {}});
  ASSERT_TRUE(cut.has_value()) << cut.error().message;
  ASSERT_TRUE(log.store.VerifyChain(kShard).has_value());
}

TEST(PurgedInstances, LeaveViewsThatAreBuiltAnewAsTheyServe) {
  BusyLog busy;
  ViewLog& log = busy.log;
  eventstore::TempDir directory;
  const auto views = OpenViews(log, directory.path());
  for (const size_t step : {3, 2}) {
    busy.Run(400);
    CatchUp(*views);
    const auto totals = RowsOf(*views, kStatisticsView).size();
    const std::vector<InstanceId> purged = Ended(log, step);
    ASSERT_GT(purged.size(), 10u);
    std::vector<InstanceId> left;
    for (const InstanceId id : purged)
      if (log.store.ReadInstance(kShard, id, Seq(1)).has_value()) left.push_back(id);
    Decide(log, left);
    CatchUp(*views);
    ExpectVerified(*views, "before the cut");
    CutOut(log, left);
    ExpectVerified(*views, "behind the cut");
    EXPECT_GE(RowsOf(*views, kStatisticsView).size(), totals);
    const auto rows = RowsOf(*views, "instances");
    for (const InstanceId id : left) {
      EXPECT_FALSE(rows.contains(RowKey(InstanceKey(id))));
      EXPECT_FALSE(FindClosed(*views->Read(kClosedView), id)->has_value());
    }
  }
  busy.Run(100);
  CatchUp(*views);
  ExpectVerified(*views, "and further on");
}

TEST(PurgedInstances, StayInTheFiguresOfViewsThatNeverSawThem) {
  ViewLog log;
  const DefinitionId flow = log.Define("id: flow\nsteps: [{id: a, type: script}]\n");
  std::vector<InstanceId> ended;
  for (int i = 0; i < 10; ++i) {
    ended.push_back(log.Start(flow));
    log.Wait(1'000'000);
    i % 2 == 0 ? log.Complete(ended.back(), "a") : log.Fail(ended.back(), "a", "boom", false);
  }
  ended.resize(6);
  Decide(log, ended);
  CutOut(log, ended);
  eventstore::TempDir directory;
  const auto views = OpenViews(log, directory.path());
  CatchUp(*views);
  const auto rows = RowsOf(*views, kStatisticsView);
  DefinitionRow row;
  ASSERT_TRUE(DecodeRow(rows.at(VersionKey("flow", 1)), &row));
  EXPECT_EQ(row.counts.started, 10u);
  EXPECT_EQ(row.counts.completed, 5u);
  EXPECT_EQ(row.counts.failed, 5u);
  EXPECT_EQ(row.open, 0);
}

TEST(PurgedInstances, MakeABuildingThatHasSeenSomeOfThemBeginAnew) {
  BusyLog busy;
  ViewLog& log = busy.log;
  busy.Run(300);
  const std::vector<InstanceId> purged = Ended(log, 2);
  eventstore::TempDir directory, other;
  {
    // It has seen half of the log when they are cut out.
    auto store = ViewStore::Open(directory.path() + "/0");
    ASSERT_TRUE(store.has_value());
    for (const MakeView& make : AllViews()) {
      auto view = make();
      auto generation = (*store)->Create(view->name(), view->version());
      ASSERT_TRUE(generation.has_value());
      Feed feed(log.store, kShard, **store, Position());
      feed.Add(std::move(view), *generation);
      ASSERT_TRUE(feed.Step(log.store.NextPosition(kShard).value / 2).has_value());
    }
  }
  Decide(log, purged);
  const auto whole = OpenViews(log, other.path());
  CatchUp(*whole);
  CutOut(log, purged);
  const auto views = OpenViews(log, directory.path());
  CatchUp(*views);
  for (const ViewState& state : whole->States())
    EXPECT_EQ(RowsOf(*views, state.name), RowsOf(*whole, state.name)) << state.name;
}

TEST(PurgedInstances, AreRefusedWhileOneIsOpen) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define("id: flow\nsteps: [{id: a, type: script}]\n"));
  const auto leaving = ReadLeaving(log.store, kShard, log.registry(), std::vector{id}, AllViews());
  ASSERT_FALSE(leaving.has_value());
  EXPECT_EQ(leaving.error().code, ErrorCode::kWrongState);
}

TEST(ErasedInstances, HaveRowsWithoutWhatWasGivenToThem) {
  ViewLog log;
  const DefinitionId flow =
      log.Define("id: flow\nvariables: {name: {type: string}}\nsteps: [{id: a, type: script}]\n");
  model::StartInstance start;
  start.variables = {{"name", Payload::FromText("\"Sekretariat\"")}};
  const InstanceId erased = log.Start(flow, start);
  log.Fail(erased, "a", "boom", false, "Sekretariat was here");
  const InstanceId kept = log.Start(flow, start);
  log.Complete(kept, "a");
  eventstore::TempDir directory;
  const auto views = OpenViews(log, directory.path());
  CatchUp(*views);
  const auto mentions = [&] {
    size_t count = 0;
    for (const ViewState& state : views->States())
      for (const auto& [key, value] : RowsOf(*views, state.name))
        if ((key + value).find("Sekretariat") != std::string::npos) ++count;
    return count;
  };
  const size_t before = mentions();
  const auto totals = RowsOf(*views, kStatisticsView);
  log.Register(model::InstancesErased{.instances = {{erased, erased}}, .reason = "asked for"});
  CatchUp(*views);
  EXPECT_LT(mentions(), before);
  const auto row = FindOne<InstanceRow>(*views->Read("instances"), InstanceKey(erased));
  ASSERT_TRUE(row.has_value() && row->has_value());
  EXPECT_EQ((*row)->status, "failed");
  EXPECT_EQ((*row)->error_message, "");
  EXPECT_THAT((*row)->variables, testing::IsEmpty());
  const auto other = FindOne<InstanceRow>(*views->Read("instances"), InstanceKey(kept));
  EXPECT_FALSE((*other)->variables.empty());
  EXPECT_EQ(RowsOf(*views, kStatisticsView).size(), totals.size());
  ExpectVerified(*views, "behind the erasure");
}

TEST(ErasedInstances, MayBePurgedLater) {
  ViewLog log;
  const DefinitionId flow = log.Define("id: flow\nsteps: [{id: a, type: script}]\n");
  std::vector<InstanceId> ended;
  for (int i = 0; i < 3; ++i) {
    ended.push_back(log.Start(flow));
    log.Complete(ended.back(), "a");
  }
  eventstore::TempDir directory;
  const auto views = OpenViews(log, directory.path());
  log.Register(model::InstancesErased{.instances = {{ended[0], ended[1]}}, .reason = "asked for"});
  ended.resize(1);
  Decide(log, ended);
  CatchUp(*views);
  CutOut(log, ended);
  ExpectVerified(*views, "behind both");
}

}  // namespace
}  // namespace stele::projections
