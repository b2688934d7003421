// Workers: what each of them has done, since when, and when it was heard of last.
//
// Keys:
//
//     w name      WorkerRow
//     n           how many there are
//
// A worker is known by the name under which it joined (model::WorkerActor): the actor of the
// records of its results. What is with a worker now is no fact of the log: a lease is of a
// connection. Behind kMaxWorkers names, others are counted together as kOtherWorkers.
//
// Thread: the view: one at a time, the feed's; reading: the reader's.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "projections/view.h"
#include "projections/view_store.h"

namespace stele::projections {

inline constexpr std::string_view kWorkersView = "workers";
inline constexpr uint64_t kMaxWorkers = 1'000;
inline constexpr std::string_view kOtherWorkers = "(other workers)";

struct WorkerRow {
  std::string name;
  uint64_t completed = 0;  // attempts
  uint64_t failed = 0;
  TimeUs first;  // of its results
  TimeUs last;

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.name, self.completed, self.failed, self.first, self.last);
  }
};

class WorkersView final : public View {
 public:
  std::string_view name() const override { return kWorkersView; }
  uint32_t version() const override { return 1; }
  std::string_view keys() const override;
  void OnEvent(const model::Event& event, const model::Instance& before,
               const model::Registry& registry, const RecordInfo& record,
               ViewWriter& writer) override;
  void EndBatch(ViewWriter& writer) override;
  bool keeps_totals() const override { return true; }
  void Merge(const model::ViewRow& row, ViewWriter& writer) override;

 private:
  std::map<std::string, WorkerRow, std::less<>> notes_;
};

struct WorkerList {
  Position position;  // of the view
  std::vector<WorkerRow> workers;
};
// All of them, those that were heard of last first.
Result<WorkerList> ListWorkers(const ViewReader& reader);

Object ToJson(const WorkerRow& row);
Object ToJson(const WorkerList& list);

}  // namespace stele::projections
