#include "engine/tasks/mcp.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "engine/tasks/argument_text.h"
#include "engine/tasks/attempt.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/mcp_http.h"
#include "engine/tasks/mcp_plan.h"
#include "engine/tasks/mcp_session.h"
#include "engine/tasks/program_path.h"
#include "engine/tasks/redactor.h"
#include "engine/tasks/timeout.h"

namespace stele::tasks {
namespace {

namespace fs = std::filesystem;

TaskFailure ConfigFailure(std::string message) {
  return TaskFailure{"config", std::move(message), false, {}};
}

std::vector<std::string> AllSecrets(const TaskRequest& request, const McpPlan& plan) {
  std::vector<std::string> secrets = request.secrets;
  secrets.insert(secrets.end(), plan.http.credentials.begin(), plan.http.credentials.end());
  return secrets;
}

// The server's program, or a failure of the kinds "config" and "unavailable".
std::expected<ChildProcess::Spec, TaskFailure> ServerProgram(const McpPlan& plan,
                                                             const ProgramOptions& options,
                                                             const TaskRequest& request,
                                                             const Redactor& redactor) {
  ChildProcess::Spec spec;
  std::error_code error;
  fs::path base = fs::absolute(options.base_directory, error);
  spec.directory = (base / plan.working_directory).lexically_normal().string();
  if (!fs::is_directory(spec.directory, error)) {
    return std::unexpected(ConfigFailure(fmt::format(
        "Expected the working directory {} but found no such directory", spec.directory)));
  }
  bool is_path = plan.command.contains('/');
  spec.program =
      is_path ? (base / plan.command).string() : FindProgram(plan.command, options.path());
  if (is_path && !fs::is_regular_file(spec.program, error)) spec.program.clear();
  if (spec.program.empty()) {
    return std::unexpected(TaskFailure{
        "unavailable",
        fmt::format("Expected the program {} {} but found none{}", plan.command,
                    is_path ? "at its place" : "on PATH",
                    plan.command.contains(' ') ? "; its arguments belong in `args`" : ""),
        false,
        {}});
  }
  std::vector<std::string> shown = plan.args;
  shown.push_back(plan.command);
  if (auto refused = RefuseSecrets(shown, redactor, "`environment`")) {
    return std::unexpected(*std::move(refused));
  }
  spec.arguments = plan.args;
  spec.environment = options.EnvironmentList();
  if (!request.trace_parent.empty())
    spec.environment.push_back("TRACEPARENT=" + request.trace_parent);
  for (const auto& [name, value] : plan.environment) {
    std::erase_if(spec.environment, [&name = name](const std::string& variable) {
      return variable.starts_with(name + "=");
    });
    spec.environment.push_back(name + "=" + value);
  }
  spec.environment.push_back("STELE_IDEMPOTENCY_KEY=" + request.key.ToString());
  return spec;
}

// One attempt: a transport, a session on it, and the leave that is taken at the end.
class McpAttempt final : public Attempt, public McpTransport::Observer {
 public:
  McpAttempt(uv_loop_t* loop, std::shared_ptr<HttpClient> client, const McpOptions& options,
             TaskRequest request, Finish finish)
      : loop_(loop),
        client_(std::move(client)),
        options_(options),
        request_(std::move(request)),
        finish_(std::move(finish)),
        log_(options.program.max_log_bytes) {}

  std::optional<TaskFailure> Begin() override;
  void Stop() override { GiveUp(TaskFailure{"cancelled", "", true, {}}); }

 private:
  void OnMessage(std::string_view json) override { session_->OnMessage(json); }
  void OnAnswerEnded(int64_t id) override { session_->OnAnswerEnded(id); }
  void OnLog(std::string_view text) override {
    if (!concluded_) log_.Append(log_redactor_->Push(text));
  }
  void OnFailure(TaskFailure failure) override;
  void ArmTimeout();
  void GiveUp(TaskFailure failure);
  void Conclude(std::expected<Object, TaskFailure> outcome, std::optional<std::string> last);

