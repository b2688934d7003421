// The course that an instance takes from where a fork leaves, on a clock of its own: causes are
// decided one after another, each at its time.
//
//   what is recorded   timers, people, signals, messages, operators: in their order and at their
//                      times, when the decider accepts them. What is about a run waits for that run
//   answers            of attempts (answers.h)
//   own timers         at their time, unless the recorded course has the same timer: what becomes
//                      of that is recorded
//   own restarts       of attempts that were stopped with the engine, at once
//
// As long as nothing is changed each decision is the recorded one, and so are its times.
//
// Thread: one at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/decide/decide.h"
#include "engine/definition/definition.h"
#include "engine/model/command.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "replay/timeline.h"
#include "replay/what_if/answers.h"
#include "replay/what_if/limits.h"
#include "replay/what_if/path.h"
#include "replay/what_if/recorded_course.h"
#include "replay/what_if/run_names.h"

namespace stele::replay {

// How many recorded and other results attempts had.
struct ResultCounts {
  uint64_t reused = 0;
  uint64_t assumed = 0;
  uint64_t stubbed = 0;
  uint64_t repeated = 0;
  uint64_t recorded = 0;  // that there are behind the fork
};

// A recorded cause of somebody's that found nothing to be applied to.
struct LeftOver {
  size_t record = 0;  // of the course
  std::string why;
};

enum class CourseEnd : uint8_t { kEnded, kWaiting, kBound };

class Simulation {
 public:
  // REQUIRES: the arguments outlive it; the registry has every definition that is named.
  Simulation(const RecordedCourse& course, const model::Registry& registry,
             const std::vector<Stub>& stubs, const WhatIfLimits& limits);

  // Something is changed first, or refused. Before Run.
  std::optional<Rejection> Change(const model::Command& command);
  void Run();

  const model::Instance& state() const { return state_; }
  const definition::Definition& definition() const { return *definition_; }
  const Timeline& timeline() const { return timeline_; }
  const RunNames& names() const { return names_; }
  const Path& path() const { return path_; }
  TimeUs now() const { return now_; }
  CourseEnd end() const { return end_; }
  const ResultCounts& results() const { return results_; }
  // Recorded causes of people, operators, messages: those that were applied, those left over.
  uint64_t applied() const { return applied_; }
  const std::vector<LeftOver>& left_over() const { return left_over_; }

 private:
  enum class Kind : uint8_t { kNone, kAnswer, kRecorded, kRestart, kTimer };
  struct Move {
    Kind kind = Kind::kNone;
    TimeUs at;
    uint64_t order = 0;  // of moves at the same time
    RunId run;           // kRestart
    bool Precedes(const Move& other) const {
      return other.kind == Kind::kNone || std::pair(at, order) < std::pair(other.at, other.order);
    }
  };
  // A recorded cause whose run may come later than it did.
  struct WaitingCause {
    size_t record = 0;
    model::Command command;  // as it is recorded
  };
  Move NextMove() const;
  void Consider(Move& best, const Move& move) const;
  void Make(const Move& move);
  RunId RunToRestart() const;
  // The recorded course has the same timer, as far as it has come.
  bool IsRecorded(const model::Timer& timer) const;
  bool OnlyReminds() const;
  const model::StepRun* ThereOf(RunId run) const;

  void Give(const Answer& answer);
  void PassRecord();
  void TryCause(size_t record, const model::Event& cause);
  void ApplyThere(size_t record, const std::vector<model::Event>& events);
  void TryWaiting();
  bool TryFirst(std::vector<WaitingCause>& causes);
  void LeaveRest();

  std::optional<Rejection> Decide(const model::Command& command, Position position);
  void Follow(Seq first);
  void FollowMigration(const model::InstanceMigrated& event);
  std::vector<RunId> Begun() const;
  void Await(RunId run, TimeUs started);
  bool IsFull() const;

  const RecordedCourse& course_;
  const model::Registry& registry_;
  const WhatIfLimits limits_;
  const Answers answers_;
  decide::Decider decider_;

  // The course itself.
  model::Instance state_;
  const definition::Definition* definition_;
  Timeline timeline_;
  RunNames names_;
  Path path_;
  TimeUs now_;
  bool changing_ = true;
  bool changed_definition_ = false;
  CourseEnd end_ = CourseEnd::kWaiting;
  uint64_t records_ = 0;
  std::vector<model::Event> events_;  // of the present record

  // The recorded one, as far as it has come.
  model::Instance there_;
  const definition::Definition* definition_there_;
  RunNames names_there_;
  size_t next_record_ = 0;

  std::map<std::pair<TimeUs, uint64_t>, Answer> due_;  // by time and order
  uint64_t answers_made_ = 0;
  std::map<RunId, std::vector<WaitingCause>> waiting_;  // by the recorded run that they wait for
  Seq tried_at_;                                        // what they were refused behind last
  std::set<RunId> not_restarted_;                       // what cannot be
  ResultCounts results_;
  uint64_t applied_ = 0;
  std::vector<LeftOver> left_over_;
};

}  // namespace stele::replay
