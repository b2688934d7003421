#include "tests/server/support/served_world.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "engine/definition/load.h"
#include "engine/requests/definitions.h"
#include "engine/runtime/call_executor.h"
#include "engine/runtime/open_store.h"
#include "engine/secrets/private_file.h"
#include "engine/secrets/secret_key.h"
#include "projections/all_views.h"

namespace stele::server {

namespace {

constexpr int64_t kViewPatienceUs = 30'000'000;

}  // namespace

class ServedWorld::Executor final : public tasks::TaskExecutor {
 public:
  void Start(tasks::TaskRequest request, std::function<void(tasks::TaskResult)> done) override {
    if (request.step_id.starts_with("hang")) return;
    tasks::TaskResult result;
    result.log.text = fmt::format("did {}\n", request.step_id);
    if (request.step_id.starts_with("fail")) {
      result.outcome = std::unexpected(tasks::TaskFailure{"boom", "told to fail", false, {}});
    } else {
      result.outcome = Payload::FromText("{}");
    }
    done(std::move(result));
  }
  void Cancel(const tasks::AttemptKey&, std::function<void()> stopped) override { stopped(); }
  bool repeats_after_crash() const override { return true; }
};

std::optional<std::string> ServedWorld::Secrets::Find(std::string_view name) const {
  const auto found = values.find(std::string(name));
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

ServedWorld::ServedWorld(runtime::ShardOptions options, ServedData place)
    : place_(std::move(place)) {
  Open(options);
  desk_ = std::make_unique<Desk>(ServedEngine{.shard_id = options.shard,
                                              .shard = shard_.get(),
                                              .triggers = service_.get(),
                                              .store = store_.get(),
                                              .projector = projector_.get(),
                                              .workers = workers_.get(),
                                              .tasks = &tasks_,
                                              .secrets = &secrets_,
                                              .retention = retention_.get(),
                                              .clock = &clock_,
                                              .types = &types_,
                                              .take_up_types = [this] { TakeUpTypes(); }},
                                 *threads_, timer());
  instances_ = std::make_unique<Instances>(*desk_);
  definitions_ = std::make_unique<Definitions>(*desk_);
  triggers_ = std::make_unique<Triggers>(*desk_);
  questions_ = std::make_unique<Questions>(*desk_);
  histories_ = std::make_unique<Histories>(*desk_, *instances_);
  events_ = std::make_unique<Events>(*desk_, *instances_);
  forks_ = std::make_unique<Forks>(*desk_, *instances_, *histories_);
  worker_operations_ = std::make_unique<Workers>(*desk_);
  maintenance_ = std::make_unique<Maintenance>(*desk_, MaintainedPlaces{data(), backups()});
}

secrets::KeySource ServedWorld::MasterKey() const {
  if (!place_.sealed) return {};
  const std::string file = In("master.key");
  if (!std::filesystem::exists(file)) {
    const Status made =
        secrets::CreatePrivateFile(file, secrets::SecretKey::Generate().ToText() + "\n");
    CHECK(made.has_value(), "{}", made.error().ToString());
  }
  return {.file = file, .environment = "", .command = ""};
}

void ServedWorld::Open(const runtime::ShardOptions& options) {
  const auto must = [](const auto& result) {
    CHECK(result.has_value(), "{}", result.error().ToString());
  };
  workers_ = std::make_shared<tasks::WorkerPool>(loop_.uv(), &clock_);
  tasks_.Register("script", std::make_unique<Executor>());
  tasks_.Register("worker", tasks::WorkerPool::MakeExecutor(workers_));
  auto calls = std::make_unique<runtime::CallExecutor>();
  runtime::CallExecutor* const call_executor = calls.get();
  tasks_.Register("call", std::move(calls));
  eventstore::RocksDbOptions store_options;
  store_options.create_if_missing = true;
  if (place_.signing)
    store_options.heads.signer = std::make_shared<const eventstore::NoteSigner>(
        eventstore::NoteSigner::Generate("log.example"));
  auto store = runtime::OpenStore(data(), store_options, MasterKey());
  must(store);
  store_ = *std::move(store);
  service_ = std::make_unique<triggers::TriggerService>(triggers::ServiceParts{
      .loop = loop_.uv(), .clock = &clock_, .shard = options.shard, .next = this});
  auto shard = runtime::Shard::Open(
      {loop_.uv(), store_.get(), &tasks_, &clock_, &secrets_, service_.get()}, options);
  must(shard);
  shard_ = *std::move(shard);
  call_executor->Attach(shard_.get());
  TakeUpTypes();
  shard_->Resume("tester");
  must(service_->Attach(shard_.get(), store_.get(), &secrets_));
  must(service_->Begin());
  auto projector =
      projections::Projector::Open(*store_, options.shard, In("views"), projections::AllViews());
  must(projector);
  projector_ = *std::move(projector);
  EXPECT_TRUE(projector_->CatchUp().has_value());
  projector_->Start();
  retention_ = std::make_unique<retention::RetentionService>(retention::RetentionParts{
      .store = store_.get(),
      .shard = options.shard,
      .projector = projector_.get(),
      .views = projections::AllViews(),
      .clock = &clock_,
      .policy = {},
      .asker = {.actor = "tester", .source = {}},
      .problem = [](const Error& error) { ADD_FAILURE() << error.ToString(); },
      .at_step = nullptr});
  threads_ = std::make_unique<Threads>(loop());
}

ServedWorld::~ServedWorld() noexcept {
  Stop();
  maintenance_.reset();
  worker_operations_.reset();
  forks_.reset();
  events_.reset();
  histories_.reset();
  questions_.reset();
  triggers_.reset();
  definitions_.reset();
  instances_.reset();
  desk_.reset();
  threads_.reset();
  retention_.reset();
  projector_.reset();
  shard_.reset();
  service_.reset();
  tasks_.Clear();
  workers_.reset();
}

void ServedWorld::Stop() {
  desk_->Close();
  loop_.Settle();
  retention_->Stop();
  service_->End();
  workers_->Close();
  bool stopped = false;
  shard_->Stop([&] { stopped = true; });
  loop_.Until([&] { return stopped; });
  projector_->Stop();
}

void ServedWorld::TakeUpTypes() {
  types_ = runtime::CustomTypes(shard_->registry());
  types_.AddExecutors(nullptr, secrets_, workers_, tasks_);
}

void ServedWorld::Advance(int64_t us) {
  clock_.Advance(us);
  shard_->ElapseTimers();
  service_->Tick();
  Settle();
}

void ServedWorld::Settle() {
  for (int round = 0; round < 4; ++round) {
    bool durable = false;
    shard_->Post(
        [&] { shard_->Post([&] { shard_->WhenDurable([&](const auto&) { durable = true; }); }); });
    loop_.Until([&] { return durable; });
    loop_.Settle();
  }
}

void ServedWorld::CatchUp() {
  Settle();
  const Position end(store_->NextPosition(desk_->engine().shard_id).value - 1);
  const Status there = projector_->WaitFor(end, kViewPatienceUs);
  EXPECT_TRUE(there.has_value()) << there.error().ToString();
}

void ServedWorld::Register(const std::string& name, const std::string& steps,
                           const std::string& rest) {
  const auto registered = Await(definitions_->Register(
      Somebody(Role::kAdmin),
      {.text = fmt::format("version: '1.0'\nname: {}\n{}\nsteps: [{}]\n", name, rest, steps)}));
  EXPECT_TRUE(registered.has_value()) << registered.error().error.ToString();
  Settle();
}

InstanceId ServedWorld::Start(const std::string& definition, const std::string& input) {
  return Get(instances_->Start(Somebody(Role::kAdmin),
                               {.definition = definition, .input = Payload::FromText(input)}))
      .instance;
}

Caller ServedWorld::Somebody(Role role, std::vector<std::string> groups) {
  Caller caller;
  caller.name = RoleName(role);
  caller.role = role;
  caller.groups = std::move(groups);
  caller.source = "127.0.0.1";
  return caller;
}

}  // namespace stele::server
