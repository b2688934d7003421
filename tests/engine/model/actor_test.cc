// What the log calls those who are no people: nobody may call himself so.
#include <gtest/gtest.h>

#include "base/person_name.h"
#include "engine/model/asker.h"
#include "engine/model/worker_actor.h"

namespace stele::model {
namespace {

TEST(Actor, OfAWorkerOrATriggerIsNoNameOfAPerson) {
  EXPECT_NE(FaultOfPersonName(WorkerActor("press-1")), "");
  EXPECT_NE(FaultOfPersonName(TriggerActor(TriggerId(3))), "");
}

}  // namespace
}  // namespace stele::model
