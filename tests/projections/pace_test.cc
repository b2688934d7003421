// When new work waits for views.
#include "projections/pace.h"

#include <gtest/gtest.h>

#include "tests/eventstore/records.h"
#include "tests/projections/counting_view.h"

namespace stele::projections {
namespace {

using replay::Complete;

TEST(Pace, HoldsNewWorkWhileViewsAreTooFarBehind) {
  eventstore::TempDir directory;
  replay::RecordedLog log;
  model::Instance one = log.Start(1);
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  EXPECT_TRUE(Pace(**views, 1).MayStart()) << "built for the first time";
  ASSERT_OK((*views)->CatchUp());
  EXPECT_TRUE(Pace(**views, 1).MayStart());
  log.Decide(one, Complete(1));
  EXPECT_TRUE(Pace(**views, 1).MayStart());
  log.Decide(one, Complete(2));
  EXPECT_FALSE(Pace(**views, 1).MayStart()) << "two records behind";
  EXPECT_TRUE(Pace(**views, 2).MayStart());
  EXPECT_TRUE(Pace(**views, 0).MayStart()) << "any lag is fine";
  ASSERT_OK((*views)->CatchUp());
  EXPECT_TRUE(Pace(**views, 1).MayStart());
}

}  // namespace
}  // namespace stele::projections
