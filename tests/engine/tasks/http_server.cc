#include "http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <optional>

namespace stele::tasks {
namespace {

int Listen(int* port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listener, 64), 0);
  socklen_t length = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  *port = ntohs(address.sin_port);
  return listener;
}

void AddExtension(X509* certificate, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

struct HttpServer::TlsContext {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  ~TlsContext() { SSL_CTX_free(context); }

  // Self-signed, for 127.0.0.1, valid from an hour ago for a day. Returns it as PEM.
  std::string MakeCertificate() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    AddExtension(certificate, NID_subject_alt_name, "IP:127.0.0.1");
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, certificate);
    char* bytes = nullptr;
    long length = BIO_get_mem_data(memory, &bytes);
    std::string pem(bytes, static_cast<size_t>(length));
    BIO_free(memory);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return pem;
  }
};

// One accepted socket, with or without TLS.
class HttpServer::Connection {
 public:
  Connection(int socket, TlsContext* tls) : socket_(socket) {
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls->context);
    SSL_set_fd(ssl_, socket);
    usable_ = SSL_accept(ssl_) == 1;
  }
  ~Connection() { SSL_free(ssl_); }

  bool usable() const { return usable_; }

  bool Write(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t count = ssl_ != nullptr
                          ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                          : send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // False at the end of the connection.
  bool Fill() {
    char buffer[16384];
    ssize_t count = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                    : recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    input_.append(buffer, static_cast<size_t>(count));
    return true;
  }

  std::optional<Request> ReadRequest() {
    size_t end = 0;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) return std::nullopt;
    }
    std::string head = input_.substr(0, end + 2);
    input_.erase(0, end + 4);
    Request request;
    size_t line_end = head.find("\r\n");
    std::string first = head.substr(0, line_end);
    size_t space = first.find(' ');
    request.method = first.substr(0, space);
    request.target = first.substr(space + 1, first.rfind(' ') - space - 1);
    for (size_t at = line_end + 2; at < head.size(); at = line_end + 2) {
      line_end = head.find("\r\n", at);
      std::string line = head.substr(at, line_end - at);
      size_t colon = line.find(':');
      std::string name = line.substr(0, colon);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      size_t value = line.find_first_not_of(' ', colon + 1);
      request.headers[name] = value == std::string::npos ? "" : line.substr(value);
    }
    auto length = request.headers.find("content-length");
    size_t body = length == request.headers.end() ? 0 : std::stoul(length->second);
    while (input_.size() < body) {
      if (!Fill()) return std::nullopt;
    }
    request.body = input_.substr(0, body);
    input_.erase(0, body);
    return request;
  }

  void Reset() {
    linger hard = {1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }

 private:
  int socket_;
  SSL* ssl_ = nullptr;
  bool usable_ = true;
  std::string input_;
};

HttpServer::HttpServer(Handler handler, Transport transport) : handler_(std::move(handler)) {
  // OpenSSL writes with write(2), which raises it when the other side has gone.
  std::signal(SIGPIPE, SIG_IGN);
  if (transport == Transport::kTls) {
    tls_ = std::make_unique<TlsContext>();
    certificate_ = tls_->MakeCertificate();
  }
  listener_ = Listen(&port_);
  acceptor_ = std::thread([this] { Accept(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);  // wakes accept
  acceptor_.join();
  {
    std::lock_guard lock(mutex_);
    for (int socket : open_) shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

std::string HttpServer::Url(std::string_view target) const {
  return (tls_ != nullptr ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) +
         std::string(target);
}

std::vector<HttpServer::Request> HttpServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

void HttpServer::Accept() {
  while (!stopping_) {
    int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    std::lock_guard lock(mutex_);
    open_.push_back(socket);
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

void HttpServer::Serve(int socket) {
  {
    Connection connection(socket, tls_.get());
    while (connection.usable() && !stopping_) {
      std::optional<Request> request = connection.ReadRequest();
      if (!request) break;
      Response response;
      {
        std::lock_guard lock(mutex_);
        requests_.push_back(*request);
        response = handler_(*request);
      }
      if (!Answer(connection, response)) break;
    }
  }
  std::lock_guard lock(mutex_);
  std::erase(open_, socket);
  close(socket);
}

bool HttpServer::Answer(Connection& connection, const Response& response) {
  if (response.reset) {
    connection.Reset();
    return false;
  }
  if (response.silent) {
    while (connection.Fill()) {
    }
    ++hang_ups_;
    return false;
  }
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " Test\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  if (response.endless) {
    std::string block(65536, 'x');
    if (!connection.Write(head + "\r\n")) return false;
    while (!stopping_ && connection.Write(block)) {
    }
    return false;
  }
  head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n\r\n";
  return connection.Write(head + response.body);
}

int ClosedPort() {
  int port = 0;
  close(Listen(&port));
  return port;
}

}  // namespace stele::tasks
