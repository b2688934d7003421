// Where `secrets.<name>` comes from when an attempt starts. Never in the log: records keep names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stele::runtime {

class Secrets {
 public:
  virtual ~Secrets() = default;
  virtual std::optional<std::string> Find(std::string_view name) const = 0;
};

// The environment variable STELE_SECRET_<NAME>, the name in upper case.
class EnvironmentSecrets final : public Secrets {
 public:
  std::optional<std::string> Find(std::string_view name) const override;
};

}  // namespace stele::runtime
