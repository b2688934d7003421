// The history of a CoreDriver as a source of records, and the registry that it runs by.
#pragma once

#include <memory>
#include <optional>

#include "engine/definition/canonical.h"
#include "engine/model/registry.h"
#include "replay/history.h"
#include "tests/support/core_driver.h"

namespace stele::test {

class DrivenSource final : public replay::Source {
 public:
  // REQUIRES: the driver outlives the source; it does nothing while records are read.
  explicit DrivenSource(const CoreDriver& driver) : driver_(driver) {}

  Result<std::unique_ptr<eventstore::Cursor>> RecordsFrom(InstanceId instance,
                                                          Seq from) const override {
    return std::make_unique<DrivenCursor>(
        instance == driver_.instance().id ? &driver_.Records() : nullptr, instance, from);
  }

  model::Registry Registry() const {
    model::Registry registry;
    for (const auto& version : driver_.Versions()) {
      const auto number = static_cast<uint32_t>(registry.definitions.size() + 1);
      registry.definitions.push_back({.id = DefinitionId(number),
                                      .name = version->name,
                                      .version = number,
                                      .canonical = definition::WriteCanonical(*version),
                                      .definition = version});
    }
    return registry;
  }

 private:
  class DrivenCursor final : public eventstore::Cursor {
   public:
    DrivenCursor(const std::vector<DrivenRecord>* records, InstanceId instance, Seq from)
        : records_(records), instance_(instance), from_(from) {}

    Result<std::optional<eventstore::RecordView>> Next() override {
      while (records_ != nullptr && next_ < records_->size()) {
        const DrivenRecord& record = (*records_)[next_++];
        passed_ = record.context.position;
        if (record.first.value + record.events <= from_.value) continue;
        return eventstore::RecordView{.shard = ShardId(),
                                      .position = passed_,
                                      .header = {.instance = instance_,
                                                 .first_seq = record.first,
                                                 .event_count = record.events,
                                                 .time = record.context.time,
                                                 .causation = Position(),
                                                 .actor = "test"},
                                      .body = record.body};
      }
      return std::nullopt;
    }
    Position Passed() const override { return passed_; }

   private:
    const std::vector<DrivenRecord>* records_;
    const InstanceId instance_;
    const Seq from_;
    size_t next_ = 0;
    Position passed_;
  };

  const CoreDriver& driver_;
};

}  // namespace stele::test
