#include "engine/embed/core.h"

#include <algorithm>
#include <filesystem>

#include "base/check.h"
#include "engine/embed/hosted_executor.h"
#include "engine/runtime/call_executor.h"
#include "engine/runtime/open_store.h"
#include "engine/tasks/builtin_tasks.h"

namespace stele::embed {

namespace {

// A longer wait than anybody has, which the clock's arithmetic bears.
constexpr std::chrono::microseconds kLongestWait = std::chrono::hours(24 * 365 * 10);

}  // namespace

Engine::Core::Core(const Options& options)
    : options_(options), clock_(options.clock), tasks_(std::make_unique<tasks::TaskRegistry>()) {
  CHECK(uv_loop_init(&loop_) == 0);
}

Result<std::unique_ptr<Engine::Core>> Engine::Core::Open(const Options& options,
                                                         const std::string& directory) {
  std::unique_ptr<Core> core(new Core(options));
  if (const Status opened = core->OpenStore(directory); !opened.has_value())
    return std::unexpected(opened.error());
  if (const Status opened = core->OpenShard(); !opened.has_value())
    return std::unexpected(opened.error());
  Core* raw = core.get();
  core->pool_ = std::make_unique<FunctionPool>(options.worker_threads, core->own_threads_);
  core->post_->Attach(core->shard_.get());
  core->retainer_ =
      std::make_unique<Retainer>(&core->loop_, *core->shard_, *core->store_, *core->views_,
                                 core->clock_, core->options_, core->problem());
  core->thread_ = std::thread([raw] { uv_run(&raw->loop_, UV_RUN_DEFAULT); });
  core->loop_thread_ = core->thread_.get_id();
  return core;
}

Status Engine::Core::OpenStore(const std::string& directory) {
  std::error_code ignored;
  if (!options_.create_if_missing && !std::filesystem::exists(directory + "/log", ignored))
    return Refuse(ErrorCode::kStoreNotFound,
                  "Expected the data of earlier runs in " + directory + " but found none");
  auto sources = secrets::SecretsFromProcess(directory);
  if (!sources.has_value()) return std::unexpected(ToError(sources.error()));
  secrets_ = *std::move(sources);
  eventstore::RocksDbOptions store_options;
  store_options.create_if_missing = options_.create_if_missing;
  store_options.archive_directory = options_.retention.archive_directory;
  const AuditKey& audit = options_.audit_key;
  auto heads = runtime::ReadHeadSigning(
      {.key = {.file = audit.file, .environment = audit.environment, .command = audit.command},
       .records = audit.records,
       .time_us = std::chrono::microseconds(audit.every).count()});
  if (!heads.has_value()) return std::unexpected(ToError(heads.error()));
  store_options.heads = *std::move(heads);
  const MasterKey& key = options_.master_key;
  auto store = runtime::OpenStore(
      directory, store_options,
      {.file = key.file, .environment = key.environment, .command = key.command});
  if (!store.has_value()) return std::unexpected(ToError(store.error()));
  store_ = *std::move(store);
  auto views = embed::Views::Open(*store_, directory);
  if (!views.has_value()) return std::unexpected(ToError(views.error()));
  views_ = *std::move(views);
  if (!views_->repaired().empty())
    Tell("Expected views without damage; they are built anew. Found: " + views_->repaired());
  return {};
}

Status Engine::Core::OpenShard() {
  runtime::CallExecutor* calls = nullptr;
  if (options_.builtin_tasks) {
    client_ = tasks::RegisterBuiltinTasks(&loop_, &clock_, {}, *tasks_);
    auto call = std::make_unique<runtime::CallExecutor>();
    calls = call.get();
    tasks_->Register("call", std::move(call));
  }
  feed_ = std::make_unique<Feed>(options_.plugin_backlog, own_threads_, problem(),
                                 [this] { RefuseWaiters(); });
  service_ = std::make_unique<triggers::TriggerService>(
      triggers::ServiceParts{.loop = &loop_, .clock = &clock_, .next = feed_.get()});
  auto shard = runtime::Shard::Open(
      {&loop_, store_.get(), tasks_.get(), &clock_, secrets_.get(), service_.get()}, {});
  if (!shard.has_value()) return std::unexpected(ToError(shard.error()));
  shard_ = *std::move(shard);
  if (calls != nullptr) calls->Attach(shard_.get());
  ReadTypes();
  feed_->Attach(store_.get(), shard_.get());
  triggers_ = std::make_unique<TriggerHost>(*shard_, *service_, asker().Keep());
  const stele::Status attached = service_->Attach(shard_.get(), store_.get(), secrets_.get());
  if (!attached.has_value()) return std::unexpected(ToError(attached.error()));
  return {};
}

Engine::Core::~Core() {
  if (thread_.joinable()) {
    (void)Stop();
  } else if (shard_ != nullptr && !stopped_) {
    // It was opened and never ran.
    shard_->Stop([this] { uv_stop(&loop_); });
    uv_run(&loop_, UV_RUN_DEFAULT);
  }
  views_.reset();
  shard_.reset();
  service_.reset();
  tasks_.reset();
  client_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop_) == 0);
}

