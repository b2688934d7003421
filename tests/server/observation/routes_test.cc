// /metrics and /health, as they are asked.
#include "server/observation/routes.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "server/rest/api.h"
#include "tests/server/observation/observed_world.h"

namespace stele::server {
namespace {

TEST(Metrics, AreForThoseWhoMayReadFigures) {
  ObservedWorld world;
  EXPECT_EQ(world.Get("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
  world.who = ServedWorld::Somebody(Role::kViewer);
  EXPECT_EQ(world.Get("/metrics").status, 200);
  world.who = ServedWorld::Somebody(Role::kWorker);
  EXPECT_EQ(world.Get("/metrics").status, 403);
  world.who.reset();
  EXPECT_EQ(world.Get("/metrics").status, 401);
}

TEST(Metrics, AreForAnybodyWhenTheyAreOpen) {
  ObservedWorld world(/*open_metrics=*/true);
  world.who.reset();
  EXPECT_EQ(world.Get("/metrics").status, 200);
}

TEST(Health, IsThatOfAServerThatStartsAndServesAndDrains) {
  ObservedWorld world;
  world.who.reset();
  world.served.CatchUp();
  EXPECT_EQ(world.Get("/health/ready").status, 503);
  EXPECT_EQ(world.Get("/health/ready").text("status"), "starting");
  EXPECT_EQ(world.Get("/health").text("checks", "scheduler"), "starting");
  world.health.Begin();
  EXPECT_EQ(world.Get("/health/ready").status, 200);
  EXPECT_EQ(world.Get("/health").text("status"), "healthy");
  world.served.desk().Close();
  EXPECT_EQ(world.Get("/health/ready").status, 503);
  EXPECT_EQ(world.Get("/health/ready").text("status"), "draining");
  EXPECT_EQ(world.Get("/health/live").status, 200);
}

TEST(Health, HasChecksAndCounts) {
  ObservedWorld world;
  world.who.reset();
  world.health.Begin();
  world.Work();
  world.served.CatchUp();
  EXPECT_EQ(world.Get("/health").body,
            R"({"status":"healthy","checks":{"database":"ok","scheduler":"ok","executor":"ok",)"
            R"("views":"ok"},"stats":{"active_executions":1,"queued_executions":0,)"
            R"("total_workflows":3,"active_workflows":3}})");
}

TEST(Health, HasNoCountsOfAViewThatIsNotThere) {
  EXPECT_EQ(ToJson(Value(ToJson(HealthReport{.status = "unhealthy",
                                             .database = "failed",
                                             .scheduler = "ok",
                                             .executor = "full",
                                             .views = "building",
                                             .loop = {}}))),
            R"({"status":"unhealthy","checks":{"database":"failed","scheduler":"ok",)"
            R"("executor":"full","views":"building"},"stats":{"active_executions":null,)"
            R"("queued_executions":null,"total_workflows":0,"active_workflows":0}})");
}

TEST(Health, IsAnsweredForAnybody) {
  ObservedWorld world;
  for (const rest::Route& route :
       ObservationResource(world.figures, world.health, /*open_metrics=*/false).routes) {
    EXPECT_TRUE(route.outside) << route.id;
    EXPECT_EQ(route.anybody, route.pattern != "/metrics") << route.id;
  }
}

}  // namespace
}  // namespace stele::server
