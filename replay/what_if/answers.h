// What answers the attempts that a dry fork begins: what is recorded of the same attempt, or a
// stub.
//
// In this order: a stub for the step; what is recorded, when the step was handed the same; a stub
// for the task type; what is recorded all the same, which is then assumed; the last output that is
// recorded of the step. Nothing answers an attempt that is still under way in the recorded course.
//
// What is recorded comes as long after the attempt's start as it came then, a stub as long as the
// recorded result did, else at once.
//
// Thread: one at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/payload.h"
#include "engine/definition/definition.h"
#include "engine/model/instance.h"
#include "replay/what_if/recorded_course.h"
#include "replay/what_if/run_names.h"

namespace stele::replay {

// An output in place of an attempt.
struct Stub {
  std::string name;  // a step's id or a task type
  Payload output;    // an object
};

// kUsage: a stub that names no task of the definition.
Status CheckStubs(const std::vector<Stub>& stubs, const definition::Definition& definition);

enum class AnswerFrom : uint8_t {
  kRecord,   // the step was handed the same as recorded
  kAssumed,  // it was handed something else, and is taken to do the same
  kStub,     // one that was given
  kRepeated  // the last output of the step
};

struct Answer {
  TimeUs due;
  RunId run;
  uint32_t attempt = 1;
  AnswerFrom from = AnswerFrom::kRecord;
  std::optional<size_t> record;  // the recorded one whose cause it is
  bool ends = true;              // the attempt; else it only tells something of it
  bool timed_out = false;        // the step's timeout of now comes before what is recorded
  Payload output;                // without a record, unless timed_out
};

class Answers {
 public:
  // REQUIRES: the arguments outlive it.
  Answers(const RecordedCourse& course, const std::vector<Stub>& stubs)
      : course_(course), stubs_(stubs) {}

  // Of the attempt that the run is at. `started` 0: before the fork. Empty: nothing answers it.
  std::vector<Answer> For(const model::StepRun& run, const definition::Definition& definition,
                          const RunNames& names, TimeUs started, TimeUs now) const;

 private:
  struct Asked;
  const Stub* FindStub(const definition::Step& step, bool by_type) const;
  bool IsSame(const Asked& asked) const;
  bool OutlivesRecord(const Asked& asked) const;
  Answer Stubbed(const Asked& asked, const Payload& output, AnswerFrom from) const;
  std::vector<Answer> Recorded(const Asked& asked, AnswerFrom from) const;

  const RecordedCourse& course_;
  const std::vector<Stub>& stubs_;
};

}  // namespace stele::replay
