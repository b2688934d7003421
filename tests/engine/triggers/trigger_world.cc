#include "tests/engine/triggers/trigger_world.h"

#include <fmt/format.h>

#include "base/json.h"
#include "engine/definition/canonical.h"
#include "engine/definition/load.h"
#include "engine/model/codec.h"

namespace stele::triggers {

class TriggerWorld::Executor final : public tasks::TaskExecutor {
 public:
  explicit Executor(TriggerWorld& world) : world_(world) {}
  void Start(tasks::TaskRequest request, std::function<void(tasks::TaskResult)> done) override {
    if (world_.hanging.contains(std::string(request.step_id))) return;
    if (request.step_id == "fail") {
      tasks::TaskResult failure;
      failure.outcome = std::unexpected(tasks::TaskFailure{"boom", "told to fail", false, {}});
      return done(std::move(failure));
    }
    tasks::TaskResult result;
    result.outcome = Payload::FromText("{}");
    done(std::move(result));
  }
  void Cancel(const tasks::AttemptKey&, std::function<void()> stopped) override { stopped(); }
  bool repeats_after_crash() const override { return true; }

 private:
  TriggerWorld& world_;
};

TriggerWorld::TriggerWorld(std::unique_ptr<eventstore::MemoryStore> store, TimeUs now,
                           runtime::ShardOptions options, uint64_t note_records)
    : store_(std::move(store)), clock_(now) {
  uv_loop_init(&loop_);
  tasks_.Register("script", std::make_unique<Executor>(*this));
  service_ = std::make_unique<TriggerService>(ServiceParts{.loop = &loop_,
                                                           .clock = &clock_,
                                                           .shard = options.shard,
                                                           .next = this,
                                                           .note_records = note_records});
  auto opened = runtime::Shard::Open(
      {&loop_, store_.get(), &tasks_, &clock_, &secrets_, service_.get()}, options);
  if (!opened.has_value()) {
    ADD_FAILURE() << opened.error().ToString();
    return;
  }
  shard_ = *std::move(opened);
  shard_->Resume("tester");
  Status begun = service_->Attach(shard_.get(), store_.get(), &secrets_);
  if (begun.has_value()) begun = service_->Begin();
  EXPECT_TRUE(begun.has_value()) << begun.error().ToString();
}

TriggerWorld::~TriggerWorld() {
  if (shard_ != nullptr) Stop();
  shard_.reset();
  service_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(uv_loop_close(&loop_), 0);
}

DefinitionId TriggerWorld::Register(const std::string& name, const std::string& triggers,
                                    const std::string& step) {
  const std::string yaml = fmt::format(
      "version: '1.0'\nname: {}\nsteps:\n  - {{id: {}, type: script, config: {{script: x}}}}\n{}",
      name, step, triggers.empty() ? "" : "triggers: " + triggers + "\n");
  definition::LoadResult loaded = definition::Load(yaml, definition::Syntax::kYaml, "test");
  if (!loaded.has_value()) {
    ADD_FAILURE() << definition::FormatFault("test", loaded.error().front());
    return DefinitionId();
  }
  const DefinitionId id =
      shard_->Register({definition::WriteCanonical(**loaded), (*loaded)->name, yaml, "test.yml"},
                       "tester", [](const auto&) {});
  RunUntilQuiet();
  return id;
}

TriggerId TriggerWorld::Add(const std::string& definition, const std::string& trigger) {
  std::optional<Result<Position>> answer;
  const TriggerId id = service_->Add(definition, *ParseJson(trigger), "tester",
                                     [&](const Result<Position>& given) { answer = given; });
  RunUntil([&] { return answer.has_value(); });
  if (!failed()) {
    EXPECT_TRUE(answer->has_value()) << answer->error().ToString();
  }
  RunUntilQuiet();
  return id;
}

Status TriggerWorld::Change(TriggerId id, model::TriggerState state) {
  std::optional<Result<Position>> answer;
  service_->Change(id, state, "by the test", "tester",
                   [&](const Result<Position>& given) { answer = given; });
  RunUntil([&] { return answer.has_value(); });
  RunUntilQuiet();
  if (!answer->has_value()) return std::unexpected(answer->error());
  return {};
}

void TriggerWorld::Publish(const std::string& name, const std::string& key,
                           const std::string& payload, const std::string& message_id) {
  shard_->Publish({.name = name,
                   .key = key,
                   .payload = Payload::FromText(payload),
                   .expires = {},
                   .message_id = message_id},
                  "tester", [](const auto&) {});
  RunUntilQuiet();
}

Result<std::optional<InstanceId>> TriggerWorld::Fire(TriggerId id, const std::string& key,
                                                     const Value& input) {
  std::optional<Result<std::optional<InstanceId>>> answer;
  service_->Fire(id, key, input, "tester", [&](const auto& given) { answer = given; });
  RunUntil([&] { return answer.has_value(); });
  if (!answer.has_value()) return Fail(ErrorCode::kShardStopped, "failed");
  return *answer;
}

Result<Backfilled> TriggerWorld::Backfill(TriggerId id, int64_t from_us, int64_t to_us) {
  std::optional<Result<Backfilled>> answer;
  service_->Backfill(id, TimeUs(from_us), TimeUs(to_us), "tester",
                     [&](const Result<Backfilled>& given) { answer = given; });
  RunUntil([&] { return answer.has_value(); });
  RunUntilQuiet();
  if (!answer.has_value()) return Fail(ErrorCode::kShardStopped, "failed");
  return *answer;
}

Delivery TriggerWorld::Deliver(const WebhookRequest& request) {
  std::optional<Delivery> answer;
  service_->Deliver(request, "tester", [&](const Delivery& given) { answer = given; });
  RunUntil([&] { return answer.has_value(); });
  return answer.value_or(Delivery());
}

void TriggerWorld::AdvanceTo(TimeUs now) {
  clock_.Set(now);
  shard_->ElapseTimers();
  service_->Tick();
  RunUntilQuiet();
}

void TriggerWorld::RunUntilQuiet() {
  // A command that is refused comes back when all before it is durable and released. A firing leads
  // to a start, whose end lets the next one start.
  for (int i = 0; i < 12 && !failed(); ++i) {
    bool answered = false;
    shard_->Send(InstanceId(UINT32_MAX), model::TerminateInstance{}, "tester",
                 [&](const auto&) { answered = true; });
    RunUntil([&] { return answered; });
  }
}

void TriggerWorld::End(InstanceId instance) {
  shard_->Send(instance, model::TerminateInstance{}, "tester", nullptr);
  RunUntilQuiet();
}

void TriggerWorld::Stop() {
  service_->End();
  bool stopped = false;
  shard_->Stop([&] { stopped = true; });
  while (!stopped) uv_run(&loop_, UV_RUN_ONCE);
  shard_.reset();
}

std::unique_ptr<eventstore::MemoryStore> TriggerWorld::Crash(size_t kept_puts) {
  std::unique_ptr<eventstore::MemoryStore> left = store_->Crash(kept_puts);
  shard_.reset();
  service_.reset();
  return left;
}

template <class Visit>
void TriggerWorld::ForEachEvent(Visit visit) const {
  auto cursor = store_->Read(ShardId(), Position(1));
  while (true) {
    const auto record = (*cursor)->Next();
    ASSERT_TRUE(record.has_value()) << record.error().ToString();
    if (!record->has_value()) return;
    const auto events = model::Decode((*record)->body);
    for (const model::Event& event : *events) visit(**record, event);
  }
}

std::vector<Start> TriggerWorld::Starts() const {
  std::vector<Start> starts;
  ForEachEvent([&](const eventstore::RecordView& record, const model::Event& event) {
    const auto* started = std::get_if<model::InstanceStarted>(&event);
    if (started == nullptr) return;
    starts.push_back({record.header.instance, started->idempotency_key,
                      shard_->registry().Find(started->definition)->name,
                      std::string(started->input.text())});
  });
  return starts;
}

std::vector<std::string> TriggerWorld::Outcomes(TriggerId trigger) const {
  std::vector<std::string> outcomes;
  ForEachEvent([&](const eventstore::RecordView&, const model::Event& event) {
    const auto* fired = std::get_if<model::TriggerFired>(&event);
    if (fired != nullptr && fired->trigger == trigger) outcomes.push_back(fired->outcome);
  });
  return outcomes;
}

std::vector<std::string> TriggerWorld::Unstarted() const {
  std::set<std::string> fired;
  std::set<std::string> started;
  ForEachEvent([&](const eventstore::RecordView&, const model::Event& event) {
    if (const auto* firing = std::get_if<model::TriggerFired>(&event)) {
      const std::string key = runtime::FiringKey(firing->trigger, firing->key);
      if (firing->outcome == "start" || firing->outcome == "buffer") {
        EXPECT_TRUE(fired.insert(key).second) << key << " fired twice";
      }
    } else if (const auto* start = std::get_if<model::InstanceStarted>(&event)) {
      if (!start->idempotency_key.empty()) {
        EXPECT_TRUE(started.insert(start->idempotency_key).second)
            << start->idempotency_key << " started twice";
      }
    }
  });
  std::vector<std::string> unstarted;
  for (const std::string& key : fired)
    if (!started.contains(key)) unstarted.push_back(key);
  return unstarted;
}

}  // namespace stele::triggers
