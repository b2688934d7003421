#include "replay/what_if/answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/definition/step_types.h"

namespace stele::replay {

// An attempt to answer, and what is recorded of the same one.
struct Answers::Asked {
  const model::StepRun& run;
  const definition::Step& step;
  const std::string& name;  // of the step, in both courses
  TimeUs started;           // 0: before the fork
  TimeUs now;
  RunId recorded_run;
  const RecordedAttempt* recorded = nullptr;
  bool known = false;  // its result is, by what is recorded

  // When what was recorded at `time` comes now.
  TimeUs Due(TimeUs time) const {
    return recorded->started ? started.Plus(time.value - recorded->started.value) : time;
  }
  const definition::Step& recorded_step() const {
    return recorded->definition->step(recorded->step);
  }
};

namespace {

std::string ConfigText(const Payload& config, const definition::Step& step) {
  return config.has_value() ? std::string(config.text()) : ToJson(step.config.source());
}

}  // namespace

Status CheckStubs(const std::vector<Stub>& stubs, const definition::Definition& definition) {
  for (const Stub& stub : stubs)
    if (std::ranges::none_of(definition.steps, [&](const definition::Step& step) {
          return definition::IsCalled(step, stub.name);
        }))
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected a task or a task type of the workflow for a stub but found "
                              "\"{}\"",
                              stub.name));
  return {};
}

const Stub* Answers::FindStub(const definition::Step& step, bool by_type) const {
  const auto found = std::ranges::find_if(stubs_, [&](const Stub& stub) {
    return by_type ? definition::IsCalled(step, stub.name) : stub.name == step.id;
  });
  return found == stubs_.end() ? nullptr : &*found;
}

// Whether the task is handed what the recorded one was. One that was under way at the fork is.
bool Answers::IsSame(const Asked& asked) const {
  if (!asked.recorded->started) return true;
  const definition::Step& was = asked.recorded_step();
  if (was.task_type != asked.step.task_type) return false;
  const auto same = [&](const Payload& config, const Payload& input,
                        const std::vector<model::SecretUse>& secrets) {
    return input == asked.run.input && secrets == asked.run.secrets &&
           ConfigText(config, was) == ConfigText(asked.run.config, asked.step);
  };
  if (const auto activated = course_.ActivationOf(*asked.recorded, asked.recorded_run))
    return same(activated->config, activated->input, activated->secrets);
  const model::StepRun* before = course_.parted().FindRun(asked.recorded_run);
  return before != nullptr && same(before->config, before->input, before->secrets);
}

// The attempt was cut off by a timeout that is longer now: what it would have done is not known.
bool Answers::OutlivesRecord(const Asked& asked) const {
  const int64_t now = asked.step.timeout_us;
  const int64_t then = asked.recorded_step().timeout_us;
  if (now == then || (now != 0 && now < then)) return false;
  const std::vector<model::Event> events = course_.EventsOf(*asked.recorded->result);
  const auto* failed = std::get_if<model::AttemptFailed>(&events.front());
  return failed != nullptr && failed->kind == "timeout";
}

Answer Answers::Stubbed(const Asked& asked, const Payload& output, AnswerFrom from) const {
  TimeUs due = asked.now;
  if (asked.recorded != nullptr && asked.recorded->result.has_value())
    due = asked.Due(course_.records()[*asked.recorded->result].context.time);
  return {.due = due,
          .run = asked.run.id,
          .attempt = asked.run.attempt,
          .from = from,
          .output = output.has_value() ? output : Payload::FromText("{}")};
}

std::vector<Answer> Answers::Recorded(const Asked& asked, AnswerFrom from) const {
  std::vector<Answer> answers;
  const int64_t timeout = asked.step.timeout_us;
  const bool timed = asked.started && timeout > 0 && timeout != asked.recorded_step().timeout_us;
  for (const size_t record : asked.recorded->facts) {
    const bool ends = asked.recorded->result == record;
    if (ends && !asked.known) continue;
    Answer answer{.due = asked.Due(course_.records()[record].context.time),
                  .run = asked.run.id,
                  .attempt = asked.run.attempt,
                  .from = from,
                  .record = record,
                  .ends = ends};
    if (timed && answer.due > asked.started.Plus(timeout)) {
      answer.due = asked.started.Plus(timeout);
      answer.from = AnswerFrom::kAssumed;
      answer.record.reset();
      answer.ends = answer.timed_out = true;
    }
    answers.push_back(answer);
    if (answer.timed_out) break;
  }
  return answers;
}

std::vector<Answer> Answers::For(const model::StepRun& run,
                                 const definition::Definition& definition, const RunNames& names,
                                 TimeUs started, TimeUs now) const {
  Asked asked{.run = run,
              .step = definition.step(run.step),
              .name = names.StepName(run.step),
              .started = started,
              .now = now,
              .recorded_run = names.CounterpartOf(run.id, course_.names())};
  if (asked.recorded_run) asked.recorded = course_.FindAttempt(asked.recorded_run, run.attempt);
  if (const Stub* stub = FindStub(asked.step, /*by_type=*/false))
    return {Stubbed(asked, stub->output, AnswerFrom::kStub)};
  asked.known =
      asked.recorded != nullptr && asked.recorded->result.has_value() && !OutlivesRecord(asked);
  if (asked.known && IsSame(asked)) return Recorded(asked, AnswerFrom::kRecord);
  if (const Stub* stub = FindStub(asked.step, /*by_type=*/true))
    return {Stubbed(asked, stub->output, AnswerFrom::kStub)};
  if (asked.known) return Recorded(asked, AnswerFrom::kAssumed);
  std::vector<Answer> answers;
  if (asked.recorded != nullptr) answers = Recorded(asked, AnswerFrom::kRecord);
  const Payload* output = course_.LastOutputOf(asked.name);
  if (output == nullptr || (asked.recorded != nullptr && asked.recorded->open)) return answers;
  answers.push_back(Stubbed(asked, *output, AnswerFrom::kRepeated));
  // What cut the recorded one off comes first, if it comes again.
  if (asked.recorded != nullptr && asked.recorded->cut)
    answers.back().due = asked.Due(asked.recorded->cut);
  return answers;
}

}  // namespace stele::replay
