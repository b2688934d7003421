// Histories that a seed decides, with every state on the way as it was when it was made.
#pragma once

#include <string>
#include <vector>

#include "engine/apply/apply.h"
#include "engine/model/codec.h"
#include "engine/model/snapshot.h"
#include "tests/engine/core/random_course.h"
#include "tests/replay/driven_source.h"

namespace stele::test {

class RandomHistory {
 public:
  explicit RandomHistory(uint64_t seed, int happenings = 40)
      : driver(RandomDefinition(seed)), course_(driver, ~seed), source(driver) {
    course_.Start();
    Happen(happenings);
  }

  void Happen(int times) {
    for (int i = 0; i < times; ++i) course_.Happen();
    for (; read_ < driver.Records().size(); ++read_) {
      const DrivenRecord& record = driver.Records()[read_];
      const Status decoded = model::DecodeEach(record.body, [&](const model::Event& event) {
        apply::Apply(live_, event, record.context);
        states.push_back(model::EncodeSnapshot(live_));
      });
      EXPECT_TRUE(decoded.has_value());
    }
  }
  uint64_t size() const { return states.size(); }

  CoreDriver driver;

 private:
  RandomCourse course_;
  size_t read_ = 0;
  model::Instance live_ = Beginning(driver.instance().id);

  static model::Instance Beginning(InstanceId id) {
    model::Instance instance;
    instance.id = id;
    return instance;
  }

 public:
  DrivenSource source;
  std::vector<std::string> states;  // model::EncodeSnapshot behind each event
};

}  // namespace stele::test
