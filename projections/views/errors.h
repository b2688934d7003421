// What goes wrong, by definition, step and kind: how often, since when, when last, and where to
// look. docs/statistics.md says what counts as once.
//
// Keys:
//
//     e definition step kind             ErrorRow; a step "" is the instance as a whole
//     l last definition step kind        nothing: the order, the latest first
//     n definition                       how many rows a definition has
//
// A definition has at most kMaxErrorsOfADefinition rows: kinds are what tasks say. What comes on
// top of that is counted under the kind kOtherErrors of the definition, without a step. A kind that
// a task calls so is in quotes.
//
// Thread: the view: one at a time, the feed's; reading: the reader's.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/value.h"
#include "eventstore/event_store.h"
#include "projections/hidden.h"
#include "projections/view.h"
#include "projections/view_store.h"

namespace stele::projections {

inline constexpr std::string_view kErrorsView = "errors";
inline constexpr uint64_t kMaxErrorsOfADefinition = 1'000;
inline constexpr size_t kMaxErrorKindBytes = 128;
inline constexpr size_t kMaxErrorMessageBytes = 512;
inline constexpr std::string_view kOtherErrors = "(other kinds)";

struct ErrorRow {
  std::string definition;
  std::string step;  // its id; empty: of the instance
  std::string kind;
  uint64_t count = 0;      // how often it occurred
  uint64_t attempts = 0;   // of them: attempts that failed, an engine's end and deadlines included
  uint64_t steps = 0;      // runs that failed for good with it
  uint64_t incidents = 0;  // that operators had to decide
  uint64_t instances = 0;  // that failed with it
  TimeUs first;
  TimeUs last;
  // Of the last one. Kinds that are not told apart have no run.
  Position position;
  InstanceId instance;
  RunId run;
  // Not kept here, where nothing is that an instance's erasure must find: ReadMessages fills it in.
  std::string message;

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.definition, self.step, self.kind, self.count, self.attempts, self.steps,
            self.incidents, self.instances, self.first, self.last, self.position, self.instance,
            self.run);
  }
};

class ErrorsView final : public View {
 public:
  std::string_view name() const override { return kErrorsView; }
  uint32_t version() const override { return 4; }
  // Version 2 took a kind of that name for kOtherErrors; 3 counted what an instance is undone for
  // when that was over.
  uint32_t reads_from() const override { return 2; }
  std::string_view keys() const override;
  void OnEvent(const model::Event& event, const model::Instance& before,
               const model::Registry& registry, const RecordInfo& record,
               ViewWriter& writer) override;
  void EndBatch(ViewWriter& writer) override;
  bool keeps_totals() const override { return true; }
  void Merge(const model::ViewRow& row, ViewWriter& writer) override;

 private:
  friend struct ErrorCounter;

  // A run in a record; what is said of it there again is the same error.
  struct Told {
    Position position;
    RunId run;
    bool operator==(const Told&) const = default;
  };
  using Key = std::tuple<std::string, std::string, std::string>;  // definition, step, kind

  ErrorRow& NoteOf(Key key);
  static void Write(ErrorRow note, ViewWriter& writer);

  std::map<Key, size_t> index_;
  std::vector<ErrorRow> notes_;  // in the order in which they came
  Told told_;
  Told timed_out_;
};

// What is asked for; empty: any.
struct ErrorFilter {
  std::string definition;
  std::string step;
  std::string kind;
  TimeUs since;  // occurred at or after
  // How `since` was asked for when that is from now: "24h". All pages of the question then have the
  // first one's; empty: `since` itself is the same on all.
  std::string since_text;
  // Nothing of these definitions is told; `next` is then not for whom it is hidden from, either.
  Hidden hidden = nullptr;
};

struct ErrorPage {
  Position position;  // of the view
  std::vector<ErrorRow> errors;
  std::string next;  // a cursor to go on with; empty: there is no more
};

// The latest first, at most `limit`. It looks at no more than kMaxErrorsLookedAt rows: the page
// then ends early and has a cursor. An error that occurs again between two pages moves to the
// front. `cursor`: empty, or what a page gave. kInvalidInput: it is none.
inline constexpr size_t kMaxErrorsLookedAt = 10'000;
// `course`: what else all pages have in common (SearchRequest::course).
Result<ErrorPage> ListErrors(const ViewReader& reader, const ErrorFilter& filter, size_t limit,
                             std::string_view cursor, const std::string& course = {});

// Fills in the messages of the page's errors, out of the log; empty where the instance was removed,
// and where kinds are not told apart.
Status ReadMessages(const eventstore::EventStore& log, ShardId shard, ErrorPage& page);

Object ToJson(const ErrorRow& row);
Object ToJson(const ErrorPage& page);

}  // namespace stele::projections
