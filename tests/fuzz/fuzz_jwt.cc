// Any bytes as what comes in with a request or is configured: a token, a JWK Set, PEM, an API key,
// the document of an account, the permissions of a definition. The first byte chooses. Refused with
// a sentence that holds none of it, or read; what is read survives being written.
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "base/json.h"
#include "server/auth/authenticator.h"
#include "server/auth/claims.h"
#include "server/auth/grants.h"

using stele::ErrorCode;
using stele::ManualClock;
using stele::TimeUs;
using stele::Value;
using namespace stele::server;  // NOLINT

namespace {

constexpr TimeUs kNow(1'700'000'000'000'000);
constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kJwks = R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"ed",)"
                                   R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

// One that has the user ada and trusts a key besides its own.
struct World {
  World() : clock(kNow) {
    const User ada{.name = "ada", .role = Role::kOperator};
    CHECK(accounts.Set("user:ada", ToJson(ada)).has_value());
    CHECK(trusted.AddJwks(kJwks, {}).has_value());
    CHECK(trusted.AddForeign(SigningKey::FromSecret(kSecret, "idp")->verifier(), {}).has_value());
    auto made =
        Authenticator::Create(accounts, SigningKey::Own(kSecret).value(), trusted, clock,
                              [](std::span<unsigned char> bytes) { std::ranges::fill(bytes, 7); },
                              {.passwords = PasswordLimits::Least()});
    CHECK(made.has_value(), "{}", made.error().message);
    authenticator.emplace(*std::move(made));
  }

  ManualClock clock;
  Accounts accounts;
  KeySet trusted;
  std::optional<Authenticator> authenticator;
};

void CheckSentence(const stele::Error& error, std::string_view input) {
  CHECK(error.message.starts_with("Expected"), "{}", error.message);
  // Shorter pieces may be words of the sentence.
  constexpr size_t kTelling = 24;
  if (input.size() >= kTelling)
    CHECK(error.message.find(input.substr(0, kTelling)) == std::string::npos, "{}", error.message);
}

void ReadCredential(std::string_view text) {
  static const World world;
  const auto caller = world.authenticator->AuthenticateText(text, "127.0.0.1");
  const auto by_header =
      world.authenticator->Authenticate("Bearer " + std::string(text), "127.0.0.1");
  if (!caller) {
    CHECK(caller.error().code == ErrorCode::kBadToken ||
          (text.empty() && caller.error().code == ErrorCode::kUnauthenticated));
    return CheckSentence(caller.error(), text);
  }
  CHECK(!caller->name.empty() && caller->expires > kNow);
  CHECK(world.authenticator->StillValid(*caller));
  CHECK(by_header.has_value() && *by_header == *caller);
  CHECK(caller->name != "ada" || caller->role == Role::kOperator);
}

void ReadKeys(std::string_view text) {
  KeySet keys;
  if (const auto added = keys.AddJwks(text, {}); !added) {
    CHECK(keys.keys().empty() && added.error().message.find("Expected") != std::string::npos, "{}",
          added.error().message);
  } else {
    CHECK(!keys.keys().empty());
    for (const TrustedKey& trusted : keys.keys()) CHECK(!trusted.key.Verifies("text", "signature"));
  }
  if (const auto key = VerificationKey::FromPem(text, ""); key.has_value())
    CHECK(!key->Verifies("text", "signature"));
}

void ReadApiKey(std::string_view text) {
  const auto parsed = ParseApiKey(text);
  if (parsed.has_value())
    CHECK("stele_" + parsed->id + "_" + EncodeBase64Url(parsed->secret) == text);
  const auto bytes = DecodeBase64Url(text);
  if (bytes.has_value()) CHECK(EncodeBase64Url(*bytes) == text);
}

void ReadDocument(std::string_view text) {
  const auto document = stele::ParseJson(text);
  if (!document) return;
  if (const auto user = UserFromJson("ada", *document); user.has_value()) {
    CHECK(UserFromJson("ada", ToJson(*user)) == *user);
  } else {
    CHECK(user.error().message.starts_with("Expected"), "{}", user.error().message);
  }
  if (const auto key = KeyFromJson("abcdefghij", *document); key.has_value()) {
    CHECK(KeyFromJson("abcdefghij", ToJson(*key)) == *key);
  } else {
    CHECK(key.error().message.starts_with("Expected"), "{}", key.error().message);
  }
  if (const auto revoked = RevokedTokenFromJson(*document); revoked.has_value())
    CHECK(RevokedTokenFromJson(ToJson(*revoked)) == *revoked);
}

void ReadGrants(std::string_view text) {
  const auto document = stele::ParseJson(text);
  if (!document) return;
  const auto permissions = ReadPermissions(*document);
  if (!permissions) {
    CHECK(permissions.error().code == ErrorCode::kInvalidDefinition);
    return;
  }
  Caller caller{.name = "ada", .role = Role::kAdmin, .groups = {"finance"}};
  CHECK(Allows(caller, Permission::kOperate, &*permissions));
  caller.role = Role::kViewer;
  CHECK(!Allows(caller, Permission::kOperate, &*permissions));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (static_cast<uint8_t>(data[0] - '0') % 5) {
    case 0:
      ReadCredential(text);
      return 0;
    case 1:
      ReadKeys(text);
      return 0;
    case 2:
      ReadApiKey(text);
      return 0;
    case 3:
      ReadDocument(text);
      return 0;
    case 4:
      ReadGrants(text);
      return 0;
  }
  return 0;
}
