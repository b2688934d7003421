// What those who run a server ask of it.
#include <cstdlib>
#include <filesystem>

#include "engine/secrets/secret_key.h"
#include "replay/history.h"
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

class RpcMaintenance : public RpcWorld {
 protected:
  explicit RpcMaintenance(ServedData place = {})
      : RpcWorld(RpcOptions{.program = "stele test"}, std::move(place)) {
    setenv("STELE_SECRETS_KEY", secrets::SecretKey::Generate().ToText().c_str(), 1);
    world_.BeginRetention();
    world_.Register("quick", "{id: a, type: script}");
    world_.Register("hangs", "{id: hang, type: script}");
  }
  ~RpcMaintenance() override { unsetenv("STELE_SECRETS_KEY"); }

  api::Maintenance::Client Maintenance() {
    return Session().maintenanceRequest().send().getMaintenance();
  }
  // One that has completed, which the views know.
  uint64_t Completed() {
    const uint64_t id = Started("quick");
    EXPECT_EQ(EndOf(id), "completed");
    world_.CatchUp();
    return id;
  }
  static Value Read(capnp::Text::Reader json) { return ParseJson(json.cStr()).value(); }
  static int64_t Number(const Value& document, std::string_view name) {
    const Value* number = document.Find(name);
    EXPECT_TRUE(number != nullptr && number->is_int()) << name;
    return number == nullptr ? -1 : number->as_int();
  }
  auto BackingUp(const std::string& directory, uint32_t keep = 0) {
    auto request = Maintenance().backupRequest();
    request.setDirectory(directory);
    request.setKeep(keep);
    return request.send();
  }
  auto Erasing(uint64_t id) {
    auto request = Maintenance().eraseRequest();
    request.initNamed().initInstances(1).set(0, id);
    return request.send();
  }
  auto Retaining(uint64_t id, bool dry) {
    auto request = Maintenance().retainRequest();
    request.initNamed().initInstances(1).set(0, id);
    request.getNamed().setReason("asked for");
    request.setDryRun(dry);
    return request.send();
  }
  auto Setting(const std::string& name, std::string_view value) {
    auto request = Maintenance().setSecretRequest();
    request.setName(name);
    request.setValue(
        capnp::Data::Reader(reinterpret_cast<const uint8_t*>(value.data()), value.size()));
    return request.send();
  }
  std::string Secrets() { return Await(Maintenance().secretsRequest().send()).getSecrets().cStr(); }
};

TEST_F(RpcMaintenance, ProvesTheLog) {
  Completed();
  Started("hangs");
  world_.Settle();
  const Value report = Read(Await(Maintenance().verifyRequest().send()).getReport());
  EXPECT_EQ(Number(report, "instances"), 2);
  EXPECT_EQ(Number(report, "open"), 1);
  EXPECT_EQ(Number(report, "definitions"), 2);
  EXPECT_GT(Number(report, "events"), Number(report, "records"));
  auto chain = Maintenance().verifyRequest();
  chain.setChainAlone(true);
  const Value links = Read(Await(chain.send()).getReport());
  EXPECT_EQ(Number(links, "records"), Number(report, "records"));
  EXPECT_EQ(links.Find("events"), nullptr);
}

TEST_F(RpcMaintenance, BuildsViewsAnew) {
  Completed();
  const auto all = Await(Maintenance().rebuildViewsRequest().send());
  ASSERT_GT(all.getStates().size(), 3u);
  for (const auto state : all.getStates()) {
    EXPECT_TRUE(state.getServes()) << state.getName().cStr();
    EXPECT_FALSE(state.getBuilding()) << state.getName().cStr();
  }
  auto unknown = Maintenance().rebuildViewsRequest();
  unknown.initViews(1).set(0, "nonesuch");
  EXPECT_EQ(CodeOf(unknown.send()), ErrorCode::kUnknownView);
}

TEST_F(RpcMaintenance, ComparesViewsWithTheLog) {
  Completed();
  auto request = Maintenance().compareViewsRequest();
  request.initViews(1).set(0, "instances");
  const Value compared = Read(Await(request.send()).getComparisons());
  ASSERT_EQ(compared.as_array().size(), 1u);
  EXPECT_EQ(compared.as_array()[0].Find("view")->as_string(), "instances");
  EXPECT_GT(Number(compared.as_array()[0], "equal"), 0);
  EXPECT_EQ(Number(compared.as_array()[0], "differing"), 0);
  request = Maintenance().compareViewsRequest();
  request.initViews(1).set(0, "nonesuch");
  EXPECT_EQ(CodeOf(request.send()), ErrorCode::kUnknownView);
}

