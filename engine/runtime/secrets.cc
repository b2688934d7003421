#include "engine/runtime/secrets.h"

#include <cctype>
#include <cstdlib>

namespace stele::runtime {

std::optional<std::string> EnvironmentSecrets::Find(std::string_view name) const {
  std::string variable = "STELE_SECRET_";
  for (const char c : name)
    variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const char* text = std::getenv(variable.c_str());
  if (text == nullptr) return std::nullopt;
  return std::string(text);
}

}  // namespace stele::runtime
