// Every method of the native interface with every role. The methods come from the schema: one that
// the table below does not have fails.
#include <capnp/dynamic.h>
#include <capnp/schema.h>

#include <functional>
#include <map>
#include <set>

#include "replay/history.h"
#include "server/auth/roles.h"
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

using Request = capnp::Request<capnp::DynamicStruct, capnp::DynamicStruct>;

class Receiver final : public api::EventReceiver::Server {
  kj::Promise<void> next(NextContext) override { return kj::READY_NOW; }
  kj::Promise<void> end(EndContext) override { return kj::READY_NOW; }
};

class IdleWorker final : public api::Worker::Server {
  kj::Promise<void> run(RunContext) override { return kj::NEVER_DONE; }
};

struct Guarded {
  const char* method;
  std::optional<Permission> permission;  // nothing: of whoever has the capability
  std::function<void(Request&)> fill = nullptr;
};

const std::string kText = "version: '1.0'\nname: another\nsteps: [{id: a, type: script}]\n";

// What is given lets a call come as far as the question whether the caller may.
const std::vector<Guarded>& Table() {
  using enum Permission;
  static const std::vector<Guarded> table = {
      {"Session.whoAmI", {}},
      {"Session.narrow", {}},
      {"Session.instances", {}},
      {"Session.definitions", {}},
      {"Session.triggers", {}},
      {"Session.tasks", {}},
      {"Session.views", {}},
      {"Session.log", {}},
      {"Session.refresh", {}},
      {"Session.logout", {}},
      {"Session.changePassword", {}},
      {"Session.workers", {}},
      {"Session.maintenance", {}},
      {"Session.alerts", {}},
      {"Alerts.list", kReadFigures},
      {"Alerts.get", kReadFigures, [](Request& to) { to.set("name", "none"); }},
      {"Alerts.set", kAdminister,
       [](Request& to) {
         to.set("name", "some");
         to.set("rule", R"({"condition": "failed > 0"})");
       }},
      {"Alerts.remove", kAdminister, [](Request& to) { to.set("name", "none"); }},
      {"Instances.start", kStart, [](Request& to) { to.set("definition", "hangs"); }},
      {"Instances.startMany", kStart,
       [](Request& to) {
         to.as<api::Instances::StartManyParams>().initRequests(1)[0].setDefinition("hangs");
       }},
      {"Instances.get", {}},
      {"Instances.publish", kSignal, [](Request& to) { to.set("name", "paid"); }},
      {"Instances.receivers", kRead, [](Request& to) { to.set("position", 1); }},
      {"Instance.status", kRead},
      {"Instance.wait", kRead},
      {"Instance.signal", kSignal, [](Request& to) { to.set("name", "go"); }},
      {"Instance.pause", kOperate},
      {"Instance.resume", kOperate},
      {"Instance.cancel", kOperate},
      {"Instance.terminate", kOperate},
      {"Instance.retry", kOperate},
      {"Instance.retryStep", kOperate},
      {"Instance.skipStep", kOperate},
      {"Instance.rollBack", kOperate},
      {"Instance.resolveStep", kOperate},
      {"Instance.setVariables", kOperate},
      {"Instance.migrate", kOperate, [](Request& to) { to.set("version", 1); }},
      {"Instance.fork", kOperate,
       [](Request& to) { to.init("moment").as<capnp::DynamicStruct>().set("seq", 1); }},
      {"Instance.steps", kRead},
      {"Instance.history", kRead},
      {"Instance.stateAt", kRead},
      {"Instance.logs", kRead},
      {"Instance.follow", kRead,
       [](Request& to) { to.as<api::Instance::FollowParams>().setReceiver(kj::heap<Receiver>()); }},
      {"Instance.task", {}},
      {"Instance.records", kRead},
      {"Instance.diff", kRead},
      {"Instance.bisect", kRead, [](Request& to) { to.set("expression", "seq > 1"); }},
      {"Instance.timeline", kRead},
      {"Tasks.find", kRead},
      {"Tasks.get", {}},
      {"Task.claim", kDecideTasks},
      {"Task.unclaim", kDecideTasks},
      {"Task.approve", kDecideTasks},
      {"Task.reject", kDecideTasks},
      {"Task.complete", kDecideTasks},
      {"Task.fail", kDecideTasks},
      {"Views.instances", kRead},
      {"Views.statistics", kRead},
      {"Views.series", kRead, [](Request& to) { to.set("resolution", "hour"); }},
      {"Views.definitions", kRead},
      {"Views.errors", kRead},
      {"Views.workers", kReadFigures},
      {"Views.states", kReadFigures},
      {"Log.follow", kRead,
       [](Request& to) { to.as<api::Log::FollowParams>().setReceiver(kj::heap<Receiver>()); }},
      {"Log.report", kAudit},
      {"Log.prove", kAudit, [](Request& to) { to.set("instance", 1); }},
      {"Log.heads", kAudit},
      {"Log.growth", kAudit},
      {"Subscription.position", {}},
      {"Definitions.validate", kReadDefinitions,
       [](Request& to) { to.as<api::Definitions::ValidateParams>().initText().setText(kText); }},
      {"Definitions.register", kDefine,
       [](Request& to) { to.as<api::Definitions::RegisterParams>().initText().setText(kText); }},
      {"Definitions.list", kReadDefinitions},
      {"Definitions.get", kReadDefinitions, [](Request& to) { to.set("name", "hangs"); }},
      {"Definitions.source", kReadDefinitions, [](Request& to) { to.set("name", "hangs"); }},
      {"Definitions.change", kDefine,
       [](Request& to) {
         to.set("name", "hangs");
         to.as<api::Definitions::ChangeParams>().setState(api::DefinitionState::ACTIVE);
       }},
      {"Definitions.types", kReadDefinitions},
      {"Definitions.registerType", kDefine,
       [](Request& to) {
         to.set("name", "own");
         to.set("document", R"({"base": "script"})");
       }},
      {"Definitions.removeType", kDefine, [](Request& to) { to.set("name", "own"); }},
      {"Definitions.records", kReadDefinitions},
      {"Triggers.list", kReadDefinitions},
      {"Triggers.get", kReadDefinitions, [](Request& to) { to.set("id", 1); }},
      {"Triggers.add", kTrigger,
       [](Request& to) {
         to.set("definition", "hangs");
         to.set("trigger", R"({"name": "second", "type": "manual"})");
       }},
      {"Triggers.change", kTrigger, [](Request& to) { to.set("id", 1); }},
      {"Triggers.fire", kTrigger, [](Request& to) { to.set("id", 1); }},
      {"Triggers.backfill", kTrigger, [](Request& to) { to.set("id", 1); }},
      {"Workers.join", kWork,
       [](Request& to) {
         auto params = to.as<api::Workers::JoinParams>();
         params.setWorker(kj::heap<IdleWorker>());
         params.initTypes(1).set(0, "worker");
         params.setSlots(1);
       }},
      {"Membership.setSlots", {}},
      {"Membership.setRate", {}},
      {"Membership.leave", {}},
      {"Membership.whenEnded", {}},
      {"Maintenance.verify", kAdminister},
      {"Maintenance.rebuildViews", kAdminister},
      {"Maintenance.compareViews", kAdminister},
      {"Maintenance.backup", kAdminister, [](Request& to) { to.set("directory", "a"); }},
      {"Maintenance.backups", kAdminister, [](Request& to) { to.set("directory", "a"); }},
      {"Maintenance.verifyBackups", kAdminister, [](Request& to) { to.set("directory", "a"); }},
      {"Maintenance.archive", kAdminister},
      {"Maintenance.retention", kAdminister},
      {"Maintenance.retain", kAdminister},
      {"Maintenance.erase", kAdminister,
       [](Request& to) {
         to.as<api::Maintenance::EraseParams>().initNamed().initInstances(1).set(0, 1);
       }},
      {"Maintenance.secrets", kAdminister},
      {"Maintenance.setSecret", kAdminister, [](Request& to) { to.set("name", "a"); }},
      {"Maintenance.removeSecret", kAdminister, [](Request& to) { to.set("name", "a"); }},
      {"Maintenance.keys", kAdminister},
  };
  return table;
}

