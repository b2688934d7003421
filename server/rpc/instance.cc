#include "server/rpc/instance.h"

#include <algorithm>

#include "base/json.h"
#include "server/operations/limits.h"
#include "server/rpc/answer.h"
#include "server/rpc/call_meter.h"
#include "server/rpc/limits.h"
#include "server/rpc/show.h"
#include "server/rpc/subscription.h"
#include "server/rpc/tasks.h"

namespace stele::server::rpc {

namespace {

// What `fill` needs of an instance's status, or the refusal of one that is too large.
auto ShowStatus(auto context) {
  return [context](const InstanceStatus& status) mutable -> Status {
    STELE_RETURN_IF_ERROR(CheckSize(status));
    Show(status, context.getResults().initStatus());
    return {};
  };
}

}  // namespace

kj::Promise<void> InstanceServer::status(StatusContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  context.allowCancellation();
  return Answer(access_->operations().instances.Get(access_->caller(), id_), ShowStatus(context));
}

kj::Promise<void> InstanceServer::wait(WaitContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  context.allowCancellation();
  const int64_t patience =
      std::clamp<int64_t>(context.getParams().getPatience(), 0, kMaxPatienceUs);
  context.releaseParams();
  return Answer(access_->operations().instances.Wait(access_->caller(), id_, patience),
                [this, show = ShowStatus(context)](const InstanceStatus& status) mutable -> Status {
                  // The token may have ended meanwhile; that the server stops does not matter.
                  const Status valid = access_->Check();
                  if (!valid.has_value() && valid.error().code != ErrorCode::kClosed) return valid;
                  return show(status);
                });
}

kj::Promise<void> InstanceServer::steps(StepsContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  context.allowCancellation();
  return Answer(access_->WhenFree([access = access_, id = id_] {
    return access->operations().histories.Steps(access->caller(), id);
  }),
                [context](Array& steps) mutable {
                  context.getResults().setSteps(TextOf(ToJson(Value(std::move(steps)))));
                });
}

kj::Promise<void> InstanceServer::history(HistoryContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const auto limit = LimitOf(params.getLimit(), kDefaultHistoryEvents, kMaxHistoryEvents);
  if (!limit.has_value()) given.Add(limit.error().code, limit.error().message);
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  return Answer(
      access_->WhenFree([access = access_, id = id_, from = Seq(params.getFrom()), limit = *limit] {
        return access->operations().histories.Events(access->caller(), id, from, limit);
      }),
      [context](HistoryPage& page) mutable {
        auto results = context.getResults();
        auto events = results.initEvents(static_cast<unsigned>(page.events.size()));
        for (unsigned i = 0; i < page.events.size(); ++i)
          events.set(i, TextOf(ToJson(Value(std::move(page.events[i])))));
        results.setNext(page.next.value);
        results.setPosition(page.position.value);
      });
}

kj::Promise<void> InstanceServer::logs(LogsContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  const auto limit =
      LimitOf(params.getLimit(), projections::kDefaultPageRows, projections::kMaxPageRows);
  if (!limit.has_value()) given.Add(limit.error().code, limit.error().message);
  std::string step = given.Name(params.getStep(), "step");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.allowCancellation();
  const projections::AttemptPlace after{RunId(params.getAfter().getRun()),
                                        params.getAfter().getAttempt()};
  return Answer(access_->WhenFree([access = access_, id = id_, step = std::move(step),
                                   limit = *limit, after] {
    return access->operations().questions.StepLogs(access->caller(), id, step, limit, after);
  }),
                [context](const projections::StepLogPage& page) mutable {
                  Show(page, context.getResults().initPage());
                });
}

kj::Promise<void> InstanceServer::records(RecordsContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  context.allowCancellation();
  const Seq from(context.getParams().getFrom());
  return Answer(access_->WhenFree([access = access_, id = id_, from] {
    return access->operations().histories.Records(access->caller(), id, from);
  }),
                [context](const RecordPage& page) mutable -> Status {
                  auto results = context.getResults();
                  STELE_RETURN_IF_ERROR(ShowPage(page, results));
                  auto lacking = results.initLacking(static_cast<unsigned>(page.lacking.size()));
                  for (unsigned i = 0; i < page.lacking.size(); ++i)
                    lacking.set(i, TextOf(page.lacking[i]));
                  return {};
                });
}

kj::Promise<void> InstanceServer::follow(FollowContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  EventFilter filter = given.Filter(params.getFilter());
  filter.instance = id_;
  if (!id_) given.Add(ErrorCode::kUnknownInstance, "Expected an instance's number but found 0");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  auto subscription = Follow(access_, params.getReceiver(), std::move(filter), params.getFrom());
  if (!subscription.has_value()) return Refuse(subscription.error());
  context.getResults().setSubscription(kj::mv(*subscription));
  return kj::READY_NOW;
}

kj::Promise<void> InstanceServer::task(TaskContext context) {
  Given given;
  std::string step = given.Name(context.getParams().getStep(), "step");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  context.getResults().setTask(
      kj::heap<Measured<TaskServer>>(access_->options().calls, access_, id_, std::move(step)));
  return kj::READY_NOW;
}

}  // namespace stele::server::rpc
