// Signatures of webhooks: HMAC-SHA256 over the body's bytes, written "sha256=" and 64 hexadecimal
// digits, as GitHub sends them in X-Hub-Signature-256. Source: RFC 2104, FIPS 180-4, and GitHub's
// page "Validating webhook deliveries".
#pragma once

#include <string>
#include <string_view>

namespace stele::triggers {

std::string SignBody(std::string_view secret, std::string_view body);

// Takes the same time wherever a wrong signature differs. An empty secret signs nothing.
bool IsSignedWith(std::string_view secret, std::string_view body, std::string_view signature);

}  // namespace stele::triggers
