// The view of instances: a row each, found by what is in it (instance_row.h, search.h).
#pragma once

#include <unordered_map>

#include "projections/view.h"
#include "projections/views/instance_row.h"

namespace stele::projections {

class InstancesView final : public View {
 public:
  std::string_view name() const override { return "instances"; }
  uint32_t version() const override { return 4; }
  std::string_view keys() const override;

  void OnEvent(const model::Event& event, const model::Instance& before,
               const model::Registry& registry, const RecordInfo& record,
               ViewWriter& writer) override;
  void OnInstance(const model::Instance& instance, const model::Registry& registry,
                  ViewWriter& writer) override;
  void EndBatch(ViewWriter& writer) override;
  void Forget(InstanceId instance, ViewWriter& writer) override;

 private:
  // What the state of an instance does not tell, of this batch.
  struct Noted {
    TimeUs updated;
    std::string actor;
    bool started = false;
  };
  std::unordered_map<InstanceId, Noted> noted_;
  InstanceId last_;              // whose `last_noted_` is
  Noted* last_noted_ = nullptr;  // null: none yet
};

}  // namespace stele::projections
