// Drives one instance of a definition by commands, with a time that the test sets: decide and apply
// without a store, a loop or tasks.
//
// After every record it checks what must hold of any: the record, encoded and decoded, makes of a
// second instance the same bytes; the instance restored from the snapshot before decides the
// recorded cause to the same events and comes to the same state; an instance that has ended runs
// nothing and has left no join waiting; one that has not ended waits for something. A command that
// is refused changes nothing. A violation is a failure of the test.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decide/decide.h"
#include "engine/model/codec.h"
#include "tests/support/event_text.h"

namespace stele::test {

using model::Interruption;
using model::Resolution;
using Texts = std::vector<std::string>;

class CoreDriver {
 public:
  explicit CoreDriver(std::shared_ptr<const definition::Definition> definition,
                      InstanceId id = InstanceId(1));
  // From YAML.
  explicit CoreDriver(std::string_view yaml);

  std::optional<Rejection> Do(const model::Command& command);

  // Starts with these variables (a JSON object) and this input. The others end the test program
  // when the command is refused: a scenario says what is possible.
  CoreDriver& Start(std::string_view variables = "{}", std::string_view input = "");
  CoreDriver& Complete(std::string_view step, std::string_view output = "");
  CoreDriver& Fail(std::string_view step, std::string_view kind = "boom", bool retryable = true);
  CoreDriver& Interrupt(std::string_view step, Interruption by);
  CoreDriver& Resolve(std::string_view step, Resolution resolution);
  CoreDriver& Cancel(bool compensate = false);
  // Lets the time come at which the next timer is due, and the timer elapse.
  CoreDriver& Elapse();
  void Wait(int64_t microseconds) { now_ = now_.Plus(microseconds); }

  // The oldest open run of that step.
  RunId Run(std::string_view step) const;
  const model::StepRun& RunOf(std::string_view step) const;
  // Steps whose attempts are outside, by run.
  Texts Running() const;
  // Steps that are parked, by run.
  Texts Parked() const;
  // Of the last record, and of all.
  const Texts& Last() const { return last_; }
  const Texts& Events() const { return all_; }
  // How often that was told.
  size_t Count(std::string_view text) const;
  // Those told events that end with `ending`, without it: Told(": completed").
  Texts Told(std::string_view ending) const;

  std::string Status() const;
  std::string Failure() const { return instance_.failure.kind; }
  std::string Output() const { return std::string(instance_.output.text()); }
  // JSON text of a variable of the root scope; "" when there is none.
  std::string Variable(std::string_view name) const;
  // What the run's task was given.
  std::string Input(std::string_view step) const;
  // Time until the next timer; -1: none.
  int64_t NextTimerInMs() const;
  // The bytes of all records, one after another.
  const std::string& Log() const { return log_; }
  const model::Instance& instance() const { return instance_; }
  const definition::Definition& definition() const { return *definition_; }
  TimeUs now() const { return now_; }

 private:
  void Must(const model::Command& command);
  void CheckRecord(const std::string& before, const std::vector<model::Event>& events);
  void CheckIsAlive() const;
  void CheckJoins() const;

  std::shared_ptr<const definition::Definition> definition_;
  EventText text_;
  TimeUs now_{1'700'000'000'000'000};
  Position position_;
  model::Instance instance_;
  model::Instance replayed_;
  decide::Decider decider_;
  decide::Decider again_;
  model::RecordEncoder encoder_;
  std::string log_;
  std::map<TransitionIndex, int> arrived_;  // tokens at joins of the root scope
  Texts last_;
  Texts all_;
};

}  // namespace stele::test
