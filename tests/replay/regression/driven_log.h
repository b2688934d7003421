// A log for tests of what decides histories again: instances that drivers have brought through
// their courses, their records mixed as they would be in a shard.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "engine/definition/canonical.h"
#include "eventstore/memory_store.h"
#include "replay/regression/regression.h"
#include "tests/support/core_driver.h"
#include "tests/support/definitions.h"

namespace stele::replay {

class DrivenLog {
 public:
  static constexpr ShardId kShard{0};

  explicit DrivenLog(const std::shared_ptr<const PayloadFinder>& payloads = nullptr)
      : store_(payloads == nullptr ? std::make_unique<eventstore::MemoryStore>()
                                   : std::make_unique<eventstore::MemoryStore>(payloads)) {}

  // The drivers' definitions get the numbers under which the drivers know them.
  // REQUIRES: none of the drivers has a version that the others have not.
  void Append(std::initializer_list<const test::CoreDriver*> drivers) {
    for (const test::CoreDriver* driver : drivers)
      for (size_t i = registered_; i < driver->Versions().size(); ++i)
        Register(*driver->Versions()[i]);
    size_t most = 0;
    for (const test::CoreDriver* driver : drivers) most = std::max(most, driver->Records().size());
    for (size_t i = 0; i < most; ++i)
      for (const test::CoreDriver* driver : drivers)
        if (i < driver->Records().size()) Append(driver->instance().id, driver->Records()[i]);
  }

  void Append(InstanceId instance, const test::DrivenRecord& record) {
    Append({.instance = instance,
            .first_seq = record.first,
            .event_count = record.events,
            .time = record.context.time},
           record.body);
  }
  // Any events, whether they make sense or not.
  void Append(InstanceId instance, Seq first, const std::vector<model::Event>& events,
              TimeUs time = TimeUs(1'700'000'000'000'000)) {
    Append({.instance = instance,
            .first_seq = first,
            .event_count = static_cast<uint32_t>(events.size()),
            .time = time},
           encoder_.Encode(events));
  }

  eventstore::MemoryStore& store() { return *store_; }

  RegressionReport Replay(const RegressionOptions& options = {},
                          const std::vector<InstanceRange>* instances = nullptr) {
    Result<RegressionReport> report = ReplayLog(*store_, kShard, options, instances);
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return report.has_value() ? *std::move(report) : RegressionReport();
  }
  // With another definition of that name, from YAML.
  RegressionReport ReplayWith(std::string_view yaml) {
    return Replay({.changed = test::Load(yaml)});
  }

 private:
  void Append(const eventstore::RecordHeader& header, std::string_view body) {
    eventstore::Batch batch;
    batch.Add(header, body);
    ASSERT_TRUE(store_->Append(kShard, store_->NextPosition(kShard), batch).has_value());
  }
  void Register(const definition::Definition& definition) {
    const auto number = static_cast<uint32_t>(++registered_);
    Append(InstanceId(), Seq(number),
           {model::DefinitionRegistered{DefinitionId(number), definition.name, number,
                                        definition::WriteCanonical(definition), "", "file.yml"}});
  }

  std::unique_ptr<eventstore::MemoryStore> store_;
  size_t registered_ = 0;
  model::RecordEncoder encoder_;
};

}  // namespace stele::replay
