// On whose behalf the calls of a session are made, and what the session belongs to.
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/alerts/alerts.h"
#include "server/auth/caller.h"
#include "server/auth/source.h"
#include "server/operations/logins.h"
#include "server/operations/operations.h"
#include "server/rpc/endings.h"
#include "server/rpc/limits.h"

namespace stele::server {
class MessageNetwork;
}

namespace stele::server::rpc {

class CallMeter;

struct RpcOptions {
  // Null: nobody is asked for a name (--dev). Outlives the server.
  Logins* logins = nullptr;
  alerts::Alerts* alerts = nullptr;  // null: none are served. Outlives the server
  std::string program;               // "stele 0.1.0"
  CallMeter* calls = nullptr;        // null: nobody counts. Outlives the server
  // How long a connection may stay without anybody being known.
  int64_t login_patience_us = kLoginPatienceUs;
  // A connection ends whose peer takes nothing of what it has asked for from one look, of which
  // there is one in this time, to the next.
  int64_t send_patience_us = kSendPatienceUs;
};

// Lets so many in at once; others wait, in their order. Who stops waiting leaves nothing behind.
class Turnstile {
 public:
  explicit Turnstile(size_t places) : free_(places) {}
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;

  // Kept when there is a place, which is taken until the answer is dropped.
  class Place {
   public:
    explicit Place(Turnstile& turnstile) : turnstile_(turnstile) {}
    ~Place() { turnstile_.Leave(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    Turnstile& turnstile_;
  };
  // REQUIRES: this outlives the promise and the place.
  kj::Promise<kj::Own<Place>> Enter();
  size_t waiting() const { return waiting_.size(); }

 private:
  class Waiter;
  void Leave();

  size_t free_;
  std::list<Waiter*> waiting_;
};

// What the sessions of a connection share.
struct Connected {
  Connected(std::string_view from, Endings& endings)
      : source(Through(kRpcDoor, from)), endings(endings) {}

  std::string source;     // as server/auth/source.h has it
  Endings& endings;       // the server's
  bool admitted = false;  // somebody is known
  size_t subscriptions = 0;
  Turnstile questions{kMaxQuestions};
  MessageNetwork* network = nullptr;  // null: it is gone, or there was none

  // Whether the server may say what nobody has asked for: the peer has read most of what is there.
  bool HasRoom() const;
  // Kept when it may, however long that takes; another may have been the first to. Fails when the
  // connection is gone.
  kj::Promise<void> WhenRoom();
};

class Access {
 public:
  Access(const Operations& operations, const RpcOptions& options,
         std::shared_ptr<Connected> connected, Caller caller)
      : operations_(operations),
        options_(options),
        connected_(std::move(connected)),
        holder_(caller),
        caller_(std::move(caller)) {}

  const Operations& operations() const { return operations_; }
  const RpcOptions& options() const { return options_; }
  Connected& connected() const { return *connected_; }
  // As far as the session lets them.
  const Caller& caller() const { return caller_; }
  // As the credential says.
  const Caller& holder() const { return holder_; }

  // Asked before anything is done: whether the credential still counts, and the server goes on.
  Status Check() const;

  // The same caller with less. kForbidden: not less. `role` empty: the same one.
  Result<std::shared_ptr<const Access>> Narrowed(const std::string& role,
                                                 std::vector<std::string> groups) const;

  // Asks a question that is answered from the log or a view, when it is its turn.
  template <class Ask>
  auto WhenFree(Ask ask) const -> std::invoke_result_t<Ask> {
    return connected_->questions.Enter().then(
        [ask = std::move(ask)](kj::Own<Turnstile::Place> place) mutable {
          return ask().attach(kj::mv(place));
        });
  }

 private:
  const Operations& operations_;
  const RpcOptions& options_;
  std::shared_ptr<Connected> connected_;
  Caller holder_;
  Caller caller_;
};

using SharedAccess = std::shared_ptr<const Access>;

}  // namespace stele::server::rpc
