#include "server/rpc/session.h"

#include "base/json.h"
#include "replay/audit/deed_text.h"
#include "server/operations/deeds.h"
#include "server/operations/limits.h"
#include "server/operations/proofs.h"
#include "server/rpc/alerts.h"
#include "server/rpc/answer.h"
#include "server/rpc/call_meter.h"
#include "server/rpc/definitions.h"
#include "server/rpc/given.h"
#include "server/rpc/instances.h"
#include "server/rpc/maintenance.h"
#include "server/rpc/show.h"
#include "server/rpc/subscription.h"
#include "server/rpc/tasks.h"
#include "server/rpc/triggers.h"
#include "server/rpc/views.h"
#include "server/rpc/workers.h"

namespace stele::server::rpc {

namespace {

auto ShowToken(auto context) {
  return [context](const IssuedToken& token) mutable {
    context.getResults().setToken(TextOf(token.text));
    context.getResults().setExpires(token.caller.expires.value);
  };
}

}  // namespace

kj::Promise<void> SessionServer::whoAmI(WhoAmIContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  Show(access_->caller(), context.getResults().initCaller());
  return kj::READY_NOW;
}

kj::Promise<void> SessionServer::narrow(NarrowContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const std::string role = given.Name(params.getRole(), "role");
  std::vector<std::string> groups = given.Names(params.getGroups(), "groups");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  return Answer(access_->Narrowed(role, std::move(groups)),
                [context](const SharedAccess& narrowed) mutable {
                  context.getResults().setSession(
                      kj::heap<Measured<SessionServer>>(narrowed->options().calls, narrowed));
                });
}

kj::Promise<void> SessionServer::instances(InstancesContext context) {
  context.getResults().setInstances(
      kj::heap<Measured<InstancesServer>>(access_->options().calls, access_));
  return kj::READY_NOW;
}

kj::Promise<void> SessionServer::definitions(DefinitionsContext context) {
  context.getResults().setDefinitions(
      kj::heap<Measured<DefinitionsServer>>(access_->options().calls, access_));
  return kj::READY_NOW;
}

kj::Promise<void> SessionServer::triggers(TriggersContext context) {
  context.getResults().setTriggers(
      kj::heap<Measured<TriggersServer>>(access_->options().calls, access_));
  return kj::READY_NOW;
}

kj::Promise<void> SessionServer::tasks(TasksContext context) {
  context.getResults().setTasks(kj::heap<Measured<TasksServer>>(access_->options().calls, access_));
  return kj::READY_NOW;
}

kj::Promise<void> SessionServer::views(ViewsContext context) {
  context.getResults().setViews(kj::heap<Measured<ViewsServer>>(access_->options().calls, access_));
  return kj::READY_NOW;
}

kj::Promise<void> SessionServer::log(LogContext context) {
  context.getResults().setLog(kj::heap<Measured<LogServer>>(access_->options().calls, access_));
  return kj::READY_NOW;
}

kj::Promise<void> SessionServer::alerts(AlertsContext context) {
  alerts::Alerts* const alerts = access_->options().alerts;
  if (alerts == nullptr)
    return Refuse({ErrorCode::kUnsupported,
                   "Expected a server that has alert rules but found one that has none"});
  context.getResults().setAlerts(
      kj::heap<Measured<AlertsServer>>(access_->options().calls, access_, *alerts));
  return kj::READY_NOW;
}

kj::Promise<void> SessionServer::workers(WorkersContext context) {
  context.getResults().setWorkers(
      kj::heap<Measured<WorkersServer>>(access_->options().calls, access_));
  return kj::READY_NOW;
}

kj::Promise<void> SessionServer::maintenance(MaintenanceContext context) {
  if (access_->operations().maintenance == nullptr)
    return Refuse({ErrorCode::kUnsupported,
                   "Expected a server that is maintained from outside but found one that is not"});
  context.getResults().setMaintenance(
      kj::heap<Measured<MaintenanceServer>>(access_->options().calls, access_));
  return kj::READY_NOW;
}

Status SessionServer::CheckHolder() const {
  STELE_RETURN_IF_ERROR(access_->Check());
  if (access_->options().logins == nullptr)
    return Fail(ErrorCode::kUnsupported,
                "Expected a session with a token but found that this server asks nobody for one");
  if (access_->caller() == access_->holder()) return {};
  return Fail(ErrorCode::kForbidden,
              "Expected the session of who has logged in but found one that was handed on");
}

kj::Promise<void> SessionServer::refresh(RefreshContext context) {
  if (const Status holds = CheckHolder(); !holds.has_value()) return Refuse(holds.error());
  return Answer(access_->options().logins->Refresh(access_->holder()), ShowToken(context));
}

kj::Promise<void> SessionServer::logout(LogoutContext context) {
  if (const Status holds = CheckHolder(); !holds.has_value()) return Refuse(holds.error());
  return Answer(access_->options().logins->Logout(access_->holder()), [](const Written&) {});
}

kj::Promise<void> SessionServer::changePassword(ChangePasswordContext context) {
  if (const Status holds = CheckHolder(); !holds.has_value()) return Refuse(holds.error());
  const auto params = context.getParams();
  const SecretText before(std::string_view(params.getBefore().begin(), params.getBefore().size()));
  const SecretText now(std::string_view(params.getNow().begin(), params.getNow().size()));
  return Answer(access_->options().logins->ChangePassword(access_->holder(), before, now),
                ShowToken(context));
}

kj::Promise<void> LogServer::follow(FollowContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  EventFilter filter = given.Filter(params.getFilter());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  auto subscription = Follow(access_, params.getReceiver(), std::move(filter), params.getFrom());
  if (!subscription.has_value()) return Refuse(subscription.error());
  context.getResults().setSubscription(kj::mv(*subscription));
  return kj::READY_NOW;
}

kj::Promise<void> LogServer::report(ReportContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  replay::DeedFilter filter = given.Deeds(params.getFilter());
  const std::string from = given.Name(params.getFrom(), "from");
  const auto limit = LimitOf(params.getLimit(), kDefaultDeeds, kMaxDeeds);
  if (!limit.has_value()) given.Add(limit.error().code, limit.error().message);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(
      access_->WhenFree([access = access_, filter = std::move(filter), from, limit = *limit] {
        return ReadDeeds(access->operations().desk, access->caller(), filter, from, limit);
      }),
      [context](const DeedPage& page) mutable {
        auto results = context.getResults();
        auto deeds = results.initDeeds(static_cast<unsigned>(page.deeds.size()));
        for (unsigned i = 0; i < deeds.size(); ++i)
          deeds.set(i, TextOf(ToJson(Value(replay::ToJson(page.deeds[i])))));
        results.setNext(TextOf(page.next));
        results.setPosition(page.position.value);
      });
}

kj::Promise<void> LogServer::prove(ProveContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  const InstanceId instance(params.getInstance());
  const auto event = params.getEvent() == 0 ? std::nullopt : std::optional(Seq(params.getEvent()));
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, instance, event] {
    return ProveRecords(access->operations().desk, access->caller(), instance, event);
  }),
                [context](const replay::MadeProof& made) mutable {
                  auto results = context.getResults();
                  results.setProof(TextOf(ToJson(replay::ToJson(made.proof))));
                  results.setCovered(made.covered);
                  results.setLeftOut(made.left_out);
                });
}

kj::Promise<void> LogServer::heads(HeadsContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const auto limit = LimitOf(params.getLimit(), kDefaultHeads, kMaxHeads);
  if (!limit.has_value()) given.Add(limit.error().code, limit.error().message);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, from = params.getFrom(), limit = *limit] {
    return ReadHeads(access->operations().desk, access->caller(), from, limit);
  }),
                [context](const std::vector<std::string>& notes) mutable {
                  auto heads = context.getResults().initHeads(static_cast<unsigned>(notes.size()));
                  for (unsigned i = 0; i < heads.size(); ++i) heads.set(i, TextOf(notes[i]));
                });
}

kj::Promise<void> LogServer::growth(GrowthContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  std::string older = given.Text(params.getOlder(), "older");
  std::string newer = given.Text(params.getNewer(), "newer");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(
      access_->WhenFree([access = access_, older = std::move(older), newer = std::move(newer)] {
        return ProveGrowth(access->operations().desk, access->caller(), older, newer);
      }),
      [context](const replay::Growth& growth) mutable {
        context.getResults().setProof(TextOf(ToJson(replay::ToJson(growth))));
      });
}

}  // namespace stele::server::rpc
