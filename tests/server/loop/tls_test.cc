#include "server/loop/tls.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "server/loop/address.h"
#include "tests/server/loop/certificates.h"
#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

class Tls : public testing::Test {
 protected:
  Tls() : authority_("authority"), stranger_("stranger") {
    Write(authority_, "ca");
    Write(stranger_, "other-ca");
    Write(Certificate("stele.test", &authority_), "server");
    Write(Certificate("worker-7", &authority_), "client");
    Write(Certificate("worker-7", &stranger_), "forged");
  }
  void Write(const Certificate& certificate, const std::string& name) {
    certificate.Write(folder_ / (name + ".pem"), folder_ / (name + ".key"));
  }
  // Whose certificate `name` is; "" for none.
  TlsOptions Options(const std::string& name) {
    TlsOptions options{.ca_file = folder_ / "ca.pem"};
    if (name.empty()) return options;
    options.certificate_file = folder_ / (name + ".pem");
    options.key_file = folder_ / (name + ".key");
    return options;
  }
  TlsServer Server(ClientCertificate clients) {
    TlsOptions options = Options("server");
    options.client_certificate = clients;
    return TlsServer::Create(options).value();
  }

  // The name that the server sees after a byte went both ways; throws if there is no connection.
  std::string NameSeen(TlsServer& server, const std::string& certificate,
                       const std::string& server_name = "stele.test") {
    auto [a, b] = world_.Pair();
    auto client = TlsClient::Create(Options(certificate)).value();
    auto accepting = server.Accept(kj::mv(a)).eagerlyEvaluate(nullptr);
    auto there = world_.Await(client.Connect(kj::mv(b), server_name));
    EXPECT_EQ(there.common_name, server_name);
    auto here = world_.Await(kj::mv(accepting));
    char byte = 0;
    world_.Await(WriteText(*there.stream, "x"));
    EXPECT_EQ(world_.Await(here.stream->tryRead(&byte, 1, 1)), 1u);
    world_.Await(WriteText(*here.stream, "y"));
    EXPECT_EQ(world_.Await(there.stream->tryRead(&byte, 1, 1)), 1u);
    EXPECT_EQ(byte, 'y');
    EXPECT_EQ(PeerAddress(*here.stream), "unix:");
    return here.common_name;
  }

  TempFolder folder_;
  LoopWorld world_;
  Certificate authority_;
  Certificate stranger_;
};

TEST_F(Tls, CarriesBytesBothWays) {
  auto server = Server(ClientCertificate::kNone);
  EXPECT_EQ(NameSeen(server, ""), "");
}

TEST_F(Tls, CarriesTenMegabytes) {
  auto server = Server(ClientCertificate::kNone);
  auto client = TlsClient::Create(Options("")).value();
  auto [a, b] = world_.Pair();
  auto accepting = server.Accept(kj::mv(a)).eagerlyEvaluate(nullptr);
  auto there = world_.Await(client.Connect(kj::mv(b), "stele.test"));
  auto here = world_.Await(kj::mv(accepting));
  const std::string sent = Noise(10u << 20);
  auto writing = there.stream->write(sent.data(), sent.size()).eagerlyEvaluate(nullptr);
  std::string got(sent.size(), '\0');
  EXPECT_EQ(world_.Await(here.stream->tryRead(got.data(), got.size(), got.size())), sent.size());
  EXPECT_TRUE(got == sent);
  world_.Await(kj::mv(writing));
}

TEST_F(Tls, RefusesAServerOfAnotherName) {
  auto server = Server(ClientCertificate::kNone);
  EXPECT_ANY_THROW(NameSeen(server, "", "elsewhere.test"));
}

TEST_F(Tls, RefusesAServerOfAnotherAuthority) {
  Write(Certificate("stele.test", &stranger_), "server");
  auto server = Server(ClientCertificate::kNone);
  EXPECT_ANY_THROW(NameSeen(server, ""));
}

TEST_F(Tls, TellsWhoTheClientIs) {
  for (const auto clients : {ClientCertificate::kRequired, ClientCertificate::kOptional}) {
    auto server = Server(clients);
    EXPECT_EQ(NameSeen(server, "client"), "worker-7");
  }
}

TEST_F(Tls, RefusesAClientWithoutACertificateOnlyWhenOneIsRequired) {
  auto optional = Server(ClientCertificate::kOptional);
  EXPECT_EQ(NameSeen(optional, ""), "");
  auto required = Server(ClientCertificate::kRequired);
  EXPECT_ANY_THROW(NameSeen(required, ""));
}

TEST_F(Tls, RefusesAClientWhoseCertificateAnotherAuthoritySigned) {
  for (const auto clients : {ClientCertificate::kRequired, ClientCertificate::kOptional}) {
    auto server = Server(clients);
    EXPECT_ANY_THROW(NameSeen(server, "forged"));
  }
}

TEST_F(Tls, RefusesAPeerThatDoesNotSpeakIt) {
  auto server = Server(ClientCertificate::kNone);
  auto [a, b] = world_.Pair();
  auto accepting = server.Accept(kj::mv(a));
  world_.Await(WriteText(*b, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(world_.FaultOf(kj::mv(accepting)));
}

TEST_F(Tls, GivesUpAHandshakeThatIsDropped) {
  auto server = Server(ClientCertificate::kNone);
  auto [a, b] = world_.Pair();
  {
    auto dropped = server.Accept(kj::mv(a)).eagerlyEvaluate(nullptr);
    world_.Settle();
  }
  char byte;
  EXPECT_EQ(world_.Await(b->tryRead(&byte, 1, 1)), 0u);
}

TEST_F(Tls, ReadsItsFilesAnewWhenAsked) {
  auto server = Server(ClientCertificate::kNone);
  Write(Certificate("new.test", &authority_), "server");
  EXPECT_EQ(NameSeen(server, ""), "");
  ASSERT_TRUE(server.Reload());
  EXPECT_EQ(NameSeen(server, "", "new.test"), "");
  std::ofstream(folder_ / "server.pem") << "damaged";
  const auto status = server.Reload();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kListen);
  EXPECT_EQ(NameSeen(server, "", "new.test"), "");
}

TEST_F(Tls, SaysWhichFileIsWrong) {
  const auto error_of = [](const TlsOptions& options) {
    const auto server = TlsServer::Create(options);
    return server ? std::string("none") : server.error().message;
  };
  TlsOptions options = Options("server");
  options.certificate_file = folder_ / "missing.pem";
  EXPECT_NE(error_of(options).find(options.certificate_file), std::string::npos);
  options = Options("server");
  options.key_file = folder_ / "client.key";
  EXPECT_NE(error_of(options).find("found another one"), std::string::npos);
  options = Options("server");
  options.key_file = options.certificate_file;
  EXPECT_NE(error_of(options).find("a private key"), std::string::npos);
  options = Options("server");
  options.ca_file = options.key_file;
  EXPECT_NE(error_of(options).find(options.ca_file), std::string::npos);
  options = Options("");
  EXPECT_NE(error_of(options).find("found none"), std::string::npos);
  options = Options("server");
  options.key_file = "";
  EXPECT_NE(error_of(options).find("only one of them"), std::string::npos);
  options = Options("server");
  options.ca_file = "";
  options.client_certificate = ClientCertificate::kOptional;
  EXPECT_NE(error_of(options).find("CA file"), std::string::npos);
}

}  // namespace
}  // namespace stele::server