Status Engine::Core::Stop() {
  if (OnLoop()) return RefuseOnLoop();
  if (OnOwnThread()) return RefuseOnOwnThread();
  const std::lock_guard lock(stopping_);
  if (stopped_) return {};
  stopped_ = true;
  feed_->Bound();
  door_->Close();
  triggers_->StopAll(problem());
  post_->Post([this] {
    service_->End();
    RefuseWaiters();
  });
  retainer_->Stop();
  // Who waits for a view is inside.
  views_->Stop();
  door_->WaitUntilEmpty();
  post_->Post([this] {
    retainer_->CloseTimer();
    shard_->Stop([this] { uv_stop(&loop_); });
  });
  thread_.join();
  post_->Attach(nullptr);
  pool_.reset();
  feed_->End();
  return {};
}

void Engine::Core::ReadTypes() {
  custom_types_ = runtime::CustomTypes(shard_->registry());
  // Once something could begin, a new type gets its executor at once.
  if (std::exchange(took_up_types_, false)) TakeUpTypes();
}

void Engine::Core::TakeUpTypes() {
  if (std::exchange(took_up_types_, true) || custom_types_.all().empty()) return;
  if (client_ == nullptr) client_ = std::make_shared<tasks::HttpClient>(&loop_);
  custom_types_.AddExecutors(client_, *secrets_, nullptr, *tasks_);
}

stele::Status Engine::Core::BeginTriggers() {
  if (std::exchange(begun_, true)) return {};
  return service_->Begin();
}

void Engine::Core::Settle(int rounds, std::function<void()> done) {
  // The inbox is decided between the two.
  shard_->Post([this, rounds, done = std::move(done)] {
    shard_->Post([this, rounds, done] {
      shard_->WhenDurable([this, rounds, done](const stele::Result<Position>& answer) {
        if (!answer.has_value() || rounds <= 0) return done();
        Settle(rounds - 1, done);
      });
    });
  });
}

void Engine::Core::Elapse(std::function<void()> done) {
  shard_->ElapseTimers();
  service_->Tick();
  retainer_->Tick();
  Settle(2, std::move(done));
}

void Engine::Core::Tell(const std::string& problem) const {
  if (!options_.on_problem) return;
  try {
    options_.on_problem(problem);
  } catch (...) {
    // There is nobody left to be told.
    return;
  }
}

Result<Written> Engine::Core::Send(uint64_t instance, const requests::MakeCommand& make) {
  return Ask<Written>([this, id = InstanceId(instance), make](const Reply<Written>& reply) {
    TakeUpTypes();
    const stele::Result<const model::Instance*> found = shard_->Find(id);
    if (!found.has_value()) return reply(std::unexpected(ToError(found.error())));
    const model::RegisteredDefinition* definition = shard_->registry().Find((*found)->definition);
    stele::Result<model::Command> command = make(**found, *definition->definition);
    if (!command.has_value()) return reply(std::unexpected(ToError(command.error())));
    shard_->Send(id, *std::move(command), asker(), [reply](const stele::Result<Position>& answer) {
      if (!answer.has_value()) return reply(std::unexpected(ToError(answer.error())));
      reply(Written{answer->value});
    });
  });
}

