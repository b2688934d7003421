// TLS over any stream of KJ's, with certificates from files.
#pragma once

#include <kj/async-io.h>
#include <kj/memory.h>

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"

namespace kj {
class TlsContext;
}

namespace stele::server {

// Whether a client shows a certificate, signed by the CA of the options.
enum class ClientCertificate {
  kNone,      // none is asked for
  kOptional,  // one that is shown must be good
  kRequired,  // without one there is no connection
};

// Files in PEM; an empty path means none.
struct TlsOptions {
  // One's own: the chain, its leaf first, and the key of the leaf. A server needs both.
  std::string certificate_file;
  std::string key_file;
  // Whom the other side's certificate must be signed by. A client without one trusts the system's.
  std::string ca_file;
  ClientCertificate client_certificate = ClientCertificate::kNone;  // a server's
};

// A connection whose handshake is done.
struct TlsStream {
  kj::Own<kj::AsyncIoStream> stream;
  // Of the other side's certificate, which was verified; empty if it showed none.
  std::string common_name;
};

// Makes TLS of one connection after the other, with certificates as they were when it was given.
// Any thread may have one.
using TlsAcceptor = std::function<kj::Promise<TlsStream>(kj::Own<kj::AsyncIoStream>)>;

// TLS 1.2 at least. Used on one thread. A handshake has no timeout of its own
// (kj::Timer::timeoutAfter); one that fails is a kj exception, and dropping its promise gives it
// up.
class TlsServer {
 public:
  // Reads the files. Errors: kIo for a file, kListen for what is in it.
  static Result<TlsServer> Create(TlsOptions options);
  TlsServer(TlsServer&&) noexcept;
  TlsServer& operator=(TlsServer&&) noexcept;
  ~TlsServer();

  // A promise does not need the server to be kept, and a connection is untouched by Reload.
  kj::Promise<TlsStream> Accept(kj::Own<kj::AsyncIoStream> stream) {
    return Acceptor()(kj::mv(stream));
  }
  TlsAcceptor Acceptor() const;
  // Reads the files anew, for the handshakes to come. After an error the old ones stay in force.
  Status Reload();

 private:
  TlsServer(TlsOptions options, std::shared_ptr<kj::TlsContext> context);

  TlsOptions options_;
  // Those that took it before a Reload keep it.
  std::shared_ptr<kj::TlsContext> context_;
};

class TlsClient {
 public:
  static Result<TlsClient> Create(const TlsOptions& options);
  TlsClient(TlsClient&&) noexcept;
  TlsClient& operator=(TlsClient&&) noexcept;
  ~TlsClient();

  // `server_name` is a name that the server's certificate is for (a DNS name of it or its common
  // name, not an IP address); fails if it is for somebody else.
  kj::Promise<TlsStream> Connect(kj::Own<kj::AsyncIoStream> stream, const std::string& server_name);

 private:
  explicit TlsClient(std::unique_ptr<kj::TlsContext> context);

  std::unique_ptr<kj::TlsContext> context_;
};

}  // namespace stele::server
