#include "engine/tasks/container.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "base/json.h"
#include "engine/tasks/attempt.h"
#include "engine/tasks/container_plan.h"
#include "engine/tasks/program_output.h"
#include "engine/tasks/scratch_directory.h"
#include "engine/tasks/timeout.h"

namespace stele::tasks {
namespace {

// What the client says when it could not start the container at all.
constexpr int64_t kClientFailed = 125;
constexpr int64_t kRemovalTimeoutUs = 30'000'000;

TaskFailure IoFailure(const Error& error) {
  return TaskFailure{"io", error.message, true, {}};
}

void CloseAndFree(uv_process_t* process) {
  uv_close(reinterpret_cast<uv_handle_t*>(process),
           [](uv_handle_t* closed) { delete reinterpret_cast<uv_process_t*>(closed); });
}

// Starts a program that nobody waits for but the loop. For an executor that is being destroyed.
void StartUnattended(uv_loop_t* loop, ChildProcess::Spec spec) {
  spec.arguments.insert(spec.arguments.begin(), spec.program);
  std::vector<char*> arguments = PointersTo(spec.arguments);
  std::vector<char*> environment = PointersTo(spec.environment);
  uv_process_options_t options = {};
  options.file = spec.program.c_str();
  options.args = arguments.data();
  options.env = environment.data();
  options.cwd = spec.directory.c_str();
  options.flags = UV_PROCESS_DETACHED;
  options.exit_cb = [](uv_process_t* process, int64_t, int) { CloseAndFree(process); };
  auto* process = new uv_process_t{};
  if (uv_spawn(loop, process, &options) != 0) CloseAndFree(process);
}

// One run of the client, and the removal of the container when the client did not end by itself:
//
//   running ──exit──────────────────────────► removing the directory ──► finished
//      └────killed, timed out, stopped──► removing the container ──┘
class ContainerAttempt final : public Attempt {
 public:
  ContainerAttempt(uv_loop_t* loop, const ProgramOptions& options, TaskRequest request,
                   Finish finish)
      : loop_(loop),
        options_(options),
        request_(std::move(request)),
        finish_(std::move(finish)),
        redactor_(request_.secrets) {}
  ~ContainerAttempt() override {
    run_.reset();
    if (!container_name_.empty()) StartUnattended(loop_, RemovalSpec());
  }

  std::optional<TaskFailure> Begin() override;
  void Stop() override;

 private:
  std::expected<ContainerPlace, TaskFailure> Prepare(const ContainerVariables& variables);
  ChildProcess::Spec RemovalSpec() const;
  void OnRunEnded(ProgramRun::Ended ended);
  void OnRemovalEnded(const ProgramRun::Ended& removal);
  void Conclude();
  TaskResult Judge();

