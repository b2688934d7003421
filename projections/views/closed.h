// Which instances have ended, by definition and by when: what retention goes by.
//
// Keys:
//
//     d definition ended instance        nothing: one that nobody called, the first to end first
//     i instance                         ClosedRow
//     p parent child                     nothing: what an instance called, open or not
//     f origin fork                      nothing: what was forked from an instance, open or not
//
// Thread: the view: one at a time, the feed's; reading: the reader's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "projections/view.h"
#include "projections/view_store.h"

namespace stele::projections {

inline constexpr std::string_view kClosedView = "closed";

struct ClosedRow {
  DefinitionId definition;
  TimeUs ended;
  InstanceId parent;  // 0: none
  InstanceId origin;  // that it was forked from; 0: it was started

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.definition, self.ended, self.parent, self.origin);
  }
};

class ClosedView final : public View {
 public:
  std::string_view name() const override { return kClosedView; }
  uint32_t version() const override { return 2; }
  std::string_view keys() const override;
  void OnEvent(const model::Event& event, const model::Instance& before,
               const model::Registry& registry, const RecordInfo& record,
               ViewWriter& writer) override;
  void Forget(InstanceId instance, ViewWriter& writer) override;
};

// A place among the instances of a definition that have ended.
struct ClosedPlace {
  TimeUs ended;
  InstanceId instance;
};

// Of the definition, behind `after`: those that nobody called and that ended before `before`, at
// most `limit`.
Result<std::vector<ClosedPlace>> ListClosed(const ViewReader& reader, DefinitionId definition,
                                            ClosedPlace after, TimeUs before, size_t limit);
// Nothing: it is open, or there is none.
Result<std::optional<ClosedRow>> FindClosed(const ViewReader& reader, InstanceId instance);
Result<std::vector<InstanceId>> CalledBy(const ViewReader& reader, InstanceId parent);
Result<std::vector<InstanceId>> ForkedFrom(const ViewReader& reader, InstanceId origin);

}  // namespace stele::projections