// "Instance" of "schemas/api.capnp:Instance"
std::string NameOf(const capnp::InterfaceSchema& schema) {
  const std::string name = schema.getProto().getDisplayName().cStr();
  return name.substr(name.rfind(':') + 1);
}

// All interfaces that calls give, from a session on.
void AddReachable(const capnp::InterfaceSchema& schema,
                  std::map<std::string, capnp::InterfaceSchema>& found) {
  if (!found.emplace(NameOf(schema), schema).second) return;
  for (const auto method : schema.getMethods())
    for (const auto field : method.getResultType().getFields())
      if (field.getType().isInterface()) AddReachable(field.getType().asInterface(), found);
}

class RpcAccess : public RpcWorld {
 protected:
  RpcAccess() {
    world_.BeginRetention();
    world_.Register("hangs", "{id: hang, type: script}", "triggers: [{name: first, type: manual}]");
    world_.Register("review", "{id: review, type: approval}");
  }

  // Of a session with that role: the object that the interface is about, each time a new one.
  capnp::DynamicCapability::Client Capability(const std::string& name, Role role) {
    auto session = Narrowed(std::string(RoleName(role)));
    if (name == "Instances") return session.instancesRequest().send().getInstances();
    if (name == "Definitions") return session.definitionsRequest().send().getDefinitions();
    if (name == "Triggers") return session.triggersRequest().send().getTriggers();
    if (name == "Tasks") return session.tasksRequest().send().getTasks();
    if (name == "Views") return session.viewsRequest().send().getViews();
    if (name == "Log") return session.logRequest().send().getLog();
    if (name == "Workers") return session.workersRequest().send().getWorkers();
    if (name == "Alerts") return session.alertsRequest().send().getAlerts();
    if (name == "Maintenance") return session.maintenanceRequest().send().getMaintenance();
    if (name == "Instance") {
      auto get = session.instancesRequest().send().getInstances().getRequest();
      get.setId(Started("hangs"));
      return get.send().getInstance();
    }
    EXPECT_EQ(name, "Task");
    auto get = session.tasksRequest().send().getTasks().getRequest();
    get.setInstance(Started("review"));
    get.setStep("review");
    return get.send().getTask();
  }