  uv_loop_t* loop_;
  const ProgramOptions& options_;
  TaskRequest request_;
  Finish finish_;
  Redactor redactor_;
  ContainerConfig config_;
  int64_t timeout_us_ = 0;
  std::string program_;
  std::string container_name_;  // not empty: it may exist
  std::optional<ScratchDirectory> scratch_;
  ProgramRun::Ended ended_;
  std::string removal_fault_;
  bool stopped_ = false;
  bool run_ended_ = false;
  std::unique_ptr<ProgramRun> run_;
  std::unique_ptr<ProgramRun> removal_;
};

std::optional<TaskFailure> ContainerAttempt::Begin() {
  auto config = ReadContainerConfig(request_.config, ConfigReader::Mode::kRendered);
  if (!config) return TaskFailure{"config", JoinFaults(config.error()), false, {}};
  config_ = *std::move(config);
  auto program = FindContainerRuntime(config_, options_.path());
  if (!program) return program.error();
  program_ = *program;
  auto variables = PlanVariables(config_, request_, options_);
  if (!variables) return variables.error();
  auto place = Prepare(*variables);
  if (!place) return place.error();
  auto arguments =
      ContainerArguments(config_, request_.key, *place, variables->names, options_, redactor_);
  if (!arguments) return arguments.error();
  ChildProcess::Spec spec;
  spec.program = program_;
  spec.arguments = *std::move(arguments);
  spec.environment = options_.EnvironmentList();
  spec.environment.insert(spec.environment.end(), variables->process.begin(),
                          variables->process.end());
  spec.directory = options_.base_directory;
  timeout_us_ = EffectiveTimeout(config_.timeout_us, request_.timeout_us, 0);
  run_ = std::make_unique<ProgramRun>(loop_, options_, redactor_);
  auto failure = run_->Start(std::move(spec), std::nullopt, timeout_us_,
                             [this](ProgramRun::Ended ended) { OnRunEnded(std::move(ended)); });
  if (failure) return failure;
  container_name_ = place->name;
  return std::nullopt;
}

// The directory that is mounted is open to all users, because a container may run as any of them;
// the one above it is not, which keeps the users of this machine out.
std::expected<ContainerPlace, TaskFailure> ContainerAttempt::Prepare(
    const ContainerVariables& variables) {
  Result<ScratchDirectory> scratch = ScratchDirectory::Create(options_.scratch_root);
  if (!scratch) return std::unexpected(IoFailure(scratch.error()));
  Result<std::string> input = scratch->Write("work/input.json", ToJson(request_.input));
  if (!input) return std::unexpected(IoFailure(input.error()));
  ContainerPlace place;
  place.shared_directory = scratch->work();
  chmod(place.shared_directory.c_str(), 0777);
  chmod(input->c_str(), 0644);
  chmod(scratch->outputs_file().c_str(), 0666);
  if (!variables.file.empty()) {
    Result<std::string> file = scratch->Write("variables", variables.file);
    if (!file) return std::unexpected(IoFailure(file.error()));
    chmod(file->c_str(), 0600);
    place.env_file = *std::move(file);
  }
  // The end of the directory's name is this attempt's alone on this machine: two engines with data
  // of their own both have an instance 1.
  std::string unique = std::filesystem::path(scratch->work()).parent_path().filename().string();
  place.name =
      fmt::format("stele-{}-{}", request_.key.ToString(), unique.substr(unique.rfind('-') + 1));
  scratch_.emplace(*std::move(scratch));
  return place;
}

ChildProcess::Spec ContainerAttempt::RemovalSpec() const {
  ChildProcess::Spec spec;
  spec.program = program_;
  spec.arguments = {"rm", "--force", container_name_};
  spec.environment = options_.EnvironmentList();
  spec.directory = options_.base_directory;
  return spec;
}

// The client hands the signal on to the container; what is left is removed by force.
void ContainerAttempt::Stop() {
  stopped_ = true;
  if (!run_ended_) run_->Stop();
}

void ContainerAttempt::OnRunEnded(ProgramRun::Ended ended) {
  ended_ = std::move(ended);
  run_ended_ = true;
  if (!stopped_ && !ended_.timed_out && ended_.exit.signal == 0) {
    Conclude();
    return;
  }
  removal_ = std::make_unique<ProgramRun>(loop_, options_, redactor_);
  auto failure =
      removal_->Start(RemovalSpec(), std::nullopt, kRemovalTimeoutUs,
                      [this](const ProgramRun::Ended& removal) { OnRemovalEnded(removal); });
  if (!failure) return;
  removal_fault_ = failure->message;
  Conclude();
}

void ContainerAttempt::OnRemovalEnded(const ProgramRun::Ended& removal) {
  // It may have ended, and be gone or going, by itself.
  bool is_gone = removal.errors.contains("o such container") ||
                 removal.errors.contains("no container with") ||
                 removal.errors.contains("already in progress");
  if (removal.timed_out) {
    removal_fault_ = "the removal did not end";
  } else if (removal.exit.code != 0 && !is_gone) {
    removal_fault_ = LastLine(removal.errors);
  }
  Conclude();
}

void ContainerAttempt::Conclude() {
  TaskResult result = Judge();
  result.log = std::move(ended_.log);
  if (!removal_fault_.empty()) {
    std::string line = fmt::format("Expected to remove the container {} but found: {}\n",
                                   container_name_, removal_fault_);
    result.log.text += line;
  }
  container_name_.clear();
  // The callback may destroy this attempt.
  scratch_->RemoveOnPool(loop_,
                         [finish = std::move(finish_), result = std::move(result)]() mutable {
                           finish(std::move(result));
                         });
}

TaskResult ContainerAttempt::Judge() {
  if (ended_.timed_out) {
    TaskFailure failure = TimeoutFailure("the container", timeout_us_, ended_.errors);
    if (!removal_fault_.empty()) failure.message += ", and it could not be removed";
    return TaskResult{std::unexpected(std::move(failure)), {}};
  }
  if (ended_.exit.code == kClientFailed) {
    TaskFailure failure = ExitFailure(ended_);
    failure.kind = "container";
    failure.message =
        redactor_.Text(fmt::format("Expected {} to run the image {} but found: {}",
                                   std::filesystem::path(program_).filename().string(),
                                   config_.image, LastLine(ended_.errors)));
    return TaskResult{std::unexpected(std::move(failure)), {}};
  }
  if (ended_.exit.code != 0 || ended_.exit.signal != 0) {
    return TaskResult{std::unexpected(ExitFailure(ended_)), {}};
  }
  return TaskResult{ProgramOutput(std::move(ended_.out), ended_.out_truncated,
                                  scratch_->outputs_file(), options_.max_outputs_bytes, redactor_),
                    {}};
}

}  // namespace

ProgramOptions ContainerOptionsFromProcess(std::string base_directory) {
  return ProgramOptions::FromProcess(
      std::move(base_directory),
      {"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY",
       "DOCKER_API_VERSION", "CONTAINER_HOST", "CONTAINERS_CONF", "REGISTRY_AUTH_FILE",
       "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS",
       "SSH_AUTH_SOCK", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"});
}

std::unique_ptr<TaskExecutor> MakeContainerExecutor(uv_loop_t* loop, ProgramOptions options) {
  auto shared = std::make_shared<const ProgramOptions>(std::move(options));
  return std::make_unique<AttemptExecutor>(
      [loop, shared](TaskRequest request, Attempt::Finish finish) {
        return std::make_unique<ContainerAttempt>(loop, *shared, std::move(request),
                                                  std::move(finish));
      },
      [](const Value& config) {
        auto read = ReadContainerConfig(config, ConfigReader::Mode::kStatic);
        return read ? std::vector<std::string>() : read.error();
      });
}

}  // namespace stele::tasks
