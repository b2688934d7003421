// Who did what, over REST.
#include "server/operations/denials.h"
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

class RestAudit : public testing::Test {
 protected:
  RestAudit() {
    world_.served.Register("long", "{id: hang, type: script}");
    id_ = world_.Start("long");
    EXPECT_EQ(
        world_.Post(fmt::format("/instances/{}/pause", id_), R"({"reason":"=1+1, \"quoted\""})")
            .status,
        200);
    EXPECT_EQ(world_
                  .Ask(http::Method::kPut, fmt::format("/instances/{}/variables", id_),
                       R"({"variables":{"price":3},"reason":"a wrong price"})")
                  .status,
              200);
    world_.served.Settle();
    world_.who = ServedWorld::Somebody(Role::kAuditor);
  }

  RestWorld world_;
  int64_t id_ = 0;
};

TEST_F(RestAudit, TellsWhatWasDoneToAnInstance) {
  const Answered page = world_.Get(fmt::format("/audit/report?instance={}", id_));
  ASSERT_EQ(page.status, 200) << page.body;
  ASSERT_EQ(page.at("deeds").as_array().size(), 3u) << page.body;
  EXPECT_EQ(page.text("deeds/0/action"), "start");
  EXPECT_EQ(page.text("deeds/0/definition"), "long");
  EXPECT_EQ(page.text("deeds/1/action"), "pause");
  EXPECT_EQ(page.text("deeds/1/actor"), "admin");
  EXPECT_EQ(page.text("deeds/1/source"), "127.0.0.1");
  EXPECT_EQ(page.number("deeds/1/instance"), id_);
  EXPECT_EQ(page.text("deeds/2/action"), "set variables");
  EXPECT_EQ(page.text("deeds/2/target"), "price");
  EXPECT_EQ(page.text("deeds/2/reason"), "a wrong price");
  EXPECT_EQ(page.at("next"), Value());
}

TEST_F(RestAudit, GoesByWhatIsAskedFor) {
  const auto count = [&](const std::string& query) {
    const Answered page = world_.Get("/audit/report?" + query);
    EXPECT_EQ(page.status, 200) << page.body;
    return page.at("deeds").as_array().size();
  };
  EXPECT_EQ(count("kind=operate"), 2u);
  EXPECT_EQ(count("kind=operate&kind=start"), 3u);
  EXPECT_EQ(count("kind=definition&definition=long"), 1u);
  EXPECT_EQ(count("actor=nobody"), 0u);
  EXPECT_EQ(count("definition=other"), 0u);
  EXPECT_EQ(count("until=2020-01-01"), 0u);
  EXPECT_GT(count("all=true"), count("kind=start"));
  EXPECT_EQ(world_.Refusal(422, world_.Get("/audit/report?kind=none")), "STL0406");
  EXPECT_EQ(world_.Refusal(422, world_.Get("/audit/report?cursor=none")), "STL0406");
}

TEST_F(RestAudit, ComesInPagesAndAsLines) {
  const std::string path = "/audit/report?kind=start&kind=operate";
  const Answered first = world_.Get(path + "&limit=2");
  EXPECT_EQ(first.at("deeds").as_array().size(), 2u);
  const Answered second = world_.Get(path + "&limit=2&cursor=" + first.text("next"));
  EXPECT_EQ(second.at("deeds").as_array().size(), 1u);
  const Answered lines = world_.Get(path, {{"Accept", "application/x-ndjson"}});
  EXPECT_EQ(lines.content_type, "application/x-ndjson");
  EXPECT_EQ(std::ranges::count(lines.body, '\n'), 3);
}

TEST_F(RestAudit, IsCsvThatNoSpreadsheetTakesForFormulas) {
  const Answered csv =
      world_.Get(fmt::format("/audit/report?instance={}", id_), {{"Accept", "text/csv"}});
  EXPECT_EQ(csv.content_type, "text/csv");
  EXPECT_TRUE(csv.body.starts_with("time,position,seq,instance,")) << csv.body;
  EXPECT_EQ(std::ranges::count(csv.body, '\r'), 4);
  EXPECT_TRUE(csv.body.contains(R"(,"'=1+1, ""quoted""",done)")) << csv.body;
}

TEST_F(RestAudit, IsNotForEverybody) {
  world_.who = ServedWorld::Somebody(Role::kOperator);
  EXPECT_EQ(world_.Refusal(403, world_.Get("/audit/report")), "STL1002");
}

TEST_F(RestAudit, TellsOfWhichInstanceSomethingWasDenied) {
  Denials denials(world_.served.desk());
  world_.who = ServedWorld::Somebody(Role::kViewer);
  EXPECT_EQ(world_.Refusal(403, world_.Post(fmt::format("/instances/{}/cancel", id_))), "STL1002");
  EXPECT_EQ(world_.Refusal(403, world_.Get(fmt::format("/instances/{}/proof", id_))), "STL1002");
  EXPECT_EQ(world_.Refusal(403, world_.Post("/instances/4711/cancel")), "STL1002");
  world_.served.Settle();
  world_.who = ServedWorld::Somebody(Role::kAuditor);
  const Answered page = world_.Get("/audit/report?denied=true");
  ASSERT_EQ(page.at("deeds").as_array().size(), 3u) << page.body;
  for (const std::string deed : {"deeds/0/", "deeds/1/"}) {
    EXPECT_EQ(page.number(deed + "instance"), id_) << page.body;
    EXPECT_EQ(page.text(deed + "definition"), "long") << page.body;
  }
  EXPECT_EQ(page.text("deeds/0/action"), "operate");
  EXPECT_EQ(page.text("deeds/1/action"), "audit");
  EXPECT_EQ(page.number("deeds/2/instance"), 4711) << page.body;
  EXPECT_EQ(world_.Get("/audit/report?denied=true&definition=long").at("deeds").as_array().size(),
            2u);
}

}  // namespace
}  // namespace stele::server::rest
