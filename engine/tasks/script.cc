#include "engine/tasks/script.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "base/check.h"
#include "base/json.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/child_process.h"
#include "engine/tasks/outputs_file.h"
#include "engine/tasks/redactor.h"
#include "engine/tasks/scratch_directory.h"
#include "engine/tasks/script_plan.h"

namespace stele::tasks {
namespace {

TaskResult Failed(TaskFailure failure, TaskLog log = {}) {
  return TaskResult{std::unexpected(std::move(failure)), std::move(log)};
}

// One attempt, from the spawned process to the removal of its directory.
class ScriptAttempt final : public ChildProcess::Observer {
 public:
  using Finish = std::function<void(TaskResult)>;

  ScriptAttempt(uv_loop_t* loop, const ScriptOptions& options, TaskRequest request, Finish finish)
      : loop_(loop),
        options_(options),
        request_(std::move(request)),
        finish_(std::move(finish)),
        redactor_(request_.secrets),
        out_redactor_(redactor_),
        err_redactor_(redactor_),
        out_(options.max_stream_bytes),
        err_(kErrorTailBytes * 2),
        log_(options.max_log_bytes) {}

  // A failure when nothing was started; `finish` is then not called.
  std::optional<TaskFailure> Begin();
  void Stop() { child_->Stop(options_.kill_grace_us); }
  bool running() const { return child_ != nullptr; }
  const Redactor& redactor() const { return redactor_; }

  void OnOutput(ChildProcess::Stream stream, std::string_view bytes) override;
  void OnExit(ChildProcess::Exit exit) override;

 private:
  std::optional<TaskFailure> Spawn(const ScriptConfig& config, const ScriptPlan& plan);
  void ArmTimeout(int64_t timeout_us);
  void Take(ChildProcess::Stream stream, const std::string& shown);
  TaskResult Judge(ChildProcess::Exit exit);
  TaskFailure ExitFailure(ChildProcess::Exit exit) const;
  std::expected<Payload, TaskFailure> CollectOutput();

