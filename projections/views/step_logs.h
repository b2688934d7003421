// Attempts of an instance's steps: when, how they ended, what they printed, so that this need not
// be read from the history. What is longer than kMaxStepLogBytes is cut; the history has all that
// is recorded.
//
// Keys:
//
//     a instance part                    the attempts of runs that are the same but for their
//     lowest
//                                        kRunBits: written together, for they come together
//     a instance part run attempt        the log of one, if it is longer than kMaxLogInPart
//
// Of steps that do something outside there is a row for each attempt; of others (loops, waits,
// tasks for people) for each one after the first. A step has the id and label that it had when the
// attempt began, even if the instance was migrated since.
//
// Thread: the view: one at a time, the feed's; reading: the reader's.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/value.h"
#include "projections/view.h"
#include "projections/view_store.h"
#include "replay/timeline.h"

namespace stele::projections {

inline constexpr std::string_view kStepLogsView = "step_logs";
inline constexpr size_t kMaxStepLogBytes = 64u << 10;
// Of a page; one attempt is always there.
inline constexpr size_t kMaxStepLogPageBytes = 4u << 20;

struct AttemptRow {
  std::string step;   // its id
  std::string label;  // with the indices of the loops around: "update[2]"
  std::string type;   // "script", …
  replay::AttemptState state = replay::AttemptState::kRunning;
  TimeUs started;
  TimeUs ended;
  std::string kind;  // of the error
  std::string message;
  std::string log;
  uint64_t log_bytes = 0;      // that are recorded
  bool log_truncated = false;  // more was printed than is recorded

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.step, self.label, self.type, self.state, self.started, self.ended, self.kind,
            self.message, self.log, self.log_bytes, self.log_truncated);
  }
};

struct AttemptPlace {
  RunId run;
  uint32_t attempt = 0;
  auto operator<=>(const AttemptPlace&) const = default;

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.run, self.attempt);
  }
};
struct AttemptEntry {
  AttemptPlace place;
  AttemptRow row;

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.place, self.row);
  }
};

class StepLogsView final : public View {
 public:
  std::string_view name() const override { return kStepLogsView; }
  uint32_t version() const override { return 2; }
  std::string_view keys() const override;
  void OnEvent(const model::Event& event, const model::Instance& before,
               const model::Registry& registry, const RecordInfo& record,
               ViewWriter& writer) override;
  void EndBatch(ViewWriter& writer) override;
  void Forget(InstanceId instance, ViewWriter& writer) override;

 private:
  friend struct AttemptWriter;

  // The attempts of a part, as far as this batch has come.
  struct Part {
    std::vector<AttemptEntry> attempts;  // in any order
  };
  struct Of {
    std::vector<std::pair<uint64_t, Part>> parts;  // those that something happened to
    bool is_new = false;                           // nothing of it is stored
  };
  Of& InstanceOf(InstanceId instance);
  Part& PartOf(InstanceId instance, RunId run, ViewWriter& writer);
  AttemptRow& Begin(InstanceId instance, const AttemptPlace& place, ViewWriter& writer);
  // Null: there is no row of that attempt.
  AttemptRow* Find(InstanceId instance, const AttemptPlace& place, ViewWriter& writer);
  static void Write(InstanceId instance, uint64_t number, Part& part, ViewWriter& writer);

  std::unordered_map<InstanceId, Of> instances_;  // of this batch
  InstanceId last_;                               // whose `last_of_` is
  Of* last_of_ = nullptr;                         // null: none yet
};

struct StepLogPage {
  Position position;                   // of the view
  std::vector<AttemptEntry> attempts;  // by run and attempt
  AttemptPlace next;                   // to go on behind; run 0: there is no more
};

// Attempts of the instance, of the step of that id or label when one is given, behind `after`, at
// most `limit`. Empty when there is no such instance.
Result<StepLogPage> ReadStepLogs(const ViewReader& reader, InstanceId instance,
                                 std::string_view step, size_t limit,
                                 AttemptPlace after = AttemptPlace());

Object ToJson(const AttemptEntry& entry);
Object ToJson(const StepLogPage& page);

}  // namespace stele::projections
