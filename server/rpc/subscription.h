// Events on their way to somebody who follows them.
//
// One message after the other: no more go out than the receiver has answered for, but for a window
// of the connection's, and none while the connection has no room. What it has not taken stays in
// the log.
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <memory>
#include <vector>

#include "schemas/api.capnp.h"
#include "server/rpc/access.h"

namespace stele::server::rpc {

class SubscriptionServer : public api::Subscription::Server {
 public:
  SubscriptionServer(SharedAccess access, kj::Own<Events::Follower> follower,
                     api::EventReceiver::Client receiver);
  ~SubscriptionServer() noexcept(false);

  kj::Promise<void> position(PositionContext context) override;

 private:
  kj::Promise<void> GoOn();
  kj::Promise<void> Send(std::vector<EventPointer> events, size_t first);
  kj::Promise<void> End(const Error& error);

  const SharedAccess access_;
  kj::Own<Events::Follower> follower_;
  api::EventReceiver::Client receiver_;
  kj::Promise<void> going_on_;
};

// kLimitExceeded: the connection follows too much already; and what Events::Follow refuses.
Result<api::Subscription::Client> Follow(const SharedAccess& access,
                                         api::EventReceiver::Client receiver, EventFilter filter,
                                         api::EventPlace::Reader from);

}  // namespace stele::server::rpc