  uv_loop_t* loop_;
  std::shared_ptr<HttpClient> client_;
  const McpOptions& options_;
  TaskRequest request_;
  Finish finish_;
  McpPlan plan_;
  std::optional<Redactor> redactor_;
  std::optional<StreamRedactor> log_redactor_;  // of what the transport tells, in pieces
  BoundedText log_;
  int64_t timeout_us_ = 0;
  UvHandle<uv_timer_t> timeout_;
  bool concluded_ = false;
  std::optional<TaskResult> result_;
  std::unique_ptr<McpTransport> transport_;
  std::optional<McpSession> session_;
};

std::optional<TaskFailure> McpAttempt::Begin() {
  auto plan = ReadMcpPlan(request_.config, request_.input, ConfigReader::Mode::kRendered);
  if (!plan) return ConfigFailure(JoinFaults(plan.error()));
  plan_ = *std::move(plan);
  redactor_.emplace(AllSecrets(request_, plan_));
  log_redactor_.emplace(*redactor_);
  timeout_us_ = EffectiveTimeout(plan_.timeout_us, request_.timeout_us, options_.timeout_us);
  McpLimits limits = options_.limits;
  limits.max_message_bytes =
      std::min(limits.max_message_bytes, plan_.http.request.max_response_bytes);
  if (plan_.command.empty()) {
    transport_ = std::make_unique<McpHttp>(loop_, client_, plan_.http, limits, *redactor_, this);
  } else {
    auto server = ServerProgram(plan_, options_.program, request_, *redactor_);
    if (!server) return server.error();
    transport_ = std::make_unique<McpStdio>(loop_, *std::move(server), limits, *redactor_, this);
  }
  if (auto failure = transport_->Open()) return failure;
  session_.emplace(
      *transport_, plan_, *redactor_, request_.key.ToString(), limits.max_message_bytes,
      [this](std::string_view text) {
        if (!concluded_) log_.Append(redactor_->Text(text));
      },
      [this](std::expected<Object, TaskFailure> outcome) {
        Conclude(std::move(outcome), std::nullopt);
      });
  ArmTimeout();
  session_->Begin();
  return std::nullopt;
}

void McpAttempt::ArmTimeout() {
  timeout_ = MakeTimer(loop_, this);
  uv_timer_start(
      timeout_.get(),
      [](uv_timer_t* timer) {
        auto* self = static_cast<McpAttempt*>(timer->data);
        self->GiveUp(
            TaskFailure{"timeout",
                        fmt::format("Expected the server's answer within {} s but found none",
                                    static_cast<double>(self->timeout_us_) / 1e6),
                        true,
                        {}});
      },
      ToTimerMs(timeout_us_), 0);
}

void McpAttempt::OnFailure(TaskFailure failure) {
  session_->Abandon();
  Conclude(std::unexpected(std::move(failure)), std::nullopt);
}

void McpAttempt::GiveUp(TaskFailure failure) {
  if (concluded_) return;
  std::optional<std::string> last = session_->Abandon();
  Conclude(std::unexpected(std::move(failure)), std::move(last));
}

void McpAttempt::Conclude(std::expected<Object, TaskFailure> outcome,
                          std::optional<std::string> last) {
  if (concluded_) return;
  timeout_.reset();
  log_.Append(log_redactor_->Finish());
  concluded_ = true;
  TaskResult result;
  if (outcome) {
    result.outcome = Payload::FromValue(redactor_->Redact(*std::move(outcome)));
  } else {
    TaskFailure failure = std::move(outcome.error());
    failure.message = redactor_->Text(failure.message);
    if (failure.details.has_value()) {
      failure.details = Payload::FromValue(redactor_->Redact(failure.details.value()));
    }
    result.outcome = std::unexpected(std::move(failure));
  }
  result.log = TaskLog{log_.ToString(), log_.truncated()};
  result_ = std::move(result);
  transport_->Close(std::move(last), [this] {
    Finish finish = std::move(finish_);
    finish(*std::move(result_));  // destroys this
  });
}

}  // namespace

std::unique_ptr<TaskExecutor> MakeMcpExecutor(uv_loop_t* loop, std::shared_ptr<HttpClient> client,
                                              McpOptions options) {
  auto shared = std::make_shared<const McpOptions>(std::move(options));
  return std::make_unique<AttemptExecutor>(
      [loop, client = std::move(client), shared](TaskRequest request, Attempt::Finish finish) {
        return std::make_unique<McpAttempt>(loop, client, *shared, std::move(request),
                                            std::move(finish));
      },
      [](const Value& config) {
        auto plan = ReadMcpPlan(config, Value(Object()), ConfigReader::Mode::kStatic);
        return plan ? std::vector<std::string>() : plan.error();
      });
}

}  // namespace stele::tasks
