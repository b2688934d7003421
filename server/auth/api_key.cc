// The text form of API keys.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/auth/accounts.h"
#include "server/auth/encoding.h"
#include "server/auth/limits.h"

namespace stele::server {
namespace {

constexpr std::string_view kStart = "stele_";

}  // namespace

bool IsApiKeyId(std::string_view id) {
  return id.size() == kApiKeyIdCharacters && std::ranges::all_of(id, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
         });
}

bool LooksLikeApiKey(std::string_view text) {
  return text.starts_with(kStart);
}

std::optional<ApiKeyText> ParseApiKey(std::string_view text) {
  if (!text.starts_with(kStart)) return std::nullopt;
  text.remove_prefix(kStart.size());
  const size_t end = text.find('_');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view id = text.substr(0, end);
  auto secret = DecodeBase64Url(text.substr(end + 1));
  if (!IsApiKeyId(id) || !secret.has_value() || secret->size() != kApiKeySecretBytes)
    return std::nullopt;
  return ApiKeyText{std::string(id), *std::move(secret)};
}

MadeApiKey MakeApiKey(const RandomBytes& random, std::string name, Role role, TimeUs now) {
  MadeApiKey made;
  made.key.id = ReadableWord(random, kApiKeyIdCharacters);
  made.key.name = std::move(name);
  made.key.role = role;
  made.key.created = now;
  const std::string secret = TakeRandom(random, kApiKeySecretBytes);
  made.key.secret_hash = Sha256(secret);
  made.text = fmt::format("{}{}_{}", kStart, made.key.id, EncodeBase64Url(secret));
  return made;
}

bool IsSecretOf(const ApiKey& key, std::string_view secret) {
  return SameBytes(Sha256(secret), key.secret_hash);
}

}  // namespace stele::server
