#include "server/auth/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/person_name.h"
#include "server/auth/limits.h"

namespace stele::server {
namespace {

// Beside `iat`, which has whole seconds: a token is younger than the change of a password a moment
// before it.
constexpr std::string_view kIssuedUs = "iat_us";
constexpr std::string_view kLoggedInUs = "auth_time_us";

std::unexpected<Error> Bad(std::string_view expected, std::string_view found) {
  return Fail(ErrorCode::kBadToken, fmt::format("Expected {} but found {}", expected, found));
}

// One word, or a list of which other things than words are left out.
std::vector<std::string> WordsOf(const Value* claim) {
  if (claim == nullptr) return {};
  if (claim->is_string()) return {claim->as_string()};
  std::vector<std::string> words;
  if (claim->is_array())
    for (const Value& item : claim->as_array())
      if (item.is_string()) words.push_back(item.as_string());
  return words;
}

std::optional<Role> StrongestOf(const std::vector<std::string>& words) {
  std::optional<Role> strongest;
  for (const std::string& word : words)
    if (const auto role = FindRole(word); role.has_value())
      strongest = std::min(strongest.value_or(*role), *role);
  return strongest;
}

Result<std::string> NameClaim(const VerifiedToken& token, std::string_view claim) {
  const Value* const name = FindClaim(token.claims, claim);
  const std::string expected =
      fmt::format("`{}` of a token as a name of at most {} bytes", claim, kMaxNameBytes);
  if (name == nullptr || !name->is_string() || name->as_string().size() > kMaxNameBytes)
    return Bad(expected, "something else");
  const std::string_view fault = FaultOfPersonName(name->as_string());
  if (!fault.empty()) return Bad(expected, fmt::format("one {}", fault));
  return name->as_string();
}

Result<Caller> ReadOwn(const VerifiedToken& token, Caller caller) {
  const auto time = [&token](std::string_view claim) {
    const Value* const value = token.claims.Find(claim);
    return value != nullptr && value->is_int() ? std::optional(TimeUs(value->as_int()))
                                               : std::nullopt;
  };
  const auto issued = time(kIssuedUs);
  const auto logged_in = time(kLoggedInUs);
  if (!issued.has_value() || !logged_in.has_value())
    return Bad("a token as this server makes them", "one without its times");
  auto name = NameClaim(token, "sub");
  if (!name) return std::unexpected(name.error());
  caller.name = *std::move(name);
  caller.proof = Proof::kOwnToken;
  caller.issued = *issued;
  caller.logged_in = *logged_in;
  return caller;
}

}  // namespace

Object OwnClaims(const Caller& caller) {
  return {{"iss", kOwnIssuer},
          {"sub", caller.name},
          {"role", RoleName(caller.role)},
          {"iat", caller.issued.value / kSecondUs},
          {"exp", caller.expires.value / kSecondUs},
          {"jti", caller.token_id},
          {std::string(kIssuedUs), caller.issued.value},
          {std::string(kLoggedInUs), caller.logged_in.value}};
}

Result<Caller> ReadCaller(const VerifiedToken& token) {
  Caller caller;
  caller.token_id = token.id;
  caller.expires = token.expires;
  const IssuerRules* const rules = token.key->issuer.get();
  if (rules == nullptr) return ReadOwn(token, std::move(caller));
  auto name = NameClaim(token, rules->name_claim);
  if (!name) return std::unexpected(name.error());
  auto role = StrongestOf(WordsOf(FindClaim(token.claims, rules->role_claim)));
  if (!role.has_value()) role = rules->default_role;
  if (!role.has_value())
    return Bad(fmt::format("a role of this server in `{}` of a token", rules->role_claim), "none");
  caller.name = *std::move(name);
  caller.role = *role;
  caller.groups = WordsOf(FindClaim(token.claims, rules->groups_claim));
  if (caller.groups.size() > kMaxGroups)
    return Bad(fmt::format("at most {} groups in a token", kMaxGroups), "more");
  caller.proof = Proof::kForeignToken;
  caller.issued = caller.logged_in = token.issued;
  return caller;
}

}  // namespace stele::server