TEST_F(RpcMaintenance, MakesBackupsBelowTheDirectoryForThem) {
  Completed();
  const Value made = Read(Await(BackingUp("nightly/a")).getBackup());
  EXPECT_EQ(Number(made, "backup"), 1);
  EXPECT_TRUE(std::filesystem::exists(world_.backups() + "/nightly/a"));
  const Value again = Read(Await(BackingUp("nightly/a")).getBackup());
  EXPECT_TRUE(again.Find("unchanged")->as_bool());
  Completed();
  const Value second = Read(Await(BackingUp("nightly/a", 1)).getBackup());
  EXPECT_EQ(Number(second, "backup"), 2);
  EXPECT_EQ(second.Find("removed")->as_array().size(), 1u);

  auto list = Maintenance().backupsRequest();
  list.setDirectory("nightly/a");
  const auto found = Await(list.send());
  EXPECT_EQ(Read(found.getFound().getBackups()).as_array().size(), 1u);
  EXPECT_EQ(found.getFound().getFaults().size(), 0u);
  auto verify = Maintenance().verifyBackupsRequest();
  verify.setDirectory("nightly/a");
  const auto verified = Await(verify.send());
  const Value backups = Read(verified.getFound().getBackups());
  ASSERT_EQ(backups.as_array().size(), 1u);
  EXPECT_GT(Number(backups.as_array()[0], "records"), 0);
  verify = Maintenance().verifyBackupsRequest();
  verify.setDirectory("nightly/a");
  verify.setBackup(1);
  EXPECT_EQ(CodeOf(verify.send()), ErrorCode::kStoreNotFound);
}

TEST_F(RpcMaintenance, WritesNowhereElse) {
  for (const char* directory : {"", ".", "..", "../elsewhere", "a/../../b", "/tmp/a", "a//b", "a/",
                                ".hidden", "a b", "a\\b"})
    EXPECT_EQ(CodeOf(BackingUp(directory)), ErrorCode::kInvalidInput) << directory;
  EXPECT_FALSE(std::filesystem::exists(world_.backups()));
  server::Maintenance nowhere(world_.desk(), {world_.data(), ""});
  EXPECT_EQ(world_.CodeOf(nowhere.Backup(ServedWorld::Somebody(Role::kAdmin), "a", 0)),
            ErrorCode::kUnsupported);
}

TEST_F(RpcMaintenance, TellsOfBackupsThatCannotBeRead) {
  Completed();
  Await(BackingUp("a"));
  Completed();
  Await(BackingUp("a"));
  std::filesystem::resize_file(world_.backups() + "/a/manifests/1.json", 3);
  auto list = Maintenance().backupsRequest();
  list.setDirectory("a");
  const auto found = Await(list.send());
  const Value backups = Read(found.getFound().getBackups());
  ASSERT_EQ(backups.as_array().size(), 1u);
  EXPECT_EQ(Number(backups.as_array()[0], "backup"), 2);
  ASSERT_EQ(found.getFound().getFaults().size(), 1u);
  EXPECT_EQ(found.getFound().getFaults()[0].getCode(),
            static_cast<uint32_t>(ErrorCode::kBackupDamaged));
}

