// A worker's connection to its server, made anew whenever it is lost, until the worker stops.
//
//     connect ──► TLS ──► log in, join ──► work ──► leave
//        ▲                                  │ lost
//        └── after a while ◄────────────────┘
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "sdk/cpp/backoff.h"
#include "sdk/cpp/outbox.h"
#include "sdk/cpp/running_tasks.h"
#include "server/loop/kj_loop.h"
#include "server/loop/tls.h"
#include "stele/worker.h"

namespace stele::sdk {

// How a worker ended: it was stopped, or the text says why it cannot work.
using Ended = std::expected<void, std::string>;

class Serving {
 public:
  // REQUIRES: all of them outlive it.
  Serving(server::KjLoop& loop, const WorkerOptions& options, const Handlers& handlers,
          HandlerThreads& threads, std::shared_ptr<Outbox> outbox);
  ~Serving();
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  kj::Promise<Ended> Serve();

 private:
  class Connection;
  // Why a connection is over: nothing says that the worker was stopped.
  struct Lost {
    std::string why;
    bool final = false;  // the next one would fail the same way
  };
  using Over = std::optional<Lost>;

  kj::Promise<Ended> GoOn();
  kj::Promise<Ended> After(Over over);
  kj::Promise<kj::Own<kj::AsyncIoStream>> Dial();
  kj::Promise<Over> Work(kj::Own<kj::AsyncIoStream> stream);
  // Takes what handlers say, as long as the loop goes.
  kj::Promise<void> Listen();
  void Note(const std::string& what);

  server::KjLoop& loop_;
  const WorkerOptions& options_;
  const Handlers& handlers_;
  HandlerThreads& threads_;
  const std::shared_ptr<Outbox> outbox_;
  Backoff backoff_;
  std::optional<server::TlsClient> tls_;
  std::unique_ptr<Connection> connection_;
  bool stopping_ = false;
  bool noted_loss_ = false;
  kj::Own<kj::PromiseFulfiller<void>> stop_;
  kj::ForkedPromise<void> stopped_;
  kj::Promise<void> listening_;
};

}  // namespace stele::sdk
