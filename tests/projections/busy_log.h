// A log in which much happens: several definitions in versions, retries, timeouts, loops, people,
// pauses, queues, migrations, fallbacks, compensations, stops of the engine, over years and with a
// clock that is put back now and then. The same for the same seed.
#pragma once

#include <random>
#include <vector>

#include "tests/projections/view_log.h"

namespace stele::projections {

class BusyLog {
 public:
  explicit BusyLog(uint32_t seed = 1) : random_(seed) {
    for (const std::string_view yaml : {kWork, kLoop, kSaga, kPeople, kWork})
      definitions_.push_back(log.Define(yaml));
    log.Register(model::TriggerRegistered{
        TriggerId(1), "work", "event",
        R"({"name":"by-event","declared":true,"trigger":{"type":"event","event":"go"}})"});
    log.Register(model::TriggerRegistered{TriggerId(2), "loop", "manual",
                                          R"({"name":"by-hand","trigger":{"type":"manual"}})"});
  }

  void Run(int turns) {
    for (int i = 0; i < turns; ++i) {
      Move();
      if (open_.empty() || Below(5) == 0) {
        Begin();
      } else {
        Act(open_[Below(open_.size())]);
      }
      std::erase_if(open_, [&](InstanceId id) {
        return model::HasEnded(log.instance(id).status) &&
               log.instance(id).status != model::Status::kFailed;
      });
    }
  }

  ViewLog log;

 private:
  static constexpr std::string_view kWork = R"(
id: work
steps:
  - {id: a, type: script, retry: {max_attempts: 3, initial_delay: 1s}}
  - {id: b, type: script, depends_on: [a], fallback: spare}
  - {id: c, type: delay, duration: 5s, depends_on: [b]}
  - {id: spare, type: script}
)";
  static constexpr std::string_view kLoop = R"(
id: loop
steps:
  - id: each
    type: loop
    times: 3
    max_concurrent: 2
    retry: {max_attempts: 2}
    timeout: 60s
    steps: [{id: item, type: script}]
)";
  static constexpr std::string_view kSaga = R"(
id: saga
error_handling: compensate
steps:
  - {id: book, type: script, compensation: cancel}
  - {id: pay, type: script, depends_on: [book]}
  - {id: cancel, type: script}
)";
  static constexpr std::string_view kPeople = R"(
id: people
error_handling: park
steps:
  - {id: ask, type: approval, config: {assignees: [ann], deadline: 1h}}
  - {id: work, type: script, depends_on: [ask]}
)";

  size_t Below(size_t bound) { return random_() % bound; }

  void Move() {
    switch (Below(12)) {
      case 0:
        return log.Wait(static_cast<int64_t>(Below(20)) * 86'400'000'000);
      case 1:
      case 2:
        return log.Wait(static_cast<int64_t>(Below(5)) * 3'600'000'000);
      case 3:
        return log.Wait(-static_cast<int64_t>(Below(90'000'000)));
      case 4:
        return;
      default:
        return log.Wait(static_cast<int64_t>(Below(70'000'000)));
    }
  }

  void Begin() {
    if (Below(4) == 0) {
      const bool start = Below(2) == 0;
      log.Register(model::TriggerFired{TriggerId(1 + static_cast<uint32_t>(Below(2))), log.now(),
                                       start ? "start" : "skip: one of it still runs", "key",
                                       Payload()});
      return;
    }
    const DefinitionId definition = definitions_[Below(definitions_.size())];
    open_.push_back(log.Start(definition, {.paused = Below(12) == 0, .queued = Below(8) == 0}));
  }

  // What cannot be done then is left.
  void Try(InstanceId id, const model::Command& command) {
    static_cast<void>(log.Try(id, command));
  }

  void Act(InstanceId id) {
    const model::Instance& instance = log.instance(id);
    if (instance.status == model::Status::kFailed) {
      if (Below(2) == 0) return Try(id, model::RetryInstance{.reason = "again"});
      std::erase(open_, id);
      return;
    }
    if (instance.queued) return Try(id, model::AdmitInstance{});
    switch (Below(40)) {
      case 0:
        return Try(id, model::CancelInstance{.compensate = Below(2) == 0});
      case 1:
        return Try(id, model::TerminateInstance{});
      case 2:
        if (instance.definition == definitions_[0] && instance.status == model::Status::kRunning)
          return Try(id, model::MigrateInstance{definitions_[4]});
        return;
      case 3:
      case 4:
        return instance.paused ? Try(id, model::ResumeInstance{}) : Try(id, model::PauseInstance{});
      default:
        return instance.paused && Below(2) == 0 ? Try(id, model::ResumeInstance{}) : Go(id);
    }
  }

  void Go(InstanceId id) {
    const model::Instance& instance = log.instance(id);
    if (instance.runs.empty()) return;
    const model::StepRun& run = instance.runs[Below(instance.runs.size())];
    const RunId number = run.id;
    const uint32_t attempt = run.attempt;
    switch (run.state) {
      case model::RunState::kAttempt:
        return Answer(id, number, attempt);
      case model::RunState::kHeld:
        if (!instance.paused) Try(id, model::RestartAttempt{number});
        return;
      case model::RunState::kParked:
        return Try(id, model::ResolveIncident{number, Below(2) == 0 ? model::Resolution::kRetry
                                                                    : model::Resolution::kFail});
      case model::RunState::kWaiting:
        if (instance.paused || Below(3) == 0) return;
        return Try(id,
                   model::DecideTask{.run = number, .person = "ann", .approved = Below(3) != 0});
      case model::RunState::kBackoff:
      case model::RunState::kDelay:
      case model::RunState::kChildren:
      case model::RunState::kDone:
      case model::RunState::kFailed:
      case model::RunState::kFailing:
        if (model::NextTimer(instance).at) log.Elapse(id);
        return;
    }
  }

  void Answer(InstanceId id, RunId run, uint32_t attempt) {
    switch (Below(10)) {
      case 0:
      case 1:
      case 2:
        return Try(id, model::FailAttempt{.run = run,
                                          .attempt = attempt,
                                          .kind = Below(2) == 0 ? "boom" : "bang",
                                          .message = "it broke",
                                          .retryable = Below(4) != 0,
                                          .log = "so far so good"});
      case 3:
        return Try(id, model::InterruptAttempt{run, attempt,
                                               Below(2) == 0 ? model::Interruption::kCrash
                                                             : model::Interruption::kShutdown});
      default:
        return Try(id, model::CompleteAttempt{.run = run, .attempt = attempt, .log = "done"});
    }
  }

  std::mt19937 random_;
  std::vector<DefinitionId> definitions_;
  std::vector<InstanceId> open_;
};

}  // namespace stele::projections