TEST_F(RpcMaintenance, ArchivesTheLog) {
  Completed();
  auto request = Maintenance().archiveRequest();
  request.initRange().setBefore(world_.clock().Now().value - 1'000'000'000);
  EXPECT_EQ(Number(Read(Await(request.send()).getReport()), "records"), 0);
  request = Maintenance().archiveRequest();
  request.initRange().setKeepBytes(1u << 30);
  EXPECT_EQ(Number(Read(Await(request.send()).getReport()), "records"), 0);
  const Value all = Read(Await(Maintenance().archiveRequest().send()).getReport());
  EXPECT_GT(Number(all, "records"), 0);
  EXPECT_EQ(Number(all, "archived_to"), Number(all, "records"));
}

TEST_F(RpcMaintenance, PurgesWhatIsNamedForWhoAsks) {
  const uint64_t id = Completed();
  const Value dry = Read(Await(Retaining(id, true)).getReport());
  EXPECT_TRUE(dry.Find("dry_run")->as_bool());
  EXPECT_EQ(Number(dry, "instances"), 1);
  EXPECT_EQ(StatusOf(id), "completed");
  const Value done = Read(Await(Retaining(id, false)).getReport());
  EXPECT_EQ(Number(done, "instances"), 1);
  EXPECT_GT(Number(done, "records"), 0);
  EXPECT_EQ(CodeOf(Instance(id).statusRequest().send()), ErrorCode::kInstanceErased);
  EXPECT_EQ(CodeOf(Retaining(4711, true)), ErrorCode::kUnknownInstance);
  const std::string caller = Await(Session().whoAmIRequest().send()).getCaller().getName().cStr();
  std::string actor;
  const auto read =
      replay::ReadRegistry(replay::StoreSource(world_.store(), world_.desk().engine().shard_id),
                           [&](const replay::HistoryEntry& entry) {
                             if (std::holds_alternative<model::InstancesPurged>(entry.event))
                               actor = entry.actor;
                           });
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(actor, caller);
}

TEST_F(RpcMaintenance, TellsOfItsPolicy) {
  const Value policy = Read(Await(Maintenance().retentionRequest().send()).getPolicy());
  EXPECT_EQ(policy.Find("closed")->as_double(), 0.0);
  EXPECT_EQ(policy.Find("every")->as_double(), 3600.0);
}

TEST_F(RpcMaintenance, ErasesNothingOfALogInClear) {
  EXPECT_EQ(CodeOf(Erasing(Completed())), ErrorCode::kUnsupported);
  EXPECT_EQ(CodeOf(Maintenance().eraseRequest().send()), ErrorCode::kInvalidInput);
  EXPECT_STREQ(Await(Maintenance().keysRequest().send()).getState().cStr(), R"({"sealed":false})");
}

class RpcSealedMaintenance : public RpcMaintenance {
 protected:
  RpcSealedMaintenance() : RpcMaintenance({.folder = "", .sealed = true}) {}
  std::string InputOf(uint64_t id) {
    std::string input;
    const auto read = replay::ReadHistory(
        world_.store(), world_.desk().engine().shard_id, InstanceId(id),
        [&](const replay::HistoryEntry& entry) {
          if (const auto* started = std::get_if<model::InstanceStarted>(&entry.event))
            input = started->input.text();
        });
    EXPECT_TRUE(read.has_value()) << read.error().ToString();
    return input;
  }
};

TEST_F(RpcSealedMaintenance, ErasesWhatInstancesWereGivenAndKeepsThatTheyRan) {
  const uint64_t id = Started("quick", R"({"card":"4711"})");
  const uint64_t other = Started("quick", R"({"card":"4712"})");
  const uint64_t open = Started("hangs");
  EXPECT_EQ(EndOf(id), "completed");
  EXPECT_EQ(EndOf(other), "completed");
  world_.CatchUp();
  EXPECT_STREQ(Await(Maintenance().keysRequest().send()).getState().cStr(), R"({"sealed":true})");
  ASSERT_EQ(InputOf(id), R"({"card":"4711"})");

  EXPECT_EQ(CodeOf(Erasing(open)), ErrorCode::kWrongState);
  const Value report = Read(Await(Erasing(id)).getReport());
  ASSERT_EQ(report.Find("erased")->as_array().size(), 1u);
  EXPECT_EQ(report.Find("erased")->as_array()[0], Value(static_cast<int64_t>(id)));
  EXPECT_EQ(report.Find("in_clear"), nullptr);

  EXPECT_EQ(InputOf(id), "");
  EXPECT_EQ(InputOf(other), R"({"card":"4712"})");
  EXPECT_EQ(CodeOf(Instance(id).retryRequest().send()), ErrorCode::kInstanceErased);
  EXPECT_GT(Number(Read(Await(Maintenance().verifyRequest().send()).getReport()), "records"), 0);
}

TEST_F(RpcMaintenance, KeepsSecretsAndNeverTellsThem) {
  EXPECT_EQ(Secrets(), "[]");
  Await(Setting("mail_password", "correct horse"));
  const Value listed = ParseJson(Secrets()).value();
  ASSERT_EQ(listed.as_array().size(), 1u);
  EXPECT_EQ(listed.as_array()[0].Find("name")->as_string(), "mail_password");
  EXPECT_EQ(Number(listed.as_array()[0], "bytes"), 13);
  EXPECT_FALSE(Secrets().contains("horse"));
  EXPECT_EQ(CodeOf(Setting("no name", "x")), ErrorCode::kBadSecret);
  EXPECT_EQ(CodeOf(Setting("empty", "")), ErrorCode::kBadSecret);
  const auto removing = [&] {
    auto remove = Maintenance().removeSecretRequest();
    remove.setName("mail_password");
    return remove.send();
  };
  Await(removing());
  EXPECT_EQ(Secrets(), "[]");
  EXPECT_EQ(CodeOf(removing()), ErrorCode::kUnknownSecret);
}

TEST_F(RpcMaintenance, IsNotDoneByAServerThatStops) {
  auto maintenance = Maintenance();
  Await(maintenance.keysRequest().send());
  world_.desk().Close();
  EXPECT_EQ(CodeOf(maintenance.verifyRequest().send()), ErrorCode::kClosed);
  EXPECT_EQ(CodeOf(maintenance.keysRequest().send()), ErrorCode::kClosed);
}

// What waits for its turn when the server stops.
class RpcMaintenanceLater : public RpcWorld {};

TEST_F(RpcMaintenanceLater, IsAnsweredWhenTheServerStops) {
  auto verifying = Session().maintenanceRequest().send().getMaintenance().verifyRequest().send();
  world_.Settle();
  world_.desk().Close();
  EXPECT_EQ(CodeOf(kj::mv(verifying)), ErrorCode::kClosed);
}

}  // namespace
}  // namespace stele::server::rpc
