// The signature of a request's body, as GitHub has it in X-Hub-Signature-256: for what is sent, and
// for what comes in. Source: RFC 2104, FIPS 180-4, and GitHub's page "Validating webhook
// deliveries".
#pragma once

#include <string>
#include <string_view>

namespace stele::tasks {

// "sha256=" and the HMAC-SHA-256 of the body in lower-case hexadecimal digits.
std::string SignBody(std::string_view secret, std::string_view body);

}  // namespace stele::tasks
