// A server that commands ask and act at, in place of a data directory: the connection, and who
// asks.
//
// A command waits for each answer; meanwhile nothing runs but the connection, on the thread that
// made it.
#pragma once

#include <kj/async.h>
#include <kj/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/ids.h"
#include "cli/arguments.h"
#include "cli/remote/credentials.h"
#include "cli/remote/server_option.h"
#include "schemas/api.capnp.h"
#include "server/rpc/errors.h"

namespace stele::cli {

// How long an answer may take.
inline constexpr int64_t kAnswerPatienceUs = int64_t{300} * 1'000'000;

class Remote {
 public:
  // Connects, and says who asks: with the token of --token-file or the environment
  // (cli/remote/credentials.h), else as nobody in particular. kUnreachable: nobody answers there,
  // or no server of ours; kUsage: a token would go to another machine without TLS; what the server
  // says of who asks.
  static Result<std::unique_ptr<Remote>> Open(const Arguments& arguments);
  // The same, before anybody is known.
  static Result<std::unique_ptr<Remote>> ConnectToLogIn(const Arguments& arguments);
  ~Remote();
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  const std::string& server() const { return server_; }
  api::Gate::Client& gate();
  // REQUIRES: Open, or Admit.
  api::Session::Client& session() { return *session_; }
  // Nobody in particular asks: there is no token, or the server asks nobody for one.
  bool is_anybody() const { return token_.empty(); }
  // Who asks from now on; what the server says of them.
  Status Enter(const std::string& token);
  // Of who has logged in.
  void Admit(api::Session::Client session) { session_ = kj::mv(session); }

  // For a command that goes on for long: asks for another token when half of the time that is left
  // of this one has passed, as long as the server gives one, and keeps it where this one was kept.
  // True: session() is another one; subscriptions of the one before end with its token.
  bool RenewWhenDue();
  // What a call was refused with and, when it was because of the token, what helps.
  Error Explained(Error error) const;

  // The value, or what the call was refused with. kTimeout: nothing came for so long.
  template <class T>
  Result<T> Wait(kj::Promise<T> promise, int64_t patience_us = kAnswerPatienceUs);

 private:
  struct Line;
  explicit Remote(std::string server);

  static Result<std::unique_ptr<Remote>> Connect(const Arguments& arguments, std::string server);
  Status Dial(const Arguments& arguments);
  // kUnreachable: the other end does not speak as a server of ours.
  Status Greet();
  // Who asks is whose the token is; nobody, where the one that "stele login" has kept is of a
  // server that asks nobody.
  Status EnterWith(const FoundToken& token);
  // Of this session's token, which is asked for now or was told of.
  void NoteEnd(TimeUs expires);
  Status Renew();
  // Until the promise is kept or broken; kTimeout.
  Status RunUntil(const bool& done, kj::Promise<void> promise, int64_t patience_us);

  const std::string server_;
  Arguments arguments_;
  std::string token_;  // empty: nobody was asked for one
  std::unique_ptr<Line> line_;
  std::optional<api::Session::Client> session_;
  std::optional<TimeUs> expires_;  // none: nobody has asked as yet; 0: never
  kj::TimePoint renew_at_ = kj::origin<kj::TimePoint>();
  std::optional<Error> not_renewed_;  // why, the last time
};

template <class T>
Result<T> Remote::Wait(kj::Promise<T> promise, int64_t patience_us) {
  std::optional<Result<T>> outcome;
  bool done = false;
  const Status in_time =
      RunUntil(done,
               promise
                   .then([&](T&& value) { outcome.emplace(kj::mv(value)); },
                         [&](kj::Exception&& fault) {
                           outcome.emplace(std::unexpected(server::rpc::ErrorOf(fault)));
                         })
                   .then([&] { done = true; }),
               patience_us);
  if (!in_time.has_value()) return std::unexpected(in_time.error());
  return *std::move(outcome);
}

}  // namespace stele::cli
