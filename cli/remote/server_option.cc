#include "cli/remote/server_option.h"

#include <fmt/format.h>

#include "cli/given.h"
#include "server/loop/address.h"

namespace stele::cli {

namespace {

// Nothing that is sent there leaves the machine.
bool IsThisMachine(const server::Address& address) {
  const std::string& host = address.host;
  const bool is_number = host.find_first_not_of("0123456789.") == std::string::npos;
  return address.is_unix() || host.empty() || host == "localhost" || host == "::1" ||
         (is_number && host.starts_with("127."));
}

}  // namespace

bool IsForServer(const Arguments& arguments) {
  return arguments.Has("--server") ||
         (!arguments.Has("--data") && !FromEnvironment("STELE_SERVER").empty());
}

std::string AddressOf(const std::string& server) {
  return server.starts_with(kTlsPrefix) ? server.substr(kTlsPrefix.size()) : server;
}

Result<std::string> ServerOf(const Arguments& arguments) {
  if (arguments.Has("--server") && arguments.Has("--data"))
    return Fail(ErrorCode::kUsage, "Expected --data or --server but found both");
  std::string server =
      arguments.Has("--server") ? arguments.Get("--server") : FromEnvironment("STELE_SERVER");
  if (const auto address = server::ParseAddress(AddressOf(server)); !address.has_value())
    return Fail(
        ErrorCode::kUsage,
        fmt::format("Expected the address of a server, HOST:PORT, [IPv6]:PORT or unix:PATH, "
                    "\"tls:\" before it for TLS, but found \"{}\"",
                    server));
  return server;
}

bool WantsTls(const Arguments& arguments, std::string_view server) {
  return server.starts_with(kTlsPrefix) || arguments.Has("--tls-ca") ||
         arguments.Has("--tls-certificate") || arguments.Has("--tls-key");
}

Error ExplainTls(const std::string& server, Error fault) {
  // What OpenSSL says of an answer that is no record of TLS.
  if (!fault.message.contains("wrong version number")) return fault;
  return {ErrorCode::kUnreachable,
          fmt::format("Expected a server that speaks TLS at {} but found one that speaks none: ask "
                      "it without TLS (no \"tls:\", no --tls-ca), or start it with "
                      "--tls-certificate",
                      server)};
}

Status CheckMayHoldSecrets(const Arguments& arguments, const std::string& server) {
  if (WantsTls(arguments, server) || arguments.Has("--plaintext")) return {};
  if (IsThisMachine(*server::ParseAddress(AddressOf(server)))) return {};
  return Fail(
      ErrorCode::kUsage,
      fmt::format("Expected TLS to {}, as a password or a token is sent to another machine, "
                  "but found none: give \"tls:{}\", or --tls-ca FILE with the certificate "
                  "that signed the server's; --plaintext sends it all the same",
                  server, server));
}

}  // namespace stele::cli
