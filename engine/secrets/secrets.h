// Where `secrets.<name>` comes from when an attempt starts. Never in the log: records keep names.
// docs/secrets.md tells people about the sources.
//
// Thread: the loop's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stele::secrets {

class Secrets {
 public:
  virtual ~Secrets() = default;
  // The value as it is now; whoever asks for an attempt asks again.
  virtual std::optional<std::string> Find(std::string_view name) const = 0;
  // What was found instead when Find gave nothing, to stand behind "but found". Never a value.
  virtual std::string Missing(std::string_view name) const;
};

// A letter or `_`, then letters, digits, `_`, `-`; at most kMaxNameBytes. kBadSecret otherwise.
Status CheckName(std::string_view name);

// The environment variable STELE_SECRET_<NAME>, the name in upper case and `-` as `_`.
class EnvironmentSecrets final : public Secrets {
 public:
  std::optional<std::string> Find(std::string_view name) const override;
  std::string Missing(std::string_view name) const override;
};

// The first source that has the name.
class ChainSecrets final : public Secrets {
 public:
  explicit ChainSecrets(std::vector<std::unique_ptr<Secrets>> sources)
      : sources_(std::move(sources)) {}
  std::optional<std::string> Find(std::string_view name) const override;
  std::string Missing(std::string_view name) const override;

 private:
  std::vector<std::unique_ptr<Secrets>> sources_;
};

// The sources of this process: its environment, then the file or directory that
// STELE_SECRETS_FILE names, then the store in the data directory. Errors: of FileSecrets::Open.
Result<std::unique_ptr<Secrets>> SecretsFromProcess(const std::string& data_directory);

}  // namespace stele::secrets
