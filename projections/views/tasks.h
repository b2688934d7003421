// The view of tasks for people: a row for each approval and each manual task, from when it waits
// for somebody on, also when it is over (task_row.h, search.h).
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "projections/view.h"
#include "projections/views/task_row.h"

namespace stele::projections {

class TasksView final : public View {
 public:
  std::string_view name() const override { return "tasks"; }
  uint32_t version() const override { return 3; }
  std::string_view keys() const override;

  void OnEvent(const model::Event& event, const model::Instance& before,
               const model::Registry& registry, const RecordInfo& record,
               ViewWriter& writer) override;
  void OnInstance(const model::Instance& instance, const model::Registry& registry,
                  ViewWriter& writer) override;
  void EndBatch(ViewWriter& writer) override;
  void Forget(InstanceId instance, ViewWriter& writer) override;

 private:
  struct Work {
    std::optional<TaskRow> before;
    TaskRow row;
  };
  // The task's row as far as this batch has come, described as the instance is.
  TaskRow& RowOf(const model::Instance& instance, const model::StepRun& run,
                 const model::Registry& registry, ViewWriter& writer);
  // The task is over, unless it was before.
  void End(const model::Instance& before, RunId run, std::string_view state,
           const model::Registry& registry, const RecordInfo& record, ViewWriter& writer);

  std::map<std::pair<InstanceId, RunId>, Work> work_;  // of this batch
};

}  // namespace stele::projections