  uv_loop_t* loop_;
  const ScriptOptions& options_;
  TaskRequest request_;
  Finish finish_;
  Redactor redactor_;
  StreamRedactor out_redactor_;
  StreamRedactor err_redactor_;
  BoundedText out_;
  BoundedText err_;
  BoundedText log_;
  std::optional<ScratchDirectory> scratch_;
  ScriptConfinement confinement_;
  UvHandle<uv_timer_t> timeout_;
  int64_t timeout_us_ = 0;
  bool timed_out_ = false;
  // Last, so that it is gone before what it reports to.
  std::unique_ptr<ChildProcess> child_;
};

std::optional<TaskFailure> ScriptAttempt::Begin() {
  auto config = ReadScriptConfig(request_.config, ConfigReader::Mode::kRendered);
  if (!config) return TaskFailure{"config", JoinFaults(config.error()), false, {}};
  std::expected<ScriptPlan, TaskFailure> plan = PlanScript(*config, options_);
  if (!plan) return plan.error();
  if (std::optional<TaskFailure> failure = Spawn(*config, *plan)) return failure;
  int64_t timeout_us = config->timeout_us;
  if (timeout_us == 0 || (request_.timeout_us != 0 && request_.timeout_us < timeout_us)) {
    timeout_us = request_.timeout_us;
  }
  if (timeout_us != 0) ArmTimeout(timeout_us);
  return std::nullopt;
}

std::optional<TaskFailure> ScriptAttempt::Spawn(const ScriptConfig& config,
                                                const ScriptPlan& plan) {
  auto io_failure = [](const Error& error) { return TaskFailure{"io", error.message, true, {}}; };
  Result<ScratchDirectory> scratch = ScratchDirectory::Create(options_.scratch_root);
  if (!scratch) return io_failure(scratch.error());
  Result<std::string> input = scratch->Write("input.json", ToJson(request_.input));
  if (!input) return io_failure(input.error());
  std::string file = plan.file;
  if (file.empty()) {
    Result<std::string> written = scratch->Write(plan.file_name, plan.text);
    if (!written) return io_failure(written.error());
    file = *std::move(written);
  }
  ChildProcess::Spec spec;
  spec.program = plan.interpreter;
  spec.arguments = {std::move(file)};
  spec.arguments.insert(spec.arguments.end(), config.arguments.begin(), config.arguments.end());
  spec.environment = ScriptEnvironment(config, options_, request_, *input, scratch->outputs_file(),
                                       scratch->temporary());
  spec.directory = plan.working_directory.empty() ? scratch->work() : plan.working_directory;
  auto confinement = PlanConfinement(config.confinement);
  if (!confinement) return confinement.error();
  spec.confinement = *std::move(confinement);
  if (const std::optional<Identity>& who = spec.confinement.identity) {
    Status given = scratch->GiveTo(who->user, who->group);
    if (!given) return io_failure(given.error());
    // The engine's home is no place for somebody else.
    for (std::string& variable : spec.environment) {
      const auto declared = std::ranges::find(config.environment, "HOME",
                                              &std::pair<std::string, std::string>::first);
      if (variable.starts_with("HOME=") && declared == config.environment.end())
        variable = "HOME=" + scratch->work();
    }
  }
  LaunchStep failed = LaunchStep::kStart;
  auto child = ChildProcess::Start(loop_, spec, this, &failed);
  if (!child) {
    auto refused = ConfinementFailure(config.confinement, failed, uv_strerror(child.error()));
    if (refused) return refused;
    return TaskFailure{"spawn",
                       fmt::format("Expected to start {} but found: {}", plan.interpreter,
                                   uv_strerror(child.error())),
                       child.error() != UV_E2BIG && child.error() != UV_EACCES,
                       {}};
  }
  child_ = *std::move(child);
  scratch_.emplace(*std::move(scratch));
  confinement_ = config.confinement;
  return std::nullopt;
}

void ScriptAttempt::ArmTimeout(int64_t timeout_us) {
  timeout_us_ = timeout_us;
  timeout_ = MakeTimer(loop_, this);
  uv_timer_start(
      timeout_.get(),
      [](uv_timer_t* timer) {
        auto* self = static_cast<ScriptAttempt*>(timer->data);
        self->timed_out_ = true;
        self->Stop();
      },
      ToTimerMs(timeout_us), 0);
}

void ScriptAttempt::OnOutput(ChildProcess::Stream stream, std::string_view bytes) {
  Take(stream, (stream == ChildProcess::Stream::kOut ? out_redactor_ : err_redactor_).Push(bytes));
}

void ScriptAttempt::Take(ChildProcess::Stream stream, const std::string& shown) {
  (stream == ChildProcess::Stream::kOut ? out_ : err_).Append(shown);
  log_.Append(shown);
}

void ScriptAttempt::OnExit(ChildProcess::Exit exit) {
  Take(ChildProcess::Stream::kOut, out_redactor_.Finish());
  Take(ChildProcess::Stream::kErr, err_redactor_.Finish());
  timeout_.reset();
  TaskResult result = Judge(exit);
  result.log = TaskLog{log_.ToString(), log_.truncated()};
  child_.reset();
  // The callback may destroy this attempt; `finish` may not.
  scratch_->RemoveOnPool(loop_,
                         [finish = std::move(finish_), result = std::move(result)]() mutable {
                           finish(std::move(result));
                         });
}

TaskResult ScriptAttempt::Judge(ChildProcess::Exit exit) {
  if (timed_out_) {
    return Failed(
        {"timeout",
         fmt::format("Expected the script to end within {} s but it was still running",
                     static_cast<double>(timeout_us_) / 1e6),
         true,
         Payload::FromValue(Object{{"stderr", Value(Tail(err_.ToString(), kErrorTailBytes))}})});
  }
  if (exit.code != 0 || exit.signal != 0) return Failed(ExitFailure(exit));
  return TaskResult{CollectOutput(), {}};
}

TaskFailure ScriptAttempt::ExitFailure(ChildProcess::Exit exit) const {
  std::string stderr_text = err_.ToString();
  std::string_view tail = Tail(stderr_text, kErrorTailBytes);
  std::string found = exit.signal != 0
                          ? fmt::format("signal {} ({})", exit.signal, strsignal(exit.signal))
                          : fmt::format("{}", exit.code);
  size_t end = tail.find_last_not_of(" \t\r\n");
  if (end != std::string_view::npos) {
    std::string_view last = tail.substr(0, end + 1);
    last = last.substr(last.rfind('\n') + 1);
    found += fmt::format(": {}", Head(last, 200));
  }
  Object details{{"exit_code", exit.signal != 0 ? int64_t{128} + exit.signal : exit.code}};
  if (exit.signal != 0) details.Set("signal", int64_t{exit.signal});
  details.Set("stderr", tail);
  if (std::optional<HitLimit> limit = LimitHit(confinement_, exit, child_->cpu_us())) {
    details.Set("limit", limit->name);
    return TaskFailure{"limit",
                       fmt::format("Expected the script to need at most {} (limits.{}) but it was "
                                   "ended for more",
                                   limit->allowed, limit->name),
                       true, Payload::FromValue(details)};
  }
  return TaskFailure{"exit", fmt::format("Expected exit code 0 but found {}", found), true,
                     Payload::FromValue(details)};
}

std::expected<Payload, TaskFailure> ScriptAttempt::CollectOutput() {
  Result<std::string> text = ReadSmallFile(scratch_->outputs_file(), options_.max_outputs_bytes);
  if (!text) {
    bool too_long = text.error().code == ErrorCode::kLimitExceeded;
    return std::unexpected(
        TaskFailure{too_long ? "output_limit" : "outputs", text.error().message, false, {}});
  }
  Result<Object> declared = ParseOutputs(*text);
  if (!declared) {
    return std::unexpected(
        TaskFailure{"outputs", redactor_.Text(declared.error().message), false, {}});
  }
  std::string printed = out_.ToString();
  Object output{{"exit_code", int64_t{0}}};
  size_t first = printed.find_first_not_of(" \t\r\n");
  if (!out_.truncated() && first != std::string::npos &&
      (printed[first] == '{' || printed[first] == '[')) {
    if (Result<Value> result = ParseJson(printed)) output.Set("result", *std::move(result));
  }
  // Without the line ends at its end, as $(…) of a shell has it.
  size_t last = printed.find_last_not_of("\r\n");
  printed.resize(last == std::string::npos ? 0 : last + 1);
  bool cut = out_.truncated() || printed.size() > kMaxStdoutOutputBytes;
  output.Set("stdout", KeepEnds(printed, kMaxStdoutOutputBytes));
  if (cut) output.Set("stdout_truncated", true);
  for (Member& member : *declared) output.Set(member.key, std::move(member.value));
  return Payload::FromValue(redactor_.Redact(std::move(output)));
}

class ScriptExecutor final : public TaskExecutor {
 public:
  ScriptExecutor(uv_loop_t* loop, ScriptOptions options)
      : loop_(loop), options_(std::move(options)), alive_(std::make_shared<bool>(true)) {}
  ~ScriptExecutor() override { *alive_ = false; }

