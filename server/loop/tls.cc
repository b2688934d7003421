#include "server/loop/tls.h"

#include <fmt/format.h>
#include <kj/compat/tls.h>
#include <kj/exception.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "server/loop/limits.h"

namespace stele::server {
namespace {

// kj-tls can ask for a client's certificate and insist, but not ask alone; OpenSSL can. This is the
// one way to the context that kj-tls made: a template's explicit instantiation may name a private
// member. A KJ that renames the member does not compile here.
template <void* kj::TlsContext::* member>
struct ContextOf {
  friend SSL_CTX* SslContext(kj::TlsContext& context) {
    return static_cast<SSL_CTX*>(context.*member);
  }
};
SSL_CTX* SslContext(kj::TlsContext& context);
template struct ContextOf<&kj::TlsContext::ctx>;

Result<std::string> ReadPem(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  const auto failed = [&](int error) {
    return Fail(ErrorCode::kIo,
                fmt::format("Expected a PEM file at {} but found: {}", path, std::strerror(error)));
  };
  if (file == nullptr) return failed(errno);
  std::string text(kMaxPemBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return failed(errno);
  if (text.size() > kMaxPemBytes)
    return Fail(ErrorCode::kIo,
                fmt::format("Expected a PEM file of at most {} bytes but found more: {}",
                            kMaxPemBytes, path));
  return text;
}

// What `make` makes of a file's text, or kListen if KJ (or OpenSSL in it) throws.
template <class Make>
auto Understand(const std::string& what, Make make) -> Result<decltype(make())> {
  std::optional<decltype(make())> made;
  KJ_IF_MAYBE (fault, kj::runCatchingExceptions([&] { made.emplace(make()); })) {
    return Fail(ErrorCode::kListen,
                fmt::format("Expected {} but found: {}", what, fault->getDescription().cStr()));
  }
  return *std::move(made);
}

Result<std::optional<kj::TlsKeypair>> ReadKeypair(const TlsOptions& options) {
  if (options.certificate_file.empty() && options.key_file.empty()) return std::nullopt;
  if (options.certificate_file.empty() || options.key_file.empty())
    return Fail(ErrorCode::kListen,
                "Expected a certificate and its key but found only one of them");
  const auto certificate = ReadPem(options.certificate_file);
  if (!certificate) return std::unexpected(certificate.error());
  const auto key = ReadPem(options.key_file);
  if (!key) return std::unexpected(key.error());
  auto parsed_key = Understand("a private key without a password in " + options.key_file, [&] {
    return kj::TlsPrivateKey(kj::StringPtr(key->c_str(), key->size()));
  });
  if (!parsed_key) return std::unexpected(std::move(parsed_key).error());
  auto parsed = Understand("certificates in " + options.certificate_file, [&] {
    return kj::TlsCertificate(kj::StringPtr(certificate->c_str(), certificate->size()));
  });
  if (!parsed) return std::unexpected(std::move(parsed).error());
  return kj::TlsKeypair{*std::move(parsed_key), *std::move(parsed)};
}

constexpr std::string_view kPemEnd = "-----END CERTIFICATE-----";

// A CA file lists authorities; TlsCertificate reads one of them, with what it was signed by.
Result<std::vector<kj::TlsCertificate>> ReadAuthorities(const std::string& path) {
  std::vector<kj::TlsCertificate> authorities;
  if (path.empty()) return authorities;
  const auto text = ReadPem(path);
  if (!text) return std::unexpected(text.error());
  size_t begin = 0;
  for (size_t end; (end = text->find(kPemEnd, begin)) != std::string::npos; begin = end) {
    end += kPemEnd.size();
    const std::string one = text->substr(begin, end - begin) + "\n";
    auto parsed = Understand("certificates in " + path, [&] {
      return kj::TlsCertificate(kj::StringPtr(one.c_str(), one.size()));
    });
    if (!parsed) return std::unexpected(std::move(parsed).error());
    authorities.push_back(*std::move(parsed));
  }
  if (authorities.empty())
    return Fail(ErrorCode::kListen,
                fmt::format("Expected certificates in {} but found none", path));
  return authorities;
}

Result<std::unique_ptr<kj::TlsContext>> MakeContext(const TlsOptions& options, bool is_server) {
  auto keypair = ReadKeypair(options);
  if (!keypair) return std::unexpected(std::move(keypair).error());
  const auto authorities = ReadAuthorities(options.ca_file);
  if (!authorities) return std::unexpected(authorities.error());
  if (is_server && !*keypair)
    return Fail(ErrorCode::kListen, "Expected a certificate and its key for TLS but found none");
  const bool asks = is_server && options.client_certificate != ClientCertificate::kNone;
  if (asks && authorities->empty())
    return Fail(ErrorCode::kListen,
                "Expected a CA file to check clients' certificates but found none");
  auto context = Understand("certificates that can be used", [&] {
    kj::TlsContext::Options made;
    // A server trusts nobody but its CA: the system's list is about servers.
    made.useSystemTrustStore = !is_server && options.ca_file.empty();
    made.trustedCertificates = kj::arrayPtr(authorities->data(), authorities->size());
    made.verifyClients = asks;
    made.minVersion = kj::TlsVersion::TLS_1_2;
    if (*keypair) made.defaultKeypair = **keypair;
    return std::make_unique<kj::TlsContext>(made);
  });
  if (!context) return context;
  SSL_CTX* ssl = SslContext(**context);
  // OpenSSL forgets a key that does not belong to the certificate, and says nothing.
  if (*keypair && SSL_CTX_check_private_key(ssl) != 1) {
    ERR_clear_error();
    return Fail(ErrorCode::kListen,
                fmt::format("Expected the key of the certificate {} but found another one: {}",
                            options.certificate_file, options.key_file));
  }
  if (asks) {
    // Without it OpenSSL refuses a client with a certificate that comes back with a ticket.
    constexpr unsigned char kSessions[] = {'s', 't', 'e', 'l', 'e'};
    SSL_CTX_set_session_id_context(ssl, kSessions, sizeof(kSessions));
    if (options.client_certificate == ClientCertificate::kOptional)
      SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  }
  return context;
}

kj::AuthenticatedStream Unauthenticated(kj::Own<kj::AsyncIoStream> stream) {
  kj::AuthenticatedStream made;
  made.stream = kj::mv(stream);
  made.peerIdentity = kj::UnknownPeerIdentity::newInstance();
  return made;
}

TlsStream Finished(kj::AuthenticatedStream&& done) {
  auto& peer = kj::downcast<kj::TlsPeerIdentity>(*done.peerIdentity);
  TlsStream made;
  if (peer.hasCertificate()) {
    // Whole, whatever bytes are in it: a part of a name is somebody else's.
    const kj::String name = peer.getCommonName();
    made.common_name.assign(name.begin(), name.size());
  }
  made.stream = kj::mv(done.stream);
  return made;
}

}  // namespace

TlsServer::TlsServer(TlsOptions options, std::shared_ptr<kj::TlsContext> context)
    : options_(std::move(options)), context_(std::move(context)) {}
TlsServer::TlsServer(TlsServer&&) noexcept = default;
TlsServer& TlsServer::operator=(TlsServer&&) noexcept = default;
TlsServer::~TlsServer() = default;

Result<TlsServer> TlsServer::Create(TlsOptions options) {
  auto context = MakeContext(options, true);
  if (!context) return std::unexpected(std::move(context).error());
  return TlsServer(std::move(options), *std::move(context));
}

Status TlsServer::Reload() {
  auto context = MakeContext(options_, true);
  if (!context) return std::unexpected(std::move(context).error());
  context_ = *std::move(context);
  return {};
}

TlsAcceptor TlsServer::Acceptor() const {
  // Whatever thread: OpenSSL's contexts are made to be shared, and KJ's only hands its own on.
  return [context = context_](kj::Own<kj::AsyncIoStream> stream) {
    return context->wrapServer(Unauthenticated(kj::mv(stream)))
        .then([](kj::AuthenticatedStream&& done) { return Finished(kj::mv(done)); });
  };
}

TlsClient::TlsClient(std::unique_ptr<kj::TlsContext> context) : context_(std::move(context)) {}
TlsClient::TlsClient(TlsClient&&) noexcept = default;
TlsClient& TlsClient::operator=(TlsClient&&) noexcept = default;
TlsClient::~TlsClient() = default;

Result<TlsClient> TlsClient::Create(const TlsOptions& options) {
  auto context = MakeContext(options, false);
  if (!context) return std::unexpected(std::move(context).error());
  return TlsClient(*std::move(context));
}

kj::Promise<TlsStream> TlsClient::Connect(kj::Own<kj::AsyncIoStream> stream,
                                          const std::string& server_name) {
  return context_->wrapClient(Unauthenticated(kj::mv(stream)), server_name.c_str())
      .then([](kj::AuthenticatedStream&& done) { return Finished(kj::mv(done)); });
}

}  // namespace stele::server
