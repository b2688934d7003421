// Questions to the views.
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

class RpcViews : public RpcWorld {
 protected:
  RpcViews() {
    world_.Register("quick", "{id: a, type: script}");
    world_.Register("breaks", "{id: fail, type: script}");
  }
  api::Views::Client Views() { return Session().viewsRequest().send().getViews(); }
};

TEST_F(RpcViews, GiveInstancesPageByPage) {
  for (int i = 0; i < 5; ++i) Started("quick");
  Started("breaks");
  world_.CatchUp();
  std::string cursor;
  std::set<uint64_t> found;
  do {
    auto request = Views().instancesRequest();
    auto search = request.initSearch();
    search.setQuery("definition:quick status:completed");
    search.setLimit(2);
    search.setCursor(cursor);
    const auto page = Await(request.send());
    EXPECT_LE(page.getPage().getRows().size(), 2u);
    for (const auto row : page.getPage().getRows()) {
      EXPECT_STREQ(row.getDefinition().cStr(), "quick");
      EXPECT_EQ(row.getStepsCompleted(), 1u);
      EXPECT_EQ(row.getProgressPercent(), 100u);
      EXPECT_TRUE(found.insert(row.getId()).second);
    }
    EXPECT_GT(page.getPage().getPosition(), 0u);
    cursor = page.getPage().getNext().cStr();
  } while (!cursor.empty());
  EXPECT_EQ(found.size(), 5u);
}

TEST_F(RpcViews, RefuseWhatIsNoQuestion) {
  world_.CatchUp();
  const auto asking = [&](const char* query, const char* cursor, uint32_t limit) {
    auto request = Views().instancesRequest();
    auto search = request.initSearch();
    search.setQuery(query);
    search.setCursor(cursor);
    search.setLimit(limit);
    return request.send();
  };
  EXPECT_EQ(CodeOf(asking("nonesuch:1", "", 0)), ErrorCode::kUnknownKey);
  EXPECT_EQ(CodeOf(asking("", "garbage", 0)), ErrorCode::kInvalidInput);
  EXPECT_EQ(CodeOf(asking("", "", 1'001)), ErrorCode::kInvalidInput);
}

TEST_F(RpcViews, KnowWhatIsAskedToBeKnown) {
  const uint64_t id = Started("quick");
  world_.Settle();
  auto request = Views().instancesRequest();
  request.initSearch().setQuery("status:completed");
  request.getSearch().initFreshness().setPatience(30'000'000);
  const auto page = Await(request.send());
  ASSERT_EQ(page.getPage().getRows().size(), 1u);
  EXPECT_EQ(page.getPage().getRows()[0].getId(), id);
  request = Views().instancesRequest();
  request.initSearch().initFreshness().setPatience(-1);
  EXPECT_EQ(CodeOf(request.send()), ErrorCode::kInvalidInput);
}

TEST_F(RpcViews, GiveFiguresAsJson) {
  Started("quick");
  Started("breaks");
  world_.CatchUp();
  const auto all = Await(Views().statisticsRequest().send());
  EXPECT_TRUE(ParseJson(all.getStatistics().cStr()).value().is_object());
  auto series = Views().seriesRequest();
  series.setResolution("minute");
  EXPECT_TRUE(ParseJson(Await(series.send()).getSeries().cStr()).value().is_object());
  series = Views().seriesRequest();
  series.setResolution("week");
  EXPECT_EQ(CodeOf(series.send()), ErrorCode::kInvalidInput);
  const auto definitions = Await(Views().definitionsRequest().send());
  const Value page = ParseJson(definitions.getPage().cStr()).value();
  EXPECT_EQ(page.Find("definitions")->as_array().size(), 2u);
  auto errors = Views().errorsRequest();
  errors.initFilter().setDefinition("breaks");
  errors.getFilter().setStep("fail");
  const Value listed = ParseJson(Await(errors.send()).getPage().cStr()).value();
  ASSERT_EQ(listed.Find("errors")->as_array().size(), 1u);
  EXPECT_EQ(*listed.Find("errors")->as_array()[0].Find("error_type"), Value("boom"));
  EXPECT_TRUE(
      ParseJson(Await(Views().workersRequest().send()).getWorkers().cStr()).value().is_object());
  auto unknown = Views().statisticsRequest();
  unknown.initScope().setDefinition("nothing");
  EXPECT_EQ(CodeOf(unknown.send()), ErrorCode::kUnknownDefinition);
}

TEST_F(RpcViews, TellHowFarTheyAre) {
  Started("quick");
  world_.CatchUp();
  const auto answer = Await(Views().statesRequest().send());
  ASSERT_GT(answer.getViews().size(), 3u);
  for (const auto view : answer.getViews()) {
    EXPECT_TRUE(view.getServes()) << view.getName().cStr();
    EXPECT_EQ(view.getLag(), 0u) << view.getName().cStr();
  }
}

TEST_F(RpcViews, AnswerMoreThanMayBeAskedAtOnceInTheirTurn) {
  Started("quick");
  world_.CatchUp();
  auto views = Views();
  auto pages = kj::heapArrayBuilder<kj::Promise<size_t>>(20 * kMaxQuestions);
  for (size_t i = 0; i < 20 * kMaxQuestions; ++i)
    pages.add(views.instancesRequest().send().then(
        [](capnp::Response<api::Views::InstancesResults>&& answer) -> size_t {
          return answer.getPage().getRows().size();
        }));
  for (const size_t rows : Await(kj::joinPromises(pages.finish()))) EXPECT_EQ(rows, 1u);
}

}  // namespace
}  // namespace stele::server::rpc
