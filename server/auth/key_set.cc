#include "server/auth/key_set.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "base/repeated_member.h"
#include "server/auth/limits.h"

namespace stele::server {
namespace {

// A member as text; nothing when it is missing or of another kind.
std::optional<std::string> TextOf(const Value& jwk, std::string_view key) {
  const Value* const value = jwk.Find(key);
  return value != nullptr && value->is_string() ? std::optional(value->as_string()) : std::nullopt;
}

Result<std::string> BytesOf(const Value& jwk, std::string_view key) {
  const auto text = TextOf(jwk, key);
  auto bytes = text.has_value() ? DecodeBase64Url(*text) : std::nullopt;
  if (!bytes.has_value() || bytes->empty())
    return Fail(ErrorCode::kBadRequest,
                fmt::format("Expected `{}` of a key in base64url but found something else", key));
  return *std::move(bytes);
}

// Whether it is a key to check signatures with, of an algorithm of ours.
bool IsForUs(const Value& jwk) {
  const auto kty = TextOf(jwk, "kty");
  std::string_view algorithm;
  if (kty == "oct") algorithm = AlgorithmName(Algorithm::kHs256);
  if (kty == "RSA") algorithm = AlgorithmName(Algorithm::kRs256);
  if (kty == "OKP" && TextOf(jwk, "crv") == "Ed25519") algorithm = AlgorithmName(Algorithm::kEdDsa);
  if (algorithm.empty()) return false;
  if (jwk.Find("use") != nullptr && TextOf(jwk, "use") != "sig") return false;
  if (jwk.Find("alg") != nullptr && TextOf(jwk, "alg") != algorithm) return false;
  const Value* const operations = jwk.Find("key_ops");
  if (operations == nullptr) return true;
  if (operations->is_array())
    for (const Value& operation : operations->as_array())
      if (operation == Value("verify")) return true;
  return false;
}

// REQUIRES: IsForUs.
Result<VerificationKey> ReadJwk(const Value& jwk) {
  std::string kid = TextOf(jwk, "kid").value_or("");
  const std::string kty = TextOf(jwk, "kty").value_or("");
  const auto first = BytesOf(jwk, kty == "oct" ? "k" : kty == "RSA" ? "n" : "x");
  if (!first) return std::unexpected(first.error());
  if (kty == "oct") return VerificationKey::FromSecret(*first, std::move(kid));
  if (kty == "OKP") return VerificationKey::FromEd25519(*first, std::move(kid));
  const auto exponent = BytesOf(jwk, "e");
  if (!exponent) return std::unexpected(exponent.error());
  return VerificationKey::FromRsa(*first, *exponent, std::move(kid));
}

}  // namespace

Status KeySet::Add(VerificationKey key, std::shared_ptr<const IssuerRules> issuer) {
  if (keys_.size() == kMaxTrustedKeys)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected at most {} trusted keys but found more", kMaxTrustedKeys));
  keys_.push_back({std::move(key), std::move(issuer)});
  return {};
}

Status KeySet::AddOwn(VerificationKey key) {
  return Add(std::move(key), nullptr);
}

Status KeySet::AddForeign(VerificationKey key, const IssuerRules& rules) {
  return Add(std::move(key), std::make_shared<const IssuerRules>(rules));
}

Status KeySet::AddPem(std::string_view pem, std::string kid, const IssuerRules& rules) {
  auto key = VerificationKey::FromPem(pem, std::move(kid));
  if (!key) return std::unexpected(key.error());
  return AddForeign(*std::move(key), rules);
}

Status KeySet::AddJwks(std::string_view text, const IssuerRules& rules) {
  const auto document = ParseJson(text, nullptr, {kMaxTokenJsonDepth, kMaxJwksBytes});
  if (!document) return std::unexpected(document.error());
  if (const std::string key = RepeatedMemberOf(text); !key.empty())
    return Fail(ErrorCode::kBadRequest,
                fmt::format("Expected members that differ but found `{}` twice", key));
  const Value* const list = document->Find("keys");
  if (list == nullptr || !list->is_array())
    return Fail(ErrorCode::kBadRequest,
                "Expected a JWK Set with a list `keys` but found something else");
  KeySet all = *this;
  const auto issuer = std::make_shared<const IssuerRules>(rules);
  size_t index = 0;
  for (const Value& jwk : list->as_array()) {
    const size_t at = index++;
    if (!IsForUs(jwk)) continue;
    auto key = ReadJwk(jwk);
    if (!key) return Fail(key.error().code, fmt::format("keys[{}]: {}", at, key.error().message));
    STELE_RETURN_IF_ERROR(all.Add(*std::move(key), issuer));
  }
  if (all.keys_.size() == keys_.size())
    return Fail(ErrorCode::kBadRequest,
                "Expected a key for HS256, RS256 or EdDSA in the JWK Set but found none");
  *this = std::move(all);
  return {};
}

}  // namespace stele::server
