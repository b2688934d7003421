#include "server/rpc/subscription.h"

#include <fmt/format.h>

#include <utility>

#include "server/rpc/call_meter.h"
#include "server/rpc/limits.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

SubscriptionServer::SubscriptionServer(SharedAccess access, kj::Own<Events::Follower> follower,
                                       api::EventReceiver::Client receiver)
    : access_(std::move(access)),
      follower_(kj::mv(follower)),
      receiver_(kj::mv(receiver)),
      going_on_(nullptr) {
  ++access_->connected().subscriptions;
  // A receiver that fails or is gone wants no more, and has nobody to be told.
  going_on_ = kj::evalLater([this] { return GoOn(); }).eagerlyEvaluate([](kj::Exception&&) {});
}

SubscriptionServer::~SubscriptionServer() noexcept(false) {
  --access_->connected().subscriptions;
}

kj::Promise<void> SubscriptionServer::position(PositionContext context) {
  context.getResults().setPosition(follower_->position().value);
  return kj::READY_NOW;
}

kj::Promise<void> SubscriptionServer::GoOn() {
  // Nothing is read for a peer that does not read.
  if (!access_->connected().HasRoom())
    return access_->connected().WhenRoom().then([this] { return GoOn(); });
  return follower_->Next().then(
      [this](Result<std::vector<EventPointer>> events) -> kj::Promise<void> {
        if (!events.has_value()) return End(events.error());
        if (events->empty()) return End(Desk::Closed().error());
        if (const Status valid = access_->Check(); !valid.has_value()) return End(valid.error());
        return Send(*std::move(events), 0);
      });
}

kj::Promise<void> SubscriptionServer::Send(std::vector<EventPointer> events, size_t first) {
  if (!access_->connected().HasRoom())
    return access_->connected().WhenRoom().then(
        [this, events = std::move(events), first]() mutable {
          return Send(std::move(events), first);
        });
  size_t end = first;
  for (size_t bytes = 0;
       end < events.size() && end - first < kEventsPerMessage && bytes < kEventBytesPerMessage;
       ++end)
    bytes += events[end]->json.size();
  auto request = receiver_.nextRequest();
  auto list = request.initEvents(static_cast<unsigned>(end - first));
  for (size_t i = first; i < end; ++i) Show(*events[i], list[static_cast<unsigned>(i - first)]);
  return request.send().then([this, events = std::move(events), end]() mutable {
    return end == events.size() ? GoOn() : Send(std::move(events), end);
  });
}

kj::Promise<void> SubscriptionServer::End(const Error& error) {
  auto request = receiver_.endRequest();
  request.setCode(static_cast<uint32_t>(error.code));
  request.setMessage(TextOf(error.message));
  return request.send().ignoreResult();
}

Result<api::Subscription::Client> Follow(const SharedAccess& access,
                                         api::EventReceiver::Client receiver, EventFilter filter,
                                         api::EventPlace::Reader from) {
  if (access->connected().subscriptions >= kMaxSubscriptions)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected at most {} subscriptions of a connection but found as many",
                            kMaxSubscriptions));
  auto follower = access->operations().events.Follow(
      access->caller(), std::move(filter), {Position(from.getPosition()), from.getOrdinal()});
  if (!follower.has_value()) return std::unexpected(follower.error());
  return api::Subscription::Client(kj::heap<Measured<SubscriptionServer>>(
      access->options().calls, access, kj::mv(*follower), kj::mv(receiver)));
}

}  // namespace stele::server::rpc
