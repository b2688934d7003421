// A course of events for an instance, from a seed: what comes from outside, what operators and
// people do, and time. Much of it is refused, which is a part of the test.
#pragma once

#include "tests/engine/core/random_definition.h"
#include "tests/support/core_driver.h"

namespace stele::test {

class RandomCourse {
 public:
  RandomCourse(CoreDriver& driver, uint64_t seed) : driver_(driver), random_(seed) {}

  // Starts the instance: at once, paused or queued.
  void Start();
  // One thing happens.
  void Happen();
  // Lets everything that waits succeed until the instance has ended. False when it does not end.
  bool Finish() { return Help(/*steps=*/0); }
  // The same while the instance stays paused: a step at a time.
  bool FinishStepByStep() { return Help(/*steps=*/1); }

 private:
  model::Command AnyCommand();
  model::Command OfOperator();
  model::Command OfRun(const model::StepRun& run);
  model::Command OfTask(const model::StepRun& run);
  model::Command OfPeople(const model::StepRun& run);
  model::Command OfWait(const model::StepRun& run);
  bool Help(uint32_t steps);
  // What lets the instance come nearer to its end.
  std::optional<model::Command> Helpful(uint32_t steps) const;
  bool NeedsTime() const;
  std::optional<model::Command> Ending(const model::StepRun& run) const;
  RunId AnyRun();
  Payload AnyOutput();

  CoreDriver& driver_;
  Random random_;
};

}  // namespace stele::test
