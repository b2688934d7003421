// Drives one instance of a definition by commands, with a time that the test sets: decide and apply
// without a store, a loop or tasks.
//
// After every record it checks what must hold of any: the record, encoded and decoded, makes of a
// second instance the same bytes; the instance restored from the snapshot before decides the
// recorded cause to the same events and comes to the same state; an instance that has ended keeps
// no runs, timers, held steps or signals and has left no join waiting; a paused one has no timer;
// any other waits for something that a command can bring. A command that is refused changes
// nothing. A violation is a failure of the test.
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

// A record that the driver has written.
struct DrivenRecord {
  model::RecordContext context;
  Seq first;  // the seq of its first event
  uint32_t events = 0;
  std::string body;
};

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
  CoreDriver& StartPaused();
  CoreDriver& StartQueued();
  CoreDriver& Admit();
  CoreDriver& Complete(std::string_view step, std::string_view output = "");
  CoreDriver& Fail(std::string_view step, std::string_view kind = "boom", bool retryable = true);
  CoreDriver& Interrupt(std::string_view step, Interruption by);
  CoreDriver& Resolve(std::string_view step, Resolution resolution);
  CoreDriver& Cancel(bool compensate = false);
  CoreDriver& Terminate();
  CoreDriver& Pause();
  CoreDriver& Resume();
  // Resumes for so many steps.
  CoreDriver& Step(uint32_t steps = 1);
  // Of the instance, which has failed.
  CoreDriver& Retry();
  CoreDriver& RetryNow(std::string_view step);
  CoreDriver& Skip(std::string_view step);
  // From the open run of `from`; "": from wherever it is.
  CoreDriver& RollBack(std::string_view to, std::string_view from = "");
  // Variables of the root scope, as a JSON object.
  CoreDriver& Assign(std::string_view variables);
  CoreDriver& Signal(std::string_view name, std::string_view payload = "");
  // A message meets the wait of that name.
  CoreDriver& Correlate(std::string_view step, std::string_view name,
                        std::string_view payload = "");
  CoreDriver& Claim(std::string_view step, std::string_view person);
  CoreDriver& Release(std::string_view step, std::string_view person);
  CoreDriver& Approve(std::string_view step, std::string_view person,
                      std::string_view comment = "");
  CoreDriver& Reject(std::string_view step, std::string_view person, std::string_view comment = "");
  // A manual task, with variables as a JSON object.
  CoreDriver& CompleteTask(std::string_view step, std::string_view person,
                           std::string_view variables = "");
  CoreDriver& NoteChild(std::string_view step, InstanceId child);
  // Another version, from YAML, that MigrateInstance may name.
  DefinitionId AddVersion(std::string_view yaml);
  CoreDriver& Migrate(std::string_view yaml, std::string_view plan = "");
  // Lets the time come at which the next timer is due, and the timer elapse.
  CoreDriver& Elapse();
  void Wait(int64_t microseconds) { now_ = now_.Plus(microseconds); }

  // The oldest open run of that step.
  RunId Run(std::string_view step) const;
  const model::StepRun& RunOf(std::string_view step) const;
  // Steps whose attempts are outside, by run.
  Texts Running() const;
  // Steps that are parked, by run; that wait for people or messages; that a pause keeps.
  Texts Parked() const { return In(model::RunState::kParked); }
  Texts Waiting() const { return In(model::RunState::kWaiting); }
  Texts Held() const;
  Texts In(model::RunState state) const;
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
  const std::vector<DrivenRecord>& Records() const { return records_; }
  // The definition's versions, by id from 1.
  const std::vector<std::shared_ptr<const definition::Definition>>& Versions() const {
    return versions_;
  }
  const model::Instance& instance() const { return instance_; }
  const definition::Definition& definition() const { return *definition_; }
  TimeUs now() const { return now_; }

 private:
  void Must(const model::Command& command);
  void CheckRecord(const std::string& before, const decide::Context& context,
                   const std::vector<model::Event>& events);
  void CheckEnded() const;
  void CheckOpen() const;
  void CheckRuns() const;
  void CheckJoins() const;
  void CheckSteps() const;
  void Note(const std::vector<model::Event>& events);

  // Those of the definition's versions, by id from 1; `definition_` is the instance's.
  std::vector<std::shared_ptr<const definition::Definition>> versions_;
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
  std::vector<DrivenRecord> records_;
  std::map<TransitionIndex, int> arrived_;  // tokens at joins of the root scope
  Texts last_;
  Texts all_;
};

}  // namespace stele::test
