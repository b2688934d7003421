// A view for tests of the framework: per step how many runs of it completed and how long they took,
// and a row for each instance with its state. It needs the instance before the event, and after.
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>

#include "projections/projector.h"
#include "tests/replay/recorded_log.h"

namespace stele::projections {

class CountingView final : public View {
 public:
  explicit CountingView(uint32_t version = 1, uint64_t* events = nullptr, uint32_t reads_from = 1)
      : version_(version), reads_from_(reads_from), events_(events) {}

  std::string_view name() const override { return "counting"; }
  uint32_t version() const override { return version_; }
  uint32_t reads_from() const override { return reads_from_; }
  std::string_view keys() const override { return "c STEP: completed\n"; }
  void OnEvent(const model::Event& event, const model::Instance& before,
               const model::Registry& registry, const RecordInfo& record,
               ViewWriter& writer) override {
    if (events_ != nullptr) ++*events_;
    const auto* completed = std::get_if<model::StepCompleted>(&event);
    if (completed == nullptr) return;
    const model::StepRun& run = *before.FindRun(completed->run);
    const auto& definition = *registry.Find(before.definition)->definition;
    writer.Add("c " + definition.step(run.step).id, 1);
    writer.Add("t " + definition.step(run.step).id, record.time.value - run.activated.value);
  }
  void OnRegistry(const model::Event& event, const model::Registry& after, const RecordInfo& record,
                  ViewWriter& writer) override {
    writer.Put("definitions",
               fmt::format("{} at {}", after.definitions.size(), record.position.value));
  }
  void OnInstance(const model::Instance& instance, const model::Registry& registry,
                  ViewWriter& writer) override {
    writer.Put(
        fmt::format("i {}", instance.id.value),
        fmt::format("{} {} v{}", model::StatusName(instance.status), instance.seq.value, version_));
  }

 private:
  uint32_t version_;
  uint32_t reads_from_;
  uint64_t* events_;
};

// Keys and values, counters as numbers.
inline std::map<std::string, std::string> Dump(const ViewReader& reader) {
  std::map<std::string, std::string> all;
  KeyCursor keys = reader.Keys("");
  for (; keys.valid(); keys.Next()) {
    const std::string key(keys.key());
    const bool is_counter = key.starts_with("c ") || key.starts_with("t ");
    all[key] = is_counter ? fmt::format("{}", ReadCounter(keys.value())) : keys.value();
  }
  EXPECT_TRUE(keys.status().has_value());
  return all;
}

inline Result<std::unique_ptr<Projector>> OpenCounting(const eventstore::EventStore& log,
                                                       const std::string& path,
                                                       uint32_t version = 1,
                                                       uint64_t* events = nullptr) {
  return Projector::Open(log, ShardId(0), path,
                         {[=] { return std::make_unique<CountingView>(version, events); }});
}

}  // namespace stele::projections
