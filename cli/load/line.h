// A connection to a server, with a session of its own.
//
// Thread: the loop's.
#pragma once

#include <kj/async-io.h>

#include <optional>

#include "cli/load/clients.h"
#include "schemas/api.capnp.h"
#include "server/loop/kj_loop.h"
#include "server/loop/tls.h"
#include "server/vat/vat_client.h"

namespace stele::load {

class Line {
 public:
  explicit Line(kj::Own<kj::AsyncIoStream> stream, const ServerAddress& server);
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // Connected, and known by the server. REQUIRES: all of them outlive the promise; `tls` is there
  // when the server wants it.
  static kj::Promise<kj::Own<Line>> Open(server::KjLoop& loop, const ServerAddress& server,
                                         std::optional<server::TlsClient>& tls);

  api::Session::Client& session() { return session_; }
  api::Instances::Client& instances() { return instances_; }
  kj::AsyncIoStream& stream() { return *stream_; }
  // What it follows, for as long as it does.
  void Keep(api::Subscription::Client subscription) { subscription_ = kj::mv(subscription); }

 private:
  static api::Session::Client Enter(server::VatClient& rpc, const ServerAddress& server);

  kj::Own<kj::AsyncIoStream> stream_;
  server::VatClient rpc_;
  api::Session::Client session_;
  api::Instances::Client instances_;
  kj::Maybe<api::Subscription::Client> subscription_;
};

}  // namespace stele::load
