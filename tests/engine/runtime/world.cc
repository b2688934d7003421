#include "tests/engine/runtime/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "engine/definition/canonical.h"
#include "engine/definition/load.h"
#include "engine/model/codec.h"
#include "engine/model/snapshot.h"
#include "engine/runtime/call_executor.h"

namespace stele::runtime {

std::string EndState(const model::Instance& instance) {
  std::string text =
      fmt::format("{} {}\n", model::StatusName(instance.status), instance.output.text());
  for (const model::Scope& scope : instance.scopes) {
    for (const model::NamedPayload& variable : scope.variables)
      text += fmt::format("{}={}\n", variable.name, variable.value.text());
    for (const model::Slot& slot : scope.slots)
      text += fmt::format("step {}: {} x{}\n", slot.step.value, static_cast<int>(slot.state),
                          slot.completions);
  }
  return text;
}

// Answers at once, when it is told to, or never.
class World::Executor final : public tasks::TaskExecutor {
 public:
  explicit Executor(World& world) : world_(world) {}
  void Start(tasks::TaskRequest request, std::function<void(tasks::TaskResult)> done) override {
    const std::string step(request.step_id);
    tasks::TaskResult result = world_.Do(request);
    if (world_.held.contains(step)) {
      world_.waiting_.push_back({step, request.key, std::move(done)});
    } else if (!world_.hanging.contains(step)) {
      done(std::move(result));
    }
  }
  void Cancel(const tasks::AttemptKey& key, std::function<void()> stopped) override {
    world_.cancelled.push_back(key.ToString());
    std::erase_if(world_.waiting_, [&](const Waiting& waiting) { return waiting.key == key; });
    stopped();
  }
  bool repeats_after_crash() const override { return world_.repeats_after_crash; }

