// Which server a command is for, if it is for one.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/arguments.h"

namespace stele::cli {

// --server, or STELE_SERVER where no --data is given.
bool IsForServer(const Arguments& arguments);

// As it was given: "127.0.0.1:7421", "unix:/run/stele.sock", "tls:stele.example.org:7421". kUsage:
// it is none, or there is --data, too.
Result<std::string> ServerOf(const Arguments& arguments);

// "tls:" before the address, or an option of TLS.
bool WantsTls(const Arguments& arguments, std::string_view server);
// kUsage: what is secret, a password or a token, would go to another machine as it is, and nobody
// has insisted with --plaintext. REQUIRES: ServerOf gave the server.
Status CheckMayHoldSecrets(const Arguments& arguments, const std::string& server);

// What a connection over TLS has failed with, in words. kUnreachable: the other end speaks none.
Error ExplainTls(const std::string& server, Error fault);

// Before an address: over TLS.
inline constexpr std::string_view kTlsPrefix = "tls:";
// Without it.
std::string AddressOf(const std::string& server);

}  // namespace stele::cli
