// Tasks for people: finding them, and what people do about one.
//
// Thread: the loop's.
#pragma once

#include "engine/requests/people.h"
#include "schemas/api.capnp.h"
#include "server/rpc/access.h"
#include "server/rpc/given.h"

namespace stele::server::rpc {

class TasksServer : public api::Tasks::Server {
 public:
  explicit TasksServer(SharedAccess access) : access_(std::move(access)) {}

  kj::Promise<void> find(FindContext context) override;
  kj::Promise<void> get(GetContext context) override;

 private:
  const SharedAccess access_;
};

class TaskServer : public api::Task::Server {
 public:
  TaskServer(SharedAccess access, InstanceId instance, std::string step)
      : access_(std::move(access)), instance_(instance), step_(std::move(step)) {}

  kj::Promise<void> claim(ClaimContext context) override;
  kj::Promise<void> unclaim(UnclaimContext context) override;
  kj::Promise<void> approve(ApproveContext context) override;
  kj::Promise<void> reject(RejectContext context) override;
  kj::Promise<void> complete(CompleteContext context) override;
  kj::Promise<void> fail(FailContext context) override;

 private:
  // The caller, or in `--dev` whoever they say that they are.
  requests::Person PersonOf(api::Acting::Reader acting, Given& given) const;
  template <class Context>
  kj::Promise<void> Send(Context context, const Given& given, bool as_operator,
                         const requests::MakeCommand& make);
  template <class Context>
  kj::Promise<void> Decide(Context context,
                           requests::MakeCommand (*make)(std::string, requests::Person, Payload));

  const SharedAccess access_;
  const InstanceId instance_;
  const std::string step_;
};

}  // namespace stele::server::rpc
