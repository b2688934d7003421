// Figures of definitions and their steps: how many, how long, how often in vain, by version, by
// minute, hour and day, and how things stand now. docs/statistics.md says what each figure is,
// statistics_rows.h what is kept, read_statistics.h is the way to read it.
//
// An event costs a few additions in memory; what a batch came to is merged into the rows at its
// end.
//
// Thread: one at a time, the feed's.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "projections/view.h"
#include "projections/views/statistics_rows.h"

namespace stele::projections {

class StatisticsView final : public View {
 public:
  std::string_view name() const override { return kStatisticsView; }
  uint32_t version() const override { return 3; }
  // Version 1 counted no timeouts that a task told of, 2 took calls that wait for attempts.
  uint32_t reads_from() const override { return 1; }
  std::string_view keys() const override;
  void OnEvent(const model::Event& event, const model::Instance& before,
               const model::Registry& registry, const RecordInfo& record,
               ViewWriter& writer) override;
  void OnRegistry(const model::Event& event, const model::Registry& after, const RecordInfo& record,
                  ViewWriter& writer) override;
  void OnInstance(const model::Instance& instance, const model::Registry& registry,
                  ViewWriter& writer) override;
  void EndBatch(ViewWriter& writer) override;
  bool keeps_totals() const override { return true; }
  void Merge(const model::ViewRow& row, ViewWriter& writer) override;

 private:
  friend struct StatisticsCounter;

  // Of steps that share a row, in this batch; empty where nothing happened.
  struct Group {
    std::vector<RunGauges> runs;          // by step
    std::map<int64_t, StepsCounts> days;  // by number
  };
  // Of a version, in this batch.
  struct Notes {
    std::string name;
    uint32_t version = 1;
    std::shared_ptr<const definition::Definition> definition;
    std::optional<uint32_t> state;
    DefinitionRow row;  // without counts: they are those of all minutes
    std::map<int64_t, InstanceCounts> minutes;
    std::vector<Group> groups;

    InstanceCounts& Minute(TimeUs time) { return minutes[SlotOf(time, Resolution::kMinute)]; }
    StepCounts& Of(StepIndex step, TimeUs time);
    RunGauges& RunsOf(StepIndex step);
    size_t SizeOf(size_t group) const;
  };
  // By name and resolution, then by number.
  using Slots = std::map<int64_t, InstanceCounts>;
  using Series = std::map<std::string, std::array<Slots, 3>>;

  Notes& NotesOf(DefinitionId definition, const model::Registry& registry);
  // `sign` times how the instance stands.
  void AddStanding(const model::Instance& instance, const model::Registry& registry, int64_t sign);
  static void WriteSteps(const Notes& notes, size_t group, ViewWriter& writer);

  std::map<DefinitionId, Notes> notes_;
  DefinitionId last_definition_;
  Notes* last_notes_ = nullptr;
  // Whose standing before the batch is subtracted.
  std::unordered_set<InstanceId> seen_;
  InstanceId last_seen_;
  TimeUs latest_;
};

}  // namespace stele::projections
