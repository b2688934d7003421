#include "cli/engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/settings.h"
#include "engine/runtime/open_store.h"
#include "engine/tasks/agent.h"
#include "engine/tasks/builtin_tasks.h"

namespace stele::cli {

namespace {

constexpr uint64_t kTickMs = 100;
// Between two looks at whether anything still runs at the end.
constexpr uint64_t kDrainTickMs = 10;

// A data directory that is made holds inputs, and digests of passwords: it is its owner's alone.
void CloseToOthers(const std::string& data) {
  std::error_code ignored;
  if (std::filesystem::create_directories(data, ignored))
    std::filesystem::permissions(data, std::filesystem::perms::owner_all, ignored);
}

}  // namespace

Engine::Engine() : tasks_(std::make_unique<tasks::TaskRegistry>()) {
  CHECK(uv_loop_init(&loop_) == 0);
  uv_signal_init(&loop_, &interrupt_);
  uv_signal_init(&loop_, &terminate_);
  uv_signal_init(&loop_, &hangup_);
  uv_timer_init(&loop_, &timer_);
  uv_timer_init(&loop_, &drain_timer_);
  drain_timer_.data = this;
  tasks::WorkerPoolOptions options;
  options.on_waiting = [this](std::string_view type) {
    if (tell_waiting_) tell_waiting_(type);
  };
  workers_ = std::make_shared<tasks::WorkerPool>(&loop_, &loop_clock_, std::move(options));
  programs_ = std::make_unique<WorkerPrograms>(&loop_, workers_.get());
}

Engine::~Engine() {
  Close();
  programs_.reset();
  shard_.reset();
  tasks_.reset();
  client_.reset();
  workers_.reset();
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&drain_timer_), nullptr);
  uv_signal_t* const signals[] = {&interrupt_, &terminate_, &hangup_};
  for (uv_signal_t* signal : signals) uv_unref(reinterpret_cast<uv_handle_t*>(signal));
  // Connections may be sending their last: a signal ends that, too. A stop that nobody ran to its
  // end leaves the loop marked, and the first run returns at once.
  while (uv_run(&loop_, UV_RUN_DEFAULT) != 0) {
  }
  for (uv_signal_t* signal : signals) uv_close(reinterpret_cast<uv_handle_t*>(signal), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop_) == 0);
}

