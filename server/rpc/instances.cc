#include "server/rpc/instances.h"

#include <fmt/format.h>

#include "server/operations/receivers.h"
#include "server/rpc/answer.h"
#include "server/rpc/call_meter.h"
#include "server/rpc/given.h"
#include "server/rpc/instance.h"
#include "server/rpc/limits.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

Promised<Started> InstancesServer::StartOne(api::StartRequest::Reader request) {
  Given given;
  StartRequest start = given.Start(request);
  if (const Status fits = given.status(); !fits.has_value())
    return Result<Started>(std::unexpected(fits.error()));
  return access_->operations().instances.Start(access_->caller(), std::move(start));
}

kj::Promise<void> InstancesServer::start(StartContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  auto promised = StartOne(context.getParams());
  context.releaseParams();
  return Answer(kj::mv(promised), [this, context](const Started& started) mutable {
    auto results = context.getResults();
    Show(started, results.initStarted());
    results.setInstance(
        kj::heap<Measured<InstanceServer>>(access_->options().calls, access_, started.instance));
  });
}

kj::Promise<void> InstancesServer::startMany(StartManyContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  const auto requests = context.getParams().getRequests();
  if (requests.size() > kMaxStartsPerCall)
    return Refuse(
        {ErrorCode::kLimitExceeded, fmt::format("requests: Expected at most {} but found {}",
                                                kMaxStartsPerCall, requests.size())});
  auto promises = kj::heapArrayBuilder<Promised<Started>>(requests.size());
  for (const api::StartRequest::Reader request : requests) promises.add(StartOne(request));
  context.releaseParams();
  return kj::joinPromises(promises.finish())
      .then([context](kj::Array<Result<Started>> answers) mutable {
        auto results = context.getResults().initResults(static_cast<unsigned>(answers.size()));
        for (unsigned i = 0; i < answers.size(); ++i) {
          if (answers[i].has_value()) {
            Show(*answers[i], results[i].initStarted());
          } else {
            rpc::Show(answers[i].error(), results[i].initRefused());
          }
        }
      });
}

kj::Promise<void> InstancesServer::get(GetContext context) {
  const InstanceId id(context.getParams().getId());
  context.getResults().setInstance(
      kj::heap<Measured<InstanceServer>>(access_->options().calls, access_, id));
  return kj::READY_NOW;
}

kj::Promise<void> InstancesServer::publish(PublishContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  model::MessagePublished message{.name = given.Name(params.getName(), "name"),
                                  .key = given.Name(params.getKey(), "key"),
                                  .payload = given.Json(params.getPayload(), "payload"),
                                  .expires = TimeUs(params.getExpires()),
                                  .message_id = given.Name(params.getMessageId(), "messageId")};
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  const Desk& desk = access_->operations().desk;
  const Position next = desk.store().NextPosition(desk.engine().shard_id);
  return Answer(access_->operations().instances.Publish(access_->caller(), std::move(message)),
                [context, next](const Written& written) mutable {
                  context.getResults().setPosition(written.position.value);
                  context.getResults().setKnown(written.position < next);
                });
}

kj::Promise<void> InstancesServer::receivers(ReceiversContext context) {
  if (const Status valid = access_->Check(); !valid.has_value()) return Refuse(valid.error());
  context.allowCancellation();
  const Position message(context.getParams().getPosition());
  return Answer(access_->WhenFree([access = access_, message] {
    return ReceiversOf(access->operations().desk, access->caller(), message);
  }),
                [context](const std::vector<InstanceId>& instances) mutable {
                  auto list =
                      context.getResults().initInstances(static_cast<unsigned>(instances.size()));
                  for (unsigned i = 0; i < list.size(); ++i) list.set(i, instances[i].value);
                });
}

}  // namespace stele::server::rpc
