// Triggers: what each one is, how it stands, how often it has fired and with what outcome.
//
// When a schedule fires next follows from its configuration, `since` and `last_scheduled`, and from
// the time of the question: it is not kept. engine/triggers/next_firing.h tells it.
//
// Keys:
//
//     r trigger                          TriggerRow
//     d definition trigger               nothing: those of a definition
//
// Thread: the view: one at a time, the feed's; reading: the reader's.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "projections/view.h"
#include "projections/view_store.h"

namespace stele::projections {

inline constexpr std::string_view kTriggersView = "triggers";

// How often an outcome came: its first word, "start", "buffer", "skip", "missed", "refused".
struct OutcomeCount {
  std::string outcome;
  uint64_t count = 0;
  bool operator==(const OutcomeCount&) const = default;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.outcome, self.count);
  }
};

struct TriggerRow {
  TriggerId trigger;
  std::string definition;
  std::string name;       // empty: it is kept by somebody else than a definition or a command
  std::string kind;       // "schedule", "event", …
  bool declared = false;  // in its definition; else added by hand
  model::TriggerState state = model::TriggerState::kActive;
  std::string reason;  // of the last change of state
  std::string config;  // as the registry keeps it
  TimeUs registered;
  TimeUs since;                        // when it was registered or resumed
  uint64_t fired = 0;                  // firings that were recorded, with any outcome
  std::vector<OutcomeCount> outcomes;  // by their names; at most kMaxTriggerOutcomes
  TimeUs last_fired;                   // when the latest of them was recorded
  TimeUs last_time;                    // the latest moment that one was for
  TimeUs last_scheduled;               // the same, without firings by hand
  std::string last_outcome;            // with its sentence

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.trigger, self.definition, self.name, self.kind, self.declared, self.state,
            self.reason, self.config, self.registered, self.since, self.fired, self.outcomes,
            self.last_fired, self.last_time, self.last_scheduled, self.last_outcome);
  }
};

// Outcomes that are told apart; others are counted as "other".
inline constexpr size_t kMaxTriggerOutcomes = 16;

class TriggersView final : public View {
 public:
  std::string_view name() const override { return kTriggersView; }
  uint32_t version() const override { return 1; }
  std::string_view keys() const override;
  void OnRegistry(const model::Event& event, const model::Registry& after, const RecordInfo& record,
                  ViewWriter& writer) override;
  void EndBatch(ViewWriter& writer) override;

 private:
  TriggerRow& RowOf(TriggerId trigger, ViewWriter& writer);
  std::map<TriggerId, TriggerRow> rows_;  // of this batch
};

// What is asked for; empty: any.
struct TriggerFilter {
  std::string definition;
  std::string kind;
  std::optional<model::TriggerState> state;
  bool removed = false;  // those that were removed too, when no state is asked for
};

struct TriggerPage {
  Position position;                 // of the view
  std::vector<TriggerRow> triggers;  // by number
  TriggerId next;                    // to go on behind; 0: there is no more
};

// Those behind `after`, at most `limit`. A page ends early after kMaxTriggersLookedAt rows.
inline constexpr size_t kMaxTriggersLookedAt = 10'000;
Result<TriggerPage> ListTriggers(const ViewReader& reader, const TriggerFilter& filter,
                                 size_t limit, TriggerId after = TriggerId());
Result<std::optional<TriggerRow>> FindTrigger(const ViewReader& reader, TriggerId trigger);

// When a trigger fires next, if that can be told.
using NextFiring = std::function<std::optional<TimeUs>(const TriggerRow& row)>;
Object ToJson(const TriggerRow& row, const NextFiring& next);
Object ToJson(const TriggerPage& page, const NextFiring& next);

}  // namespace stele::projections
