#include "server/edge/trusted_issuers.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "server/auth/limits.h"

namespace stele::server {

namespace {

constexpr std::string_view kPem = "-----BEGIN";

std::unexpected<Error> Unreadable(const std::string& path, std::string_view found) {
  return Fail(ErrorCode::kIo,
              fmt::format("Expected the keys of an issuer in {} but found: {}", path, found));
}

Result<std::string> ReadKeysFile(const std::string& path, struct stat& about) {
  if (stat(path.c_str(), &about) != 0)
    return Unreadable(path, std::generic_category().message(errno));
  // A pipe may never end.
  if (!S_ISREG(about.st_mode)) return Unreadable(path, "no file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unreadable(path, std::generic_category().message(errno));
  std::string text(kMaxJwksBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxJwksBytes)
    return Fail(ErrorCode::kConfiguration,
                fmt::format("{}: Expected at most {} bytes but found more", path, kMaxJwksBytes));
  return text;
}

Status AddKeys(const TrustedIssuer& issuer, KeySet& keys,
               const std::function<void(std::string_view)>& note) {
  struct stat about{};
  const auto text = ReadKeysFile(issuer.keys_file, about);
  if (!text.has_value()) return std::unexpected(text.error());
  const size_t known = keys.keys().size();
  const Status added = text->contains(kPem) ? keys.AddPem(*text, "", issuer.rules)
                                            : keys.AddJwks(*text, issuer.rules);
  if (!added.has_value())
    return Fail(ErrorCode::kConfiguration,
                fmt::format("{}: {}", issuer.keys_file, added.error().message));
  const auto is_secret = [](const TrustedKey& trusted) {
    return trusted.key.algorithm() == Algorithm::kHs256;
  };
  if ((about.st_mode & S_IRWXO) != 0 && std::ranges::any_of(keys.keys().subspan(known), is_secret))
    note(fmt::format("{} holds a shared secret, and every user of this machine may read it",
                     issuer.keys_file));
  return {};
}

}  // namespace

Result<KeySet> ReadTrustedKeys(const std::vector<TrustedIssuer>& issuers,
                               const std::function<void(std::string_view)>& note) {
  KeySet keys;
  for (const TrustedIssuer& issuer : issuers) STELE_RETURN_IF_ERROR(AddKeys(issuer, keys, note));
  return keys;
}

}  // namespace stele::server