void Engine::Core::Show(InstanceId instance, const Reply<Instance>& reply) {
  const stele::Result<const model::Instance*> found = shard_->Find(instance);
  if (!found.has_value()) return reply(std::unexpected(ToError(found.error())));
  shard_->WhenDurable([reply, shown = ToInstance(**found, shard_->registry())](
                          const stele::Result<Position>& answer) {
    if (!answer.has_value()) return reply(std::unexpected(ToError(answer.error())));
    reply(shown);
  });
}

Result<std::vector<Engine::Core::Version>> Engine::Core::Versions() {
  using Found = std::vector<Version>;
  return Ask<Found>([this](const Reply<Found>& reply) {
    Found found;
    for (const model::RegisteredDefinition& each : shard_->registry().definitions)
      found.push_back({each.name, each.version, each.definition});
    reply(std::move(found));
  });
}

Result<Instance> Engine::Core::Wait(uint64_t instance, std::chrono::microseconds timeout) {
  if (OnLoop()) return RefuseOnLoop();
  const InstanceId id(instance);
  const auto waiter = std::make_shared<Waiter>();
  {
    const Visit visit(*door_);
    if (!visit.entered()) return RefuseStopped();
    std::future<Result<Instance>> ended = waiter->ended.get_future();
    post_->Post([this, id, waiter] { AddWaiter(id, waiter); });
    if (ended.wait_for(std::min(timeout, kLongestWait)) == std::future_status::ready)
      return ended.get();
    post_->Post([this, id, waiter] { DropWaiter(id, waiter); });
  }
  return Ask<Instance>([this, id](const Reply<Instance>& reply) { Show(id, reply); });
}

void Engine::Core::AddWaiter(InstanceId instance, const std::shared_ptr<Waiter>& waiter) {
  const auto refuse = [&](const Error& error) { waiter->ended.set_value(std::unexpected(error)); };
  if (refuses_waiters_) return refuse(RefuseStopped().error());
  const stele::Result<const model::Instance*> found = shard_->Find(instance);
  if (!found.has_value()) return refuse(ToError(found.error()));
  const auto [place, is_new] = waiters_.try_emplace(instance);
  place->second.push_back(waiter);
  if (!is_new) return;
  shard_->WatchEnd(instance, [this, instance](const model::Instance& ended) {
    const auto waiting = waiters_.extract(instance);
    const Instance shown = ToInstance(ended, shard_->registry());
    for (const std::shared_ptr<Waiter>& each : waiting.mapped()) {
      each->ended.set_value(shown);
    }
  });
}

void Engine::Core::DropWaiter(InstanceId instance, const std::shared_ptr<Waiter>& waiter) {
  if (const auto found = waiters_.find(instance); found != waiters_.end())
    std::erase(found->second, waiter);
}

void Engine::Core::RefuseWaiters() {
  refuses_waiters_ = true;
  for (auto& [instance, waiting] : waiters_)
    for (const std::shared_ptr<Waiter>& each : std::exchange(waiting, {}))
      each->ended.set_value(RefuseStopped());
}

Status Engine::Core::AddExecutor(const std::string& task_type,
                                 std::function<std::shared_ptr<AsyncExecutor>()> make,
                                 ExecutorOptions options) {
  return Ask<void>([this, task_type, make, options](const Reply<void>& reply) {
    if (task_type.empty() || tasks_->Find(task_type) != nullptr)
      return reply(
          Refuse(ErrorCode::kDuplicateKey,
                 "Expected a task type that has no executor yet but found \"" + task_type + "\""));
    tasks_->Register(task_type, std::make_unique<HostedExecutor>(&loop_, post_, make(), options));
    reply({});
  });
}

}  // namespace stele::embed
