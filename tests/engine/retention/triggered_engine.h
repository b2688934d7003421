// An engine over a store on the disk, with its triggers, its views and its retention. Its clock is
// the test's. When it goes it is as after kill -9, but for what the store has not given to the
// disk.
//
// Thread: one; it runs the loop.
#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/definition/canonical.h"
#include "engine/definition/load.h"
#include "engine/model/codec.h"
#include "engine/model/payload_spans.h"
#include "engine/retention/service.h"
#include "engine/tasks/function_executor.h"
#include "engine/triggers/service.h"
#include "eventstore/for_each_record.h"
#include "eventstore/rocksdb_store.h"
#include "projections/all_views.h"
#include "tests/engine/retention/driven_clock.h"

namespace stele::retention {

struct TriggeredOptions {
  uint64_t note_records = triggers::kNoteRecords;
  // Without them nothing fires, as when a command of the shell removes.
  bool triggers = true;
  bool sealed = false;  // payloads are
};

class TriggeredEngine final : public runtime::Observer {
 public:
  explicit TriggeredEngine(const std::string& directory, TriggeredOptions options = {}) {
    uv_loop_init(&loop_);
    tasks_.Register("script", std::make_unique<tasks::FunctionExecutor>(
                                  tasks::Always(Payload::FromText("{}"))));
    OpenStore(directory, options.sealed);
    if (options.triggers)
      triggers_ = std::make_unique<triggers::TriggerService>(
          triggers::ServiceParts{.loop = &loop_,
                                 .clock = &clock_,
                                 .shard = kShard,
                                 .next = this,
                                 .note_records = options.note_records});
    runtime::Observer* const observer =
        triggers_ ? static_cast<runtime::Observer*>(triggers_.get()) : this;
    auto shard =
        runtime::Shard::Open({&loop_, store_.get(), &tasks_, &clock_, &secrets_, observer}, {});
    if (!shard.has_value()) std::abort();
    shard_ = *std::move(shard);
    if (triggers_) {
      shard_->Resume("tester");
      Status begun = triggers_->Attach(shard_.get(), store_.get(), &secrets_);
      if (begun.has_value()) begun = triggers_->Begin();
      EXPECT_TRUE(begun.has_value()) << begun.error().ToString();
    }
    StartRetention(directory);
    RunUntilQuiet();
  }
  ~TriggeredEngine() override {
    service_->Stop();
    views_->Stop();
    shard_.reset();
    triggers_.reset();
    views_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  runtime::Shard& shard() { return *shard_; }
  // What conditions see.
  const Value& Counts(const std::string& definition) {
    return *triggers_->views().roots().Find("definitions")->Find(definition);
  }
  std::string AllCounts() { return ToJson(triggers_->views().roots()); }

  DefinitionId Register(const std::string& yaml) {
    auto loaded = definition::Load(yaml, definition::Syntax::kYaml, "test");
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
  InstanceId Start(DefinitionId definition) {
    const InstanceId id = shard_->Start({.definition = definition}, "tester", nullptr);
    RunUntilQuiet();
    return id;
  }
  // Side by side.
  std::vector<InstanceId> StartMany(DefinitionId definition, size_t count) {
    std::vector<InstanceId> ids(count);
    for (InstanceId& id : ids) id = shard_->Start({.definition = definition}, "tester", nullptr);
    RunUntilQuiet();
    return ids;
  }
  Position Publish(const std::string& name, const std::string& key, const std::string& payload) {
    Position position;
    shard_->Publish({.name = name,
                     .key = key,
                     .payload = Payload::FromText(payload),
                     .expires = {},
                     .message_id = {}},
                    "tester", [&](const Result<Position>& answer) { position = answer.value(); });
    RunUntilQuiet();
    return position;
  }
  void Advance(int64_t us) {
    clock_.Advance(us);
    triggers_->Tick();
    RunUntilQuiet();
  }
  // With the notes as they are now.
  void WriteCheckpoint() {
    std::optional<Status> written;
    shard_->WriteCheckpoint([&](const Result<Position>& answer) {
      written = answer.has_value() ? Status() : std::unexpected(answer.error());
    });
    while (!written.has_value() && !fatal_) uv_run(&loop_, UV_RUN_ONCE);
    ASSERT_TRUE(written.has_value() && written->has_value());
  }
  void Purge(const std::vector<InstanceId>& instances) {
    const auto purged = Do([&](RetentionService& service) {
      return service.PurgeNamed(instances, "by the test", /*dry=*/false);
    });
    ASSERT_TRUE(purged.has_value()) << purged.error().ToString();
    ASSERT_EQ(purged->instances, instances.size());
  }
  ErasureReport Erase(const std::vector<InstanceId>& instances) {
    const auto erased =
        Do([&](RetentionService& service) { return service.Erase(instances, "", "by the test"); });
    EXPECT_TRUE(erased.has_value()) << erased.error().ToString();
    return erased.value_or(ErasureReport());
  }
  void RunUntilQuiet() {
    // A command that is refused comes back when all before it is durable and released. A firing
    // leads to a start.
    for (int i = 0; i < 12 && !fatal_; ++i) {
      bool answered = false;
      shard_->Send(InstanceId(UINT32_MAX), model::TerminateInstance{}, "tester",
                   [&](const auto&) { answered = true; });
      while (!answered && !fatal_) uv_run(&loop_, UV_RUN_ONCE);
    }
    ASSERT_FALSE(fatal_);
  }

  // Calls visit(record, event) for all that the log says, in order.
  template <class Visit>
  void ForEachEvent(Visit visit) const {
    const Status read = eventstore::ForEachRecord(
        store_->Read(kShard, Position(1)), [&](const eventstore::RecordView& record) {
          return model::DecodeEach(record.body,
                                   [&](const model::Event& event) { visit(record, event); });
        });
    ASSERT_TRUE(read.has_value()) << read.error().ToString();
  }
  size_t CountFirings() const {
    size_t count = 0;
    ForEachEvent([&](const auto&, const model::Event& event) {
      count += std::holds_alternative<model::TriggerFired>(event) ? 1 : 0;
    });
    return count;
  }
  // Positions of records of which the payloads are gone.
  std::vector<Position> Erased() const {
    std::vector<Position> erased;
    ForEachEvent([&](const eventstore::RecordView& record, const model::Event&) {
      if (record.erased && (erased.empty() || erased.back() != record.position))
        erased.push_back(record.position);
    });
    return erased;
  }

 private:
  static constexpr ShardId kShard{0};

  void OpenStore(const std::string& directory, bool sealed) {
    eventstore::RocksDbOptions options;
    if (sealed) {
      options.master_key = eventstore::CipherKey(std::string(eventstore::kKeyBytes, 'k'));
      options.payloads = std::make_shared<model::RecordPayloads>();
    }
    auto store = eventstore::OpenRocksDbStore(directory, options);
    if (!store.has_value()) std::abort();
    store_ = *std::move(store);
  }
  void StartRetention(const std::string& directory) {
    auto views = projections::Projector::Open(*store_, kShard, directory + "/views",
                                              projections::AllViews());
    if (!views.has_value()) std::abort();
    views_ = *std::move(views);
    views_->Start();
    service_ = std::make_unique<RetentionService>(
        RetentionParts{.store = store_.get(),
                       .shard = kShard,
                       .projector = views_.get(),
                       .views = projections::AllViews(),
                       .clock = &clock_,
                       .policy = {},
                       .asker = {.actor = "tester", .source = {}},
                       .problem = nullptr,
                       .at_step = nullptr});
    service_->Start(shard_.get(), /*runs=*/false);
  }
  // Has it done on the service's thread, the loop running meanwhile.
  template <class Task>
  auto Do(Task task) -> std::invoke_result_t<Task, RetentionService&> {
    std::atomic<bool> done = false;
    std::optional<std::invoke_result_t<Task, RetentionService&>> result;
    service_->Do([&](RetentionService& service) {
      result = task(service);
      done = true;
      shard_->Post([] {});
    });
    while (!done) uv_run(&loop_, UV_RUN_ONCE);
    RunUntilQuiet();
    return *std::move(result);
  }
  void OnFatal(const Error& error) override {
    fatal_ = true;
    ADD_FAILURE() << error.ToString();
  }

  uv_loop_t loop_;
  tasks::TaskRegistry tasks_;
  DrivenClock clock_;
  secrets::EnvironmentSecrets secrets_;
  std::unique_ptr<eventstore::EventStore> store_;
  std::unique_ptr<triggers::TriggerService> triggers_;
  std::unique_ptr<runtime::Shard> shard_;
  std::unique_ptr<projections::Projector> views_;
  std::unique_ptr<RetentionService> service_;
  bool fatal_ = false;
};

}  // namespace stele::retention
