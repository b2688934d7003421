// The store of a data directory as a source: read anew for each secret, with the key of the process
// as it is then, so that a rotated key and a changed value count from the next attempt on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/secrets/secret_store.h"
#include "engine/secrets/secrets.h"

namespace stele::secrets {

class StoreSecrets final : public Secrets {
 public:
  explicit StoreSecrets(const std::string& data_directory) : store_(data_directory) {}
  std::optional<std::string> Find(std::string_view name) const override;
  // Says that the key is missing or wrong when that is the reason.
  std::string Missing(std::string_view name) const override;

 private:
  Result<std::optional<std::string>> Read(std::string_view name) const;
  SecretStore store_;
};

}  // namespace stele::secrets