void Engine::Close() {
  if (!is_open() || leaving_) return;
  Leave();
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void Engine::AddExecutors(const std::vector<Stub>& stubs,
                          std::vector<std::string> script_directories) {
  RegisterStubs(stubs, *tasks_);
  client_ = tasks::RegisterBuiltinTasks(&loop_, &clock_, std::move(script_directories), *tasks_);
  if (tasks_->Find("call") == nullptr) {
    auto calls = std::make_unique<runtime::CallExecutor>();
    calls_ = calls.get();
    tasks_->Register("call", std::move(calls));
  }
  if (is_open()) {
    if (calls_ != nullptr) calls_->Attach(shard_.get());
    AddCustomTypes();
  }
  AddAgent();
}

void Engine::AddCustomTypes() {
  custom_types_ = CustomTypes(shard_->registry());
  if (client_ != nullptr) custom_types_.AddExecutors(client_, *secrets_, workers_, *tasks_);
}

void Engine::AddAgent() {
  if (tasks_->Find(tasks::kAgentType) == nullptr)
    tasks_->Register(std::string(tasks::kAgentType), tasks::MakeAgentExecutor(workers_));
}

Status Engine::AddWorkers(const Arguments& arguments, bool lasting,
                          std::function<void(std::string_view)> note) {
  auto specs = ParseWorkers(arguments);
  if (!specs.has_value()) return std::unexpected(specs.error());
  if (arguments.Has("--no-wait")) return {};
  for (const WorkerSpec& spec : *specs) {
    for (const std::string& type : spec.types) {
      const tasks::TaskExecutor* executor = tasks_->Find(type);
      if (executor == nullptr) {
        tasks_->Register(type, tasks::WorkerPool::MakeExecutor(workers_));
      } else if (!tasks::WorkerPool::Serves(executor)) {
        return Fail(ErrorCode::kUsage, fmt::format("Expected a type that workers run for --worker "
                                                   "but found \"{}\", which is stubbed or has an "
                                                   "address",
                                                   type));
      }
    }
  }
  if (lasting)
    tell_waiting_ = [note](std::string_view type) {
      note(fmt::format("tasks of the type \"{}\" wait for a worker", type));
    };
  programs_->Add(*std::move(specs), lasting, std::move(note), [this] {
    if (workers_changed_) workers_changed_();
  });
  return {};
}

bool Engine::LacksWorker(const definition::Step& step) const {
  const tasks::TaskExecutor* executor = tasks_->Find(fmt::format("step:{}", step.id));
  if (executor == nullptr) executor = tasks_->Find(step.task_type);
  return tasks::WorkerPool::Serves(executor) && !workers_->MayRun(step.task_type);
}

Status Engine::Open(const std::string& data, bool create, runtime::Observer* observer) {
  auto sources = secrets::SecretsFromProcess(data);
  if (!sources.has_value()) return std::unexpected(sources.error());
  secrets_ = *std::move(sources);
  if (create) CloseToOthers(data);
  eventstore::RocksDbOptions options;
  options.create_if_missing = create;
  const auto key = ReadKeySource(data);
  if (!key.has_value()) return std::unexpected(key.error());
  auto archive = ReadArchiveDirectory(data);
  if (!archive.has_value()) return std::unexpected(archive.error());
  options.archive_directory = *std::move(archive);
  auto heads = SigningOf(data);
  if (!heads.has_value()) return std::unexpected(heads.error());
  options.heads = *std::move(heads);
  auto store = runtime::OpenStore(data, options, *key);
  if (!store.has_value()) return std::unexpected(store.error());
  store_ = *std::move(store);
  Result<runtime::ShardOptions> settings = ReadSettings(data);
  if (!settings.has_value()) return std::unexpected(settings.error());
  settings->shard = kShard;
  settings->trace_ratio = trace_ratio_;
  auto shard = runtime::Shard::Open(
      {&loop_, store_.get(), tasks_.get(), &clock_, secrets_.get(), observer}, *settings);
  if (!shard.has_value()) return std::unexpected(shard.error());
  shard_ = *std::move(shard);
  if (calls_ != nullptr) calls_->Attach(shard_.get());
  AddCustomTypes();
  WatchSignal(&interrupt_, SIGINT);
  WatchSignal(&terminate_, SIGTERM);
  WatchSignal(&hangup_, SIGHUP);
  return {};
}

void Engine::WatchSignal(uv_signal_t* handle, int number) {
  handle->data = this;
  uv_signal_start(
      handle,
      [](uv_signal_t* signal, int number) {
        auto* engine = static_cast<Engine*>(signal->data);
        if (number == SIGHUP && engine->hung_up_) return engine->hung_up_();
        if (engine->interrupted_) {
          // Nothing that the engine started outlives it.
          if (engine->programs_ != nullptr) engine->programs_->Clear();
          if (engine->tasks_ != nullptr) engine->tasks_->Clear();
          _exit(kExitInterrupted);
        }
        engine->interrupted_ = true;
        engine->Leave();
      },
      number);
}

void Engine::Run(std::function<void()> tick) {
  programs_->Start();
  if (tick) {
    tick_ = std::move(tick);
    timer_.data = this;
    uv_timer_start(
        &timer_, [](uv_timer_t* timer) { static_cast<Engine*>(timer->data)->tick_(); }, kTickMs,
        kTickMs);
  }
  if (!left_) uv_run(&loop_, UV_RUN_DEFAULT);
  uv_timer_stop(&timer_);
}

void Engine::RunUntil(const std::function<bool()>& done) {
  while (!left_ && !done()) uv_run(&loop_, UV_RUN_ONCE);
}

void Engine::LeaveBehindInbox() {
  shard_->Post([this] { shard_->Post([this] { Leave(); }); });
}

void Engine::Leave() {
  if (leaving_) return;
  leaving_ = true;
  if (before_stop_) {
    before_stop_([this] { StopShard(); });
  } else {
    StopShard();
  }
}

void Engine::Drain(int64_t grace_us, std::function<void()> over) {
  workers_->Hold();
  shard_->Drain();
  drained_by_ = loop_clock_.Now().Plus(grace_us);
  drained_ = std::move(over);
  uv_timer_start(
      &drain_timer_, [](uv_timer_t* timer) { static_cast<Engine*>(timer->data)->LookWhatRuns(); },
      kDrainTickMs, kDrainTickMs);
  LookWhatRuns();
}

void Engine::LookWhatRuns() {
  const bool runs = shard_->running_attempts() > 0 || workers_->leased() > 0;
  if (runs && loop_clock_.Now() < drained_by_) return;
  uv_timer_stop(&drain_timer_);
  std::exchange(drained_, nullptr)();
}

void Engine::StopShard() {
  // Their answers would be recorded no more.
  workers_->Close();
  shard_->Stop([this] {
    programs_->End([this] {
      left_ = true;
      uv_stop(&loop_);
    });
  });
}

}  // namespace stele::cli
