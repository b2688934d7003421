// What is recorded of an instance behind the place where a fork leaves: the causes to decide on
// again, and for each attempt what came of it, by run and attempt.
//
// Records are in memory as they are stored, and decoded when they are looked at.
//
// Thread: one at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/event.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "eventstore/event_store.h"
#include "replay/history.h"
#include "replay/timeline.h"
#include "replay/what_if/run_names.h"

namespace stele::replay {

struct CourseRecord {
  model::RecordContext context;
  Seq first;
  std::string body;
};

// An attempt of a task, as it is recorded.
struct RecordedAttempt {
  static constexpr size_t kBeforeFork = SIZE_MAX;

  TimeUs started;                  // 0: before the fork
  size_t activated = kBeforeFork;  // the index of the record that activated the run
  StepIndex step;                  // of `definition`
  const definition::Definition* definition = nullptr;
  std::vector<size_t> facts;     // the records whose causes tell of it, by index
  std::optional<size_t> result;  // the one that ends it
  TimeUs cut;                    // when it was cancelled; 0: it was not
  bool open = false;             // it is under way at the end of what is recorded
};

class RecordedCourse {
 public:
  // kNoSuchMoment: the instance has no event `at`. kInstanceErased.
  // kLimitExceeded: what is recorded behind the fork is longer than `most_bytes`. kForbidden: it
  // ran a definition that may not be read. kUnknownDefinition: the registry was read before one
  // that it ran was registered. REQUIRES: the registry outlives the course.
  static Result<std::unique_ptr<RecordedCourse>> Read(const Source& source,
                                                      const model::Registry& registry,
                                                      InstanceId instance, Seq at,
                                                      size_t most_bytes);

  // Where the fork leaves: behind the record that holds `at`.
  const model::Instance& parted() const { return parted_; }
  const definition::Definition& parted_definition() const { return *parted_definition_; }
  TimeUs parted_time() const { return parted_time_; }
  const Timeline& parted_timeline() const { return *parted_timeline_; }

  // What follows.
  const std::vector<CourseRecord>& records() const { return records_; }
  std::vector<model::Event> EventsOf(size_t record) const;
  // Its cause tells of an attempt of a task.
  bool IsOfAttempt(size_t record) const { return of_attempt_[record]; }
  const RunNames& names() const { return *names_; }
  const RecordedAttempt* FindAttempt(RunId run, uint32_t attempt) const;
  // The activation of the run that the attempt is one of, from the record that holds it.
  std::optional<model::StepActivated> ActivationOf(const RecordedAttempt& attempt, RunId run) const;
  // The last output that an attempt of the step gave in the whole history; null: none.
  const Payload* LastOutputOf(const std::string& step) const;
  // Attempts that came to a result.
  uint64_t results() const { return results_; }
  // The index behind the last record in which a failed instance goes on; 0: there is none.
  size_t last_revival() const { return last_revival_; }

  // Its end.
  const model::Instance& end() const { return state_; }
  const definition::Definition& end_definition() const { return *definition_; }
  const Timeline& timeline() const { return *timeline_; }
  TimeUs end_time() const { return time_; }

 private:
  RecordedCourse(const model::Registry& registry, InstanceId instance, Seq at)
      : registry_(registry), at_(at) {
    state_.id = instance;
  }
  Status Take(const eventstore::RecordView& record, size_t most_bytes);
  Status Keep(const eventstore::RecordView& record, size_t most_bytes);
  Status Apply(const model::Event& event, const model::RecordContext& context);
  void Part(const model::RecordContext& context);
  void NoteAttempt(RunId run, uint32_t number, StepIndex step, TimeUs started);
  void NoteStart(const model::Event& event, TimeUs time);
  void NoteCut(const model::Event& event, TimeUs time);
  void NoteCause(const model::Event& cause);
  void NoteOutput(const model::Event& event);
  void Finish();

  const model::Registry& registry_;
  const Seq at_;
  model::Instance state_;  // as far as it is read
  const definition::Definition* definition_ = nullptr;
  std::optional<Timeline> timeline_;
  TimeUs time_;
  model::Instance parted_;
  const definition::Definition* parted_definition_ = nullptr;
  std::optional<Timeline> parted_timeline_;
  TimeUs parted_time_;
  std::vector<CourseRecord> records_;
  std::vector<bool> of_attempt_;  // of each
  size_t bytes_ = 0;
  std::optional<RunNames> names_;
  std::map<RunId, size_t> activated_;  // in which record
  std::map<std::pair<RunId, uint32_t>, RecordedAttempt> attempts_;
  std::map<std::string, Payload, std::less<>> outputs_;  // by the step's name at the fork
  uint64_t results_ = 0;
  size_t last_revival_ = 0;
};

}  // namespace stele::replay