  void Start(TaskRequest request, std::function<void(TaskResult)> done) override;
  void Cancel(const AttemptKey& key, std::function<void()> stopped) override;
  std::vector<std::string> CheckConfig(const Value& config) const override;

 private:
  struct Running {
    std::unique_ptr<ScriptAttempt> attempt;
    std::function<void(TaskResult)> done;
    std::vector<std::function<void()>> stopped;  // not empty: it was cancelled
  };
  void Finish(const AttemptKey& key, TaskResult result);

  uv_loop_t* loop_;
  ScriptOptions options_;
  std::shared_ptr<bool> alive_;  // read by removals that outlive this
  std::map<AttemptKey, Running> running_;
};

void ScriptExecutor::Start(TaskRequest request, std::function<void(TaskResult)> done) {
  AttemptKey key = request.key;
  CHECK(!running_.contains(key), "attempt {} runs already", key.ToString());
  auto attempt = std::make_unique<ScriptAttempt>(loop_, options_, std::move(request),
                                                 [this, alive = alive_, key](TaskResult result) {
                                                   if (*alive) Finish(key, std::move(result));
                                                 });
  if (std::optional<TaskFailure> failure = attempt->Begin()) {
    failure->message = attempt->redactor().Text(failure->message);
    done(Failed(*std::move(failure)));
    return;
  }
  running_.emplace(key, Running{std::move(attempt), std::move(done), {}});
}

void ScriptExecutor::Finish(const AttemptKey& key, TaskResult result) {
  auto ended = running_.extract(key);
  CHECK(!ended.empty(), "attempt {} ended twice", key.ToString());
  Running& running = ended.mapped();
  if (running.stopped.empty()) {
    running.done(std::move(result));
    return;
  }
  for (auto& stopped : running.stopped) stopped();
}

void ScriptExecutor::Cancel(const AttemptKey& key, std::function<void()> stopped) {
  auto found = running_.find(key);
  if (found == running_.end()) {
    stopped();
    return;
  }
  bool first = found->second.stopped.empty();
  found->second.stopped.push_back(std::move(stopped));
  if (first && found->second.attempt->running()) found->second.attempt->Stop();
}

std::vector<std::string> ScriptExecutor::CheckConfig(const Value& config) const {
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
  return std::make_unique<ScriptExecutor>(loop, std::move(options));
}

}  // namespace stele::tasks
