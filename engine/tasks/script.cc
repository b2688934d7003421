#include "engine/tasks/script.h"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "base/json.h"
#include "engine/tasks/attempt.h"
#include "engine/tasks/program_output.h"
#include "engine/tasks/redactor.h"
#include "engine/tasks/scratch_directory.h"
#include "engine/tasks/script_plan.h"
#include "engine/tasks/timeout.h"

namespace stele::tasks {
namespace {

// One attempt, from the spawned process to the removal of its directory.
class ScriptAttempt final : public Attempt {
 public:
  ScriptAttempt(uv_loop_t* loop, const ScriptOptions& options, TaskRequest request, Finish finish)
      : loop_(loop),
        options_(options),
        request_(std::move(request)),
        finish_(std::move(finish)),
        redactor_(request_.secrets),
        run_(loop, options, redactor_) {}

  std::optional<TaskFailure> Begin() override;
  void Stop() override { run_.Stop(); }

 private:
  std::optional<TaskFailure> Spawn(const ScriptConfig& config, const ScriptPlan& plan);
  std::optional<TaskFailure> Confine(const ScriptConfig& config, const ScratchDirectory& scratch,
                                     ChildProcess::Spec& spec) const;
  void Ended(ProgramRun::Ended ended);
  std::expected<Payload, TaskFailure> Judge(ProgramRun::Ended& ended) const;

  uv_loop_t* loop_;
  const ScriptOptions& options_;
  TaskRequest request_;
  Finish finish_;
  Redactor redactor_;
  std::optional<ScratchDirectory> scratch_;
  ScriptConfinement confinement_;
  int64_t timeout_us_ = 0;
  ProgramRun run_;  // last: it reports to what is above
};

TaskFailure IoFailure(const Error& error) {
  return TaskFailure{"io", error.message, true, {}};
}

std::optional<TaskFailure> ScriptAttempt::Begin() {
  auto config = ReadScriptConfig(request_.config, ConfigReader::Mode::kRendered);
  if (!config) return TaskFailure{"config", JoinFaults(config.error()), false, {}};
  std::expected<ScriptPlan, TaskFailure> plan = PlanScript(*config, options_);
  if (!plan) return plan.error();
  timeout_us_ = EffectiveTimeout(config->timeout_us, request_.timeout_us, 0);
  return Spawn(*config, *plan);
}

std::optional<TaskFailure> ScriptAttempt::Spawn(const ScriptConfig& config,
                                                const ScriptPlan& plan) {
  Result<ScratchDirectory> scratch = ScratchDirectory::Create(options_.scratch_root);
  if (!scratch) return IoFailure(scratch.error());
  Result<std::string> input = scratch->Write("input.json", ToJson(request_.input));
  if (!input) return IoFailure(input.error());
  std::string file = plan.file;
  if (file.empty()) {
    Result<std::string> written = scratch->Write(plan.file_name, plan.text);
    if (!written) return IoFailure(written.error());
    file = *std::move(written);
  }
  ChildProcess::Spec spec;
  spec.program = plan.interpreter;
  spec.arguments = {std::move(file)};
  spec.arguments.insert(spec.arguments.end(), config.arguments.begin(), config.arguments.end());
  spec.environment = ScriptEnvironment(config, options_, request_, *input, scratch->outputs_file(),
                                       scratch->temporary());
  spec.directory = plan.working_directory.empty() ? scratch->work() : plan.working_directory;
  if (std::optional<TaskFailure> failure = Confine(config, *scratch, spec)) return failure;
  ProgramRun::LaunchFault fault;
  std::optional<TaskFailure> failure = run_.Start(
      std::move(spec), std::nullopt, timeout_us_,
      [this](ProgramRun::Ended ended) { Ended(std::move(ended)); }, &fault);
  if (failure) {
    auto refused = ConfinementFailure(config.confinement, fault.step, fault.reason);
    return refused ? refused : failure;
  }
  scratch_.emplace(*std::move(scratch));
  confinement_ = config.confinement;
  return std::nullopt;
}

std::optional<TaskFailure> ScriptAttempt::Confine(const ScriptConfig& config,
                                                  const ScratchDirectory& scratch,
                                                  ChildProcess::Spec& spec) const {
  auto confinement = PlanConfinement(config.confinement);
  if (!confinement) return confinement.error();
  spec.confinement = *std::move(confinement);
  const std::optional<Identity>& who = spec.confinement.identity;
  if (!who) return std::nullopt;
  Status given = scratch.GiveTo(who->user, who->group);
  if (!given) return IoFailure(given.error());
  // The engine's home is no place for somebody else.
  for (const auto& [name, value] : config.environment)
    if (name == "HOME") return std::nullopt;
  for (std::string& variable : spec.environment)
    if (variable.starts_with("HOME=")) variable = "HOME=" + scratch.work();
  return std::nullopt;
}

void ScriptAttempt::Ended(ProgramRun::Ended ended) {
  TaskResult result{Judge(ended), std::move(ended.log)};
  // The callback may destroy this attempt; `finish` may not.
  scratch_->RemoveOnPool(loop_,
                         [finish = std::move(finish_), result = std::move(result)]() mutable {
                           finish(std::move(result));
                         });
}

std::expected<Payload, TaskFailure> ScriptAttempt::Judge(ProgramRun::Ended& ended) const {
  if (ended.timed_out)
    return std::unexpected(TimeoutFailure("the script", timeout_us_, ended.errors));
  if (ended.exit.code == 0 && ended.exit.signal == 0) {
    return ProgramOutput(std::move(ended.out), ended.out_truncated, scratch_->outputs_file(),
                         options_.max_outputs_bytes, redactor_);
  }
  TaskFailure failure = ExitFailure(ended);
  if (std::optional<HitLimit> limit = LimitHit(confinement_, ended.exit, ended.cpu_us)) {
    failure.kind = "limit";
    failure.message =
        fmt::format("Expected the script to need at most {} (limits.{}) but it was ended for more",
                    limit->allowed, limit->name);
    Object details = failure.details.value().as_object();
    details.Set("limit", limit->name);
    failure.details = Payload::FromValue(details);
  }
  return std::unexpected(std::move(failure));
}

std::vector<std::string> CheckScript(const Value& config) {
  auto script = ReadScriptConfig(config, ConfigReader::Mode::kStatic);
  return script ? std::vector<std::string>() : script.error();
}

}  // namespace

ScriptOptions ScriptOptions::FromProcess(std::string base_directory) {
  ScriptOptions options;
  options.base_directory = std::move(base_directory);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string_view text = *variable;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    std::string name(text.substr(0, equals));
    std::string value(text.substr(equals + 1));
    if (name == "PATH") {
      options.environment[0].second = value;
    } else if (name == "HOME" || name == "LANG" || name == "TZ" || name.starts_with("LC_")) {
      options.environment.emplace_back(name, value);
    } else if (name == "TMPDIR" && value.starts_with('/')) {
      options.scratch_root = value;
    }
    if (!name.starts_with("STELE_SECRET"))
      options.inheritable.emplace_back(std::move(name), std::move(value));
  }
  return options;
}

std::unique_ptr<TaskExecutor> MakeScriptExecutor(uv_loop_t* loop, ScriptOptions options) {
  return std::make_unique<AttemptExecutor>(
      [loop, options = std::move(options)](TaskRequest request, Attempt::Finish finish) {
        return std::make_unique<ScriptAttempt>(loop, options, std::move(request),
                                               std::move(finish));
      },
      CheckScript);
}

}  // namespace stele::tasks