  bool IsForbidden(Request& request) {
    auto sent = request.send();
    std::optional<bool> forbidden;
    auto task = sent.then(
                        [&](capnp::Response<capnp::DynamicStruct>&& answer) {
                          forbidden = IsForbiddenInside(answer);
                        },
                        [&](kj::Exception&& why) {
                          forbidden = ErrorOf(why).code == ErrorCode::kForbidden;
                        })
                    .eagerlyEvaluate(nullptr);
    world_.Until([&] { return forbidden.has_value(); });
    return *forbidden;
  }
  // Of what answers for each of many.
  static bool IsForbiddenInside(const capnp::DynamicStruct::Reader& answer) {
    if (answer.getSchema() != capnp::Schema::from<api::Instances::StartManyResults>()) return false;
    const auto results = answer.as<api::Instances::StartManyResults>().getResults();
    return results[0].isRefused() &&
           results[0].getRefused().getCode() == static_cast<uint32_t>(ErrorCode::kForbidden);
  }
};

TEST_F(RpcAccess, IsSaidOfEveryMethod) {
  std::map<std::string, capnp::InterfaceSchema> interfaces;
  AddReachable(capnp::Schema::from<api::Session>(), interfaces);
  std::multiset<std::string> there;
  for (const auto& [name, schema] : interfaces)
    for (const auto method : schema.getMethods())
      there.insert(name + "." + method.getProto().getName().cStr());
  std::multiset<std::string> said;
  for (const Guarded& guarded : Table()) said.insert(guarded.method);
  EXPECT_EQ(there, said);
}

TEST_F(RpcAccess, IsAsTheTableOfRolesHasIt) {
  for (const Guarded& guarded : Table()) {
    if (!guarded.permission.has_value()) continue;
    const std::string name(guarded.method);
    const size_t dot = name.find('.');
    for (size_t i = 0; i < kRoles; ++i) {
      const auto role = static_cast<Role>(i);
      auto capability = Capability(name.substr(0, dot), role);
      Request request = capability.newRequest(name.substr(dot + 1).c_str());
      if (guarded.fill) guarded.fill(request);
      EXPECT_EQ(IsForbidden(request), !MayDo(role, *guarded.permission))
          << guarded.method << " for " << RoleName(role);
    }
  }
}

TEST_F(RpcAccess, IsNotedWhenItIsDenied) {
  Denials denials(world_.desk());
  auto maintenance = Narrowed("operator").maintenanceRequest().send().getMaintenance();
  EXPECT_EQ(CodeOf(maintenance.verifyRequest().send()), ErrorCode::kForbidden);
  world_.Settle();
  std::vector<std::string> noted;
  const auto read = replay::ReadRegistry(
      replay::StoreSource(world_.store(), world_.desk().engine().shard_id),
      [&](const replay::HistoryEntry& entry) {
        if (const auto* denied = std::get_if<model::AccessDenied>(&entry.event))
          noted.push_back(denied->name + " " + denied->document);
      });
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  ASSERT_EQ(noted.size(), 1u);
  EXPECT_TRUE(noted[0].starts_with("administer ")) << noted[0];
  EXPECT_TRUE(noted[0].contains("operator")) << noted[0];
}

}  // namespace
}  // namespace stele::server::rpc
