#include "server/auth/jwt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/repeated_member.h"
#include "server/auth/limits.h"

namespace stele::server {
namespace {

constexpr double kLastSecond = 253402300799;  // of the year 9999
constexpr size_t kMaxIdBytes = 256;

std::unexpected<Error> Bad(std::string_view expected, std::string_view found) {
  return Fail(ErrorCode::kBadToken, fmt::format("Expected {} but found {}", expected, found));
}

struct Parts {
  std::string_view header, payload, signature;
  std::string_view signed_text;
};

std::optional<Parts> Split(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = token.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

std::optional<Object> ReadObject(std::string_view json) {
  auto value = ParseJson(json, nullptr, {kMaxTokenJsonDepth, kMaxTokenBytes});
  if (!value || !value->is_object() || !RepeatedMemberOf(json).empty()) return std::nullopt;
  return std::move(value->as_object());
}

struct Header {
  Algorithm algorithm;
  std::optional<std::string> kid;
};

bool IsTokenType(const Value& type) {
  if (!type.is_string()) return false;
  std::string lower = type.as_string();
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower == "jwt" || lower == "at+jwt" || lower == "application/at+jwt";
}

Result<Header> ReadHeader(std::string_view text) {
  const auto json = DecodeBase64Url(text);
  const auto object = json.has_value() ? ReadObject(*json) : std::nullopt;
  if (!object.has_value())
    return Bad("a token's header as a JSON object whose members differ", "something else");
  if (object->Find("crit") != nullptr)
    return Bad("a token without `crit`", "extensions that must be understood");
  if (const Value* const type = object->Find("typ"); type != nullptr && !IsTokenType(*type))
    return Bad("a token whose `typ` is JWT", "another kind");
  const Value* const name = object->Find("alg");
  const auto algorithm =
      name != nullptr && name->is_string() ? FindAlgorithm(name->as_string()) : std::nullopt;
  if (!algorithm.has_value())
    return Bad("a token signed by HS256, RS256 or EdDSA", "another `alg`");
  Header header{.algorithm = *algorithm, .kid = std::nullopt};
  if (const Value* const kid = object->Find("kid"); kid != nullptr) {
    if (!kid->is_string()) return Bad("`kid` of a token as text", KindName(kid->kind()));
    header.kid = kid->as_string();
  }
  return header;
}

bool MayBeOf(const Header& header, const VerificationKey& key) {
  return !header.kid.has_value() || key.kid().empty() || key.kid() == *header.kid;
}

// A NumericDate: seconds, maybe with a fraction. Nothing when there is none.
Result<std::optional<TimeUs>> TimeClaim(const Object& claims, std::string_view name) {
  const Value* const value = claims.Find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number() || !(value->as_double() >= 0 && value->as_double() <= kLastSecond))
    return Bad(fmt::format("`{}` of a token as seconds since 1970", name), "something else");
  if (value->is_int()) return TimeUs(value->as_int() * kSecondUs);
  return TimeUs(static_cast<int64_t>(std::floor(value->as_double() * kSecondUs)));
}

Status CheckTimes(VerifiedToken& token, TimeUs now) {
  const auto expires = TimeClaim(token.claims, "exp");
  if (!expires) return std::unexpected(expires.error());
  const auto not_before = TimeClaim(token.claims, "nbf");
  if (!not_before) return std::unexpected(not_before.error());
  const auto issued = TimeClaim(token.claims, "iat");
  if (!issued) return std::unexpected(issued.error());
  if (!expires->has_value()) return Bad("a token with `exp`", "one that never expires");
  if (now >= **expires)
    return Bad("a token that has not expired",
               fmt::format("one that has, {} s ago", (now.value - (*expires)->value) / kSecondUs));
  const TimeUs latest = now.Plus(kLeewayUs);
  if (not_before->has_value() && **not_before > latest)
    return Bad("a token that is valid already", "one whose `nbf` is to come");
  if (issued->has_value() && **issued > latest)
    return Bad("a token of the past", "one whose `iat` is to come");
  token.expires = **expires;
  token.issued = issued->value_or(TimeUs());
  return {};
}

bool IsOrHolds(const Value* claim, std::string_view word) {
  if (claim == nullptr) return false;
  if (claim->is_string()) return claim->as_string() == word;
  return claim->is_array() && std::ranges::any_of(claim->as_array(), [&](const Value& item) {
           return item.is_string() && item.as_string() == word;
         });
}

Status CheckIssuer(const VerifiedToken& token) {
  const Value* const issuer = token.claims.Find("iss");
  const IssuerRules* const rules = token.key->issuer.get();
  const std::string_view expected = rules == nullptr ? kOwnIssuer : rules->issuer;
  if (!expected.empty() &&
      (issuer == nullptr || !issuer->is_string() || issuer->as_string() != expected))
    return Bad(fmt::format("a token of the issuer {}", expected), "another one, or none");
  if (rules != nullptr && !rules->audience.empty() &&
      !IsOrHolds(token.claims.Find("aud"), rules->audience))
    return Bad(fmt::format("a token for the audience {}", rules->audience), "another one, or none");
  return {};
}

}  // namespace

std::string SignToken(const SigningKey& key, const Object& claims) {
  Object header{{"alg", AlgorithmName(key.algorithm())}, {"typ", "JWT"}};
  if (!key.kid().empty()) header.Set("kid", key.kid());
  std::string token = EncodeBase64Url(ToJson(std::move(header)));
  token += '.';
  token += EncodeBase64Url(ToJson(claims));
  const std::string signature = EncodeBase64Url(key.Sign(token));
  token += '.';
  return token + signature;
}

Result<SignedText> OpenToken(std::string_view token, const KeySet& keys) {
  if (token.size() > kMaxTokenBytes)
    return Bad(fmt::format("a token of at most {} bytes", kMaxTokenBytes),
               fmt::format("one of {}", token.size()));
  const auto parts = Split(token);
  if (!parts.has_value()) return Bad("a token of three parts", "something else");
  const auto header = ReadHeader(parts->header);
  if (!header) return std::unexpected(header.error());
  auto payload = DecodeBase64Url(parts->payload);
  const auto signature = DecodeBase64Url(parts->signature);
  if (!payload.has_value() || !signature.has_value())
    return Bad("a token's parts in base64url", "something else");
  bool of_kid = false;
  bool of_algorithm = false;
  for (const TrustedKey& trusted : keys.keys()) {
    if (!MayBeOf(*header, trusted.key)) continue;
    of_kid = true;
    if (trusted.key.algorithm() != header->algorithm) continue;
    of_algorithm = true;
    if (trusted.key.Verifies(parts->signed_text, *signature))
      return SignedText{*std::move(payload), &trusted};
  }
  if (!of_kid) return Bad("a token of a key that this server trusts", "another `kid`");
  if (!of_algorithm) return Bad("the algorithm of the token's key", "another `alg`");
  return Bad("a signature that fits the token", "one that does not");
}

Result<VerifiedToken> VerifyToken(std::string_view token, const KeySet& keys, TimeUs now) {
  auto opened = OpenToken(token, keys);
  if (!opened) return std::unexpected(opened.error());
  auto claims = ReadObject(opened->payload);
  if (!claims.has_value())
    return Bad("a token's claims as a JSON object whose members differ", "something else");
  VerifiedToken verified;
  verified.claims = *std::move(claims);
  verified.key = opened->key;
  STELE_RETURN_IF_ERROR(CheckTimes(verified, now));
  STELE_RETURN_IF_ERROR(CheckIssuer(verified));
  const Value* const id = verified.claims.Find("jti");
  if (id == nullptr) {
    verified.id = EncodeBase64Url(Sha256(token));
  } else if (id->is_string() && !id->as_string().empty() && id->as_string().size() <= kMaxIdBytes) {
    verified.id = id->as_string();
  } else {
    return Bad(fmt::format("`jti` of a token as text of at most {} bytes", kMaxIdBytes),
               "something else");
  }
  return verified;
}

const Value* FindClaim(const Object& claims, std::string_view path) {
  if (const Value* const value = claims.Find(path); value != nullptr) return value;
  const Object* at = &claims;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    const Value* const next = at->Find(path.substr(0, dot));
    if (next == nullptr || !next->is_object()) return nullptr;
    at = &next->as_object();
    path.remove_prefix(dot + 1);
  }
  return at->Find(path);
}

}  // namespace stele::server
