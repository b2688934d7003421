#include "engine/secrets/store_secrets.h"

#include <fmt/format.h>

namespace stele::secrets {

Result<std::optional<std::string>> StoreSecrets::Read(std::string_view name) const {
  if (!store_.Exists()) return std::nullopt;
  const Result<SecretKey> key = SecretKey::FromProcess();
  if (!key.has_value()) return std::unexpected(key.error());
  return store_.Find(*key, name);
}

std::optional<std::string> StoreSecrets::Find(std::string_view name) const {
  return Read(name).value_or(std::nullopt);
}

std::string StoreSecrets::Missing(std::string_view name) const {
  const Result<std::optional<std::string>> read = Read(name);
  if (!read.has_value())
    return fmt::format("{} closed ({})", store_.path(), read.error().ToString());
  return store_.Exists() ? fmt::format("no entry in {}", store_.path())
                         : fmt::format("no store {}", store_.path());
}

}  // namespace stele::secrets
