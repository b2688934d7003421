#include "cli/remote/server_option.h"

#include <fmt/format.h>

#include "cli/given.h"
#include "server/loop/address.h"

namespace stele::cli {

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

}  // namespace stele::cli