 private:
  World& world_;
};

World::World(std::unique_ptr<eventstore::MemoryStore> store, ShardOptions options)
    : store_(std::move(store)), options_(options) {
  uv_loop_init(&loop_);
}

World::~World() {
  if (shard_ != nullptr) Stop();
  shard_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(uv_loop_close(&loop_), 0);
}

void World::Open() {
  tasks_.Register("script", std::make_unique<Executor>(*this));
  auto call = std::make_unique<CallExecutor>();
  CallExecutor& calls = *call;
  tasks_.Register("call", std::move(call));
  auto opened = Shard::Open({&loop_, store_.get(), &tasks_, &clock_, &secrets_, this}, options_);
  ASSERT_TRUE(opened.has_value()) << opened.error().ToString();
  shard_ = *std::move(opened);
  calls.Attach(shard_.get());
}

tasks::TaskResult World::Do(const tasks::TaskRequest& request) {
  const std::string step(request.step_id);
  if (ledger != nullptr) ledger->push_back({step, request.key.attempt, request.key.ToString()});
  uint32_t& left = failing[step];
  if (left > 0) {
    --left;
    return {std::unexpected(tasks::TaskFailure{"boom", "told to fail", true, {}}), {}};
  }
  return {Payload::FromValue(Object{{"step", Value(step)}}), {}};
}

DefinitionId World::Register(const std::string& yaml) {
  definition::LoadResult loaded = definition::Load(yaml, definition::Syntax::kYaml, "test");
  if (!loaded.has_value()) {
    ADD_FAILURE() << definition::FormatFault("test", loaded.error().front());
    return DefinitionId();
  }
  return shard_->Register({definition::WriteCanonical(**loaded), (*loaded)->name, yaml, "test.yml"},
                          "tester", [](const auto&) {});
}

Result<Position> World::Start(DefinitionId definition, InstanceId* id) {
  return Start({.definition = definition, .input = Payload::FromText("{}")}, id);
}

Result<Position> World::Start(model::StartInstance start, InstanceId* id, StartOptions options) {
  std::optional<Result<Position>> answer;
  const InstanceId started = shard_->Start(
      std::move(start), "tester", [&](const Result<Position>& a) { answer = a; }, options);
  if (id != nullptr) *id = started;
  while (!answer.has_value()) uv_run(&loop_, UV_RUN_ONCE);
  return *answer;
}

model::ForkInstance World::ForkOf(InstanceId origin) {
  const model::Instance& state = At(origin);
  return {.origin = origin,
          .origin_seq = state.seq,
          .origin_position = state.position,
          .state = model::ForkedState(std::make_shared<model::Instance>(model::CopyOf(state)))};
}

Result<Position> World::Fork(model::ForkInstance fork, InstanceId* id, StartOptions options) {
  std::optional<Result<Position>> answer;
  const InstanceId begun = shard_->Fork(
      std::move(fork), "tester", [&](const Result<Position>& a) { answer = a; }, options);
  if (id != nullptr) *id = begun;
  while (!answer.has_value()) uv_run(&loop_, UV_RUN_ONCE);
  return *answer;
}

Result<Position> World::Publish(const std::string& name, const std::string& key,
                                const std::string& payload, const std::string& id, TimeUs expires) {
  model::MessagePublished message;
  message.name = name;
  message.key = key;
  message.payload = Payload::FromText(payload);
  message.message_id = id;
  message.expires = expires;
  std::optional<Result<Position>> answer;
  shard_->Publish(std::move(message), "tester", [&](const Result<Position>& a) { answer = a; });
  while (!answer.has_value()) uv_run(&loop_, UV_RUN_ONCE);
  return *answer;
}

const model::Instance& World::At(InstanceId instance) {
  const auto found = shard_->Find(instance);
  CHECK(found.has_value(), "{}", found.error().ToString());
  return **found;
}

bool World::RunUntil(const std::function<bool()>& holds) {
  for (int i = 0; i < 100 && !holds() && !fatal_.has_value(); ++i) RunUntilQuiet();
  return holds();
}

void World::Advance(int64_t us) {
  clock_.Advance(us);
  shard_->ElapseTimers();
  RunUntilQuiet();
}

bool World::Finish(const std::string& step) {
  const auto found = std::ranges::find(waiting_, step, &Waiting::step);
  if (found == waiting_.end()) return false;
  const Waiting waiting = std::move(*found);
  waiting_.erase(found);
  waiting.done({Payload::FromValue(Object{{"step", Value(step)}}), {}});
  RunUntilQuiet();
  return true;
}

std::vector<std::string> World::outside(const std::string& step) const {
  std::vector<std::string> keys;
  for (const Waiting& waiting : waiting_)
    if (waiting.step == step) keys.push_back(waiting.key.ToString());
  return keys;
}

Result<Position> World::Ask(InstanceId instance, model::Command command) {
  std::optional<Result<Position>> answer;
  shard_->Send(instance, std::move(command), "tester",
               [&](const Result<Position>& a) { answer = a; });
  while (!answer.has_value()) uv_run(&loop_, UV_RUN_ONCE);
  return *answer;
}

bool World::RunUntilEnded(InstanceId instance) {
  while (!ended(instance) && !fatal_.has_value()) uv_run(&loop_, UV_RUN_ONCE);
  return !fatal_.has_value();
}

void World::RunUntilQuiet() {
  // A command that is refused comes back when all before it is durable and released.
  for (int i = 0; i < 3 && !fatal_.has_value(); ++i)
    (void)Ask(InstanceId(UINT32_MAX), model::TerminateInstance{});
}

void World::Stop() {
  bool stopped = false;
  shard_->Stop([&] { stopped = true; });
  while (!stopped) uv_run(&loop_, UV_RUN_ONCE);
  shard_.reset();
}

std::unique_ptr<eventstore::MemoryStore> World::Crash(size_t kept_puts) {
  std::unique_ptr<eventstore::MemoryStore> left = store_->Crash(kept_puts);
  shard_.reset();
  return left;
}

void World::OnRecord(InstanceId id, std::span<const model::Event> events,
                     const model::RecordContext& record) {
  std::string text = fmt::format("{}@{}:", id.value, record.position.value);
  for (const model::Event& event : events) text += fmt::format(" {}", model::EventName(event));
  records_.push_back(std::move(text));
}

void World::OnEnded(const model::Instance& instance) {
  // A failed one may end again when it has been retried.
  if (ended(instance.id)) {
    EXPECT_TRUE(ended_[instance.id].starts_with("failed")) << instance.id.value << " ended twice";
  }
  ended_[instance.id] = EndState(instance);
}

void World::OnFatal(const Error& error) {
  fatal_ = error;
}

}  // namespace stele::runtime
