// Where every request of an edge is served: it knows the engine, who may do what, and when the
// server closes. The operations beside it are what it serves, by concern; REST and RPC stand on the
// same ones, so that both do the same and refuse the same.
//
// An operation answers with a promise: at once where the loop knows the answer, when the record is
// durable where something changes, from a thread of its own where the answer must be read. What is
// refused is an Error value; a promise is broken only by our own fault.
//
// Thread: the loop's, on which the KjLoop runs, too.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/model/asker.h"
#include "server/auth/caller.h"
#include "server/auth/grants.h"
#include "server/auth/roles.h"
#include "server/operations/served_engine.h"
#include "server/operations/sight.h"
#include "server/operations/threads.h"

namespace stele::server {

template <class T>
using Promised = kj::Promise<Result<T>>;

// REQUIRES: the caller outlives it.
inline model::Asker AskerOf(const Caller& caller) {
  return {caller.name, caller.source};
}

// What a change came to in the log.
struct Written {
  Position position;
};

class Desk {
 public:
  // What somebody may not do something with; empty: with nothing certain, or with all.
  struct Target {
    std::string_view definition;
    InstanceId instance;
  };
  // Told of each attempt that was denied.
  using Denied =
      std::function<void(const Caller& caller, Permission permission, const Target& target)>;

  // REQUIRES: all of them outlive it.
  Desk(const ServedEngine& engine, Threads& threads, kj::Timer& timer);
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  const ServedEngine& engine() const { return engine_; }
  runtime::Shard& shard() { return *engine_.shard; }
  const model::Registry& registry() const { return engine_.shard->registry(); }
  const eventstore::EventStore& store() const { return *engine_.store; }
  // A registry of the definitions alone, for other threads: what each was registered with, and not
  // what has become of it. Copied when there are more of them.
  std::shared_ptr<const model::Registry> Definitions();
  TimeUs Now() const { return engine_.clock->Now(); }
  kj::Timer& timer() { return timer_; }

  // kForbidden, which is told to whoever watches over attempts. `definition`: the name of the one
  // that it is about, empty: it is about none, or about all. `instance`: the one that is asked for.
  Status Allow(const Caller& caller, Permission permission, std::string_view definition = {},
               InstanceId instance = {});
  // The same by the role alone, whatever the definition says; `about` is asked when it is denied.
  Status AllowByRole(const Caller& caller, Permission permission,
                     const std::function<Target()>& about);
  // kForbidden with that sentence, for another reason than roles and definitions; it is told, too.
  std::unexpected<Error> Deny(const Caller& caller, Permission permission, std::string sentence,
                              const Target& about = {});
  // The definitions of which the caller may do that, whatever else there is. REQUIRES: somebody
  // may, of no definition: what Allow says without one.
  Sight SightOf(const Caller& caller, Permission permission);
  // kForbidden, which is told as of Allow, unless the caller may make `next` count for that
  // definition from now on: what guards one is not for everybody who may define it. Null: it says
  // nothing.
  Status AllowPermissions(const Caller& caller, std::string_view definition,
                          const DefinitionPermissions* next);
  // Null: it says nothing. Good as long as the desk.
  const DefinitionPermissions* PermissionsOf(const model::RegisteredDefinition& registered);
  // As of requests::FindDefinition, with the names of those alone that the caller may see.
  Result<const model::RegisteredDefinition*> FindDefinition(const Caller& caller,
                                                            const std::string& name,
                                                            uint32_t version, bool startable);
  void WatchDenied(Denied denied) { denied_ = std::move(denied); }

  // What the shard answers, as a promise. Use the answer once.
  struct Answering {
    Promised<Written> promise;
    runtime::Shard::Answer answer;
  };
  Answering Await();

  // Answers on another thread, what `work` gives there: it must touch nothing of the loop's.
  // kBackPressure: too much waits for those threads.
  template <class Work>
  auto Read(Work work) {
    return RunOn(threads_.reading, std::move(work));
  }
  // The same for what may wait, or read much of the log: so much of it and no more at once.
  template <class Work>
  auto ReadLong(Work work) {
    return RunOn(threads_.slow, std::move(work));
  }
  template <class Work>
  auto HashPassword(Work work) {
    return RunOn(threads_.passwords, std::move(work));
  }

  // The server closes: whoever waits for what may take long is answered, and begins nothing new.
  void Close();
  bool closed() const { return closed_; }
  kj::Promise<void> WhenClosed() { return closing_.addBranch(); }
  // Nothing is under way any more: no answer of the shard's, no work on a thread, and nothing that
  // came of them. REQUIRES: it is closed, and nobody else asks.
  kj::Promise<void> WhenIdle();
  static std::unexpected<Error> Closed() {
    return Fail(ErrorCode::kClosed, "Expected a server that goes on but it is stopping");
  }

 private:
  struct Guarded {
    std::string definition;
    const DefinitionPermissions* permissions;
  };

  const DefinitionPermissions* PermissionsOf(std::string_view definition);
  const std::vector<Guarded>& GuardedDefinitions();

  // What is under way; whoever counts for it may outlive the desk.
  struct UnderWay {
    size_t count = 0;
    kj::Own<kj::PromiseFulfiller<void>> none;  // null: nobody asks
  };
  class Counted {
   public:
    explicit Counted(std::shared_ptr<UnderWay> under_way) : under_way_(std::move(under_way)) {
      ++under_way_->count;
    }
    ~Counted() {
      if (under_way_ != nullptr && --under_way_->count == 0 && under_way_->none.get() != nullptr)
        under_way_->none->fulfill();
    }
    Counted(Counted&&) = default;
    Counted& operator=(Counted&&) = delete;

   private:
    std::shared_ptr<UnderWay> under_way_;
  };

  template <class Work>
  auto RunOn(WorkThreads& threads, Work work)
      -> Promised<typename std::invoke_result_t<Work>::value_type> {
    using Answer = std::invoke_result_t<Work>;
    if (threads.full())
      return Answer(Fail(ErrorCode::kBackPressure,
                         "Expected a thread that is free but found too many questions waiting; "
                         "try again later"));
    return threads.Run<Answer>(std::move(work)).attach(Counted(under_way_));
  }

  const ServedEngine engine_;
  Threads& threads_;
  kj::Timer& timer_;
  Denied denied_;
  std::map<DefinitionId, std::optional<DefinitionPermissions>> permissions_;  // of those looked at
  projections::HiddenNames narrowed_;  // definitions of which some version narrows something
  size_t looked_at_ = 0;               // so many of the registry's, for that
  std::vector<Guarded> guarded_;       // as of the registry's event
  Seq guarded_seq_;
  std::shared_ptr<const model::Registry> definitions_;
  const std::shared_ptr<UnderWay> under_way_ = std::make_shared<UnderWay>();
  bool closed_ = false;
  kj::Own<kj::PromiseFulfiller<void>> close_;
  kj::ForkedPromise<void> closing_;
};

}  // namespace stele::server
