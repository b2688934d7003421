#include "server/rpc/tasks.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/person_name.h"
#include "server/rpc/answer.h"
#include "server/rpc/call_meter.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

kj::Promise<void> TasksServer::find(FindContext context) {
  Given given;
  given.Add(access_->Check());
  Search search = given.Search(context.getParams().getSearch());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, search = std::move(search)] {
    return access->operations().questions.Tasks(access->caller(), search);
  }),
                [context](const Found<projections::TaskRow>& found) mutable {
                  Show(found, context.getResults().initPage());
                });
}

kj::Promise<void> TasksServer::get(GetContext context) {
  Given given;
  std::string step = given.Name(context.getParams().getStep(), "step");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  const InstanceId instance(context.getParams().getInstance());
  context.getResults().setTask(
      kj::heap<Measured<TaskServer>>(access_->options().calls, access_, instance, std::move(step)));
  return kj::READY_NOW;
}

requests::Person TaskServer::PersonOf(api::Acting::Reader acting, Given& given) const {
  const Caller& caller = access_->caller();
  requests::Person person{.name = given.Name(acting.getName(), "name"),
                          .groups = given.Names(acting.getGroups(), "groups"),
                          .comment = given.Text(acting.getComment(), "comment"),
                          .as_operator = acting.getAsOperator()};
  const bool is_somebody = !person.name.empty() || !person.groups.empty();
  if (is_somebody && caller.kind != CallerKind::kAnonymousDev)
    given.Add(access_->operations().desk.Deny(
        caller, Permission::kActForOthers,
        "name: Expected none, as who acts is who has logged in, but found one",
        access_->operations().instances.TargetOf(instance_)));
  if (const std::string_view fault = FaultOfPersonName(person.name);
      !person.name.empty() && !fault.empty())
    given.Add(ErrorCode::kInvalidInput,
              fmt::format("name: Expected the name of a person but found one {}", fault));
  if (!is_somebody) person.groups = caller.groups;
  if (person.name.empty()) person.name = caller.name;
  return person;
}

template <class Context>
kj::Promise<void> TaskServer::Send(Context context, const Given& given, bool as_operator,
                                   const requests::MakeCommand& make) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  Instances& instances = access_->operations().instances;
  if (as_operator) {
    const auto allowed = instances.Allow(access_->caller(), Permission::kActForOthers, instance_);
    if (!allowed.has_value()) return Refuse(allowed.error());
  }
  return Answer(instances.Send(access_->caller(), Permission::kDecideTasks, instance_, make),
                [context](const Written& written) mutable {
                  context.getResults().setPosition(written.position.value);
                });
}

template <class Context>
kj::Promise<void> TaskServer::Decide(Context context,
                                     requests::MakeCommand (*make)(std::string, requests::Person,
                                                                   Payload)) {
  const auto params = context.getParams();
  Given given;
  requests::Person person = PersonOf(params.getBy(), given);
  Payload variables = given.JsonObject(params.getVariables(), "variables");
  const bool as_operator = person.as_operator;
  return Send(context, given, as_operator, make(step_, std::move(person), std::move(variables)));
}

kj::Promise<void> TaskServer::claim(ClaimContext context) {
  Given given;
  requests::Person person = PersonOf(context.getParams().getBy(), given);
  const bool as_operator = person.as_operator;
  return Send(context, given, as_operator, requests::Claim(step_, std::move(person)));
}

kj::Promise<void> TaskServer::unclaim(UnclaimContext context) {
  Given given;
  requests::Person person = PersonOf(context.getParams().getBy(), given);
  const bool as_operator = person.as_operator;
  return Send(context, given, as_operator, requests::Release(step_, std::move(person)));
}

kj::Promise<void> TaskServer::approve(ApproveContext context) {
  return Decide(context, requests::Approve);
}

kj::Promise<void> TaskServer::reject(RejectContext context) {
  return Decide(context, requests::Reject);
}

kj::Promise<void> TaskServer::complete(CompleteContext context) {
  return Decide(context, requests::Complete);
}

kj::Promise<void> TaskServer::fail(FailContext context) {
  Given given;
  requests::Person person = PersonOf(context.getParams().getBy(), given);
  std::string kind = given.Name(context.getParams().getKind(), "kind");
  const bool as_operator = person.as_operator;
  return Send(context, given, as_operator,
              requests::FailTask(step_, std::move(person), std::move(kind)));
}

}  // namespace stele::server::rpc
