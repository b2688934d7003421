#include "engine/tasks/kubernetes.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/json.h"
#include "engine/tasks/argument_text.h"
#include "engine/tasks/attempt.h"
#include "engine/tasks/kubernetes_plan.h"
#include "engine/tasks/program_path.h"
#include "engine/tasks/timeout.h"

namespace stele::tasks {
namespace {

class KubernetesAttempt final : public Attempt {
 public:
  KubernetesAttempt(uv_loop_t* loop, const ProgramOptions& options, TaskRequest request,
                    Finish finish)
      : options_(options),
        request_(std::move(request)),
        finish_(std::move(finish)),
        redactor_(request_.secrets),
        run_(loop, options, redactor_) {}

  std::optional<TaskFailure> Begin() override;
  void Stop() override { run_.Stop(); }

 private:
  std::expected<Payload, TaskFailure> Judge(ProgramRun::Ended& ended) const;

  const ProgramOptions& options_;
  TaskRequest request_;
  Finish finish_;
  Redactor redactor_;
  KubernetesConfig config_;
  int64_t timeout_us_ = 0;
  ProgramRun run_;
};

std::optional<TaskFailure> KubernetesAttempt::Begin() {
  auto config = ReadKubernetesConfig(request_.config, ConfigReader::Mode::kRendered);
  if (!config) return TaskFailure{"config", JoinFaults(config.error()), false, {}};
  config_ = *std::move(config);
  config_.timeout_us = EffectiveTimeout(config_.timeout_us, request_.timeout_us, 0);
  ChildProcess::Spec spec;
  spec.program = FindProgram("kubectl", options_.path());
  if (spec.program.empty()) {
    return TaskFailure{
        "unavailable", "Expected kubectl on PATH but found no such program", false, {}};
  }
  auto plan = PlanKubernetes(config_, options_);
  if (!plan) return plan.error();
  if (auto refused = RefuseSecrets(plan->arguments, redactor_, "`manifest` or `patch`")) {
    return refused;
  }
  spec.arguments = std::move(plan->arguments);
  spec.environment = options_.EnvironmentList();
  spec.directory = options_.base_directory;
  timeout_us_ = plan->timeout_us;
  return run_.Start(std::move(spec), std::move(plan->input), timeout_us_,
                    [this](ProgramRun::Ended ended) {
                      TaskResult result{Judge(ended), std::move(ended.log)};
                      Finish finish = std::move(finish_);
                      finish(std::move(result));  // may destroy this
                    });
}

std::expected<Payload, TaskFailure> KubernetesAttempt::Judge(ProgramRun::Ended& ended) const {
  if (ended.timed_out) {
    return std::unexpected(TimeoutFailure("kubectl", timeout_us_, ended.errors));
  }
  if (ended.exit.code != 0 || ended.exit.signal != 0) {
    TaskFailure failure = ExitFailure(ended);
    if (ended.errors.contains("timed out waiting for the condition")) failure.kind = "timeout";
    return std::unexpected(std::move(failure));
  }
  Object output{{"exit_code", int64_t{0}}};
  if (config_.output == "json") {
    if (ended.out_truncated) {
      return std::unexpected(
          TaskFailure{"output_limit",
                      fmt::format("Expected at most {} bytes from kubectl but found more",
                                  options_.max_stream_bytes),
                      false,
                      {}});
    }
    Value resource = nullptr;  // with ignore_not_found there may be none
    if (ended.out.find_first_not_of(" \t\r\n") != std::string::npos) {
      Result<Value> parsed = ParseJson(ended.out);
      if (!parsed) {
        return std::unexpected(TaskFailure{
            "outputs",
            fmt::format("Expected JSON from kubectl but found: {}", parsed.error().message),
            false,
            {}});
      }
      resource = redactor_.Redact(*std::move(parsed));
    }
    output.Set("resource", std::move(resource));
    return Payload::FromValue(output);
  }
  size_t last = ended.out.find_last_not_of("\r\n");
  ended.out.resize(last == std::string::npos ? 0 : last + 1);
  bool cut = ended.out_truncated || ended.out.size() > kMaxStdoutOutputBytes;
  output.Set("stdout", KeepEnds(ended.out, kMaxStdoutOutputBytes));
  if (cut) output.Set("stdout_truncated", true);
  return Payload::FromValue(output);
}

}  // namespace

ProgramOptions KubernetesOptionsFromProcess(std::string base_directory) {
  return ProgramOptions::FromProcess(
      std::move(base_directory),
      {"KUBECONFIG", "KUBECACHEDIR", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT",
       "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY",
       "HTTPS_PROXY", "NO_PROXY", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG",
       "AWS_PROFILE", "AWS_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
       "AZURE_CONFIG_DIR"});
}

std::unique_ptr<TaskExecutor> MakeKubernetesExecutor(uv_loop_t* loop, ProgramOptions options) {
  auto shared = std::make_shared<const ProgramOptions>(std::move(options));
  return std::make_unique<AttemptExecutor>(
      [loop, shared](TaskRequest request, Attempt::Finish finish) {
        return std::make_unique<KubernetesAttempt>(loop, *shared, std::move(request),
                                                   std::move(finish));
      },
      [](const Value& config) {
        auto read = ReadKubernetesConfig(config, ConfigReader::Mode::kStatic);
        return read ? std::vector<std::string>() : read.error();
      });
}

}  // namespace stele::tasks
