#include "engine/secrets/secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "engine/secrets/file_secrets.h"
#include "engine/secrets/limits.h"
#include "engine/secrets/store_secrets.h"

namespace stele::secrets {

namespace {

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string VariableOf(std::string_view name) {
  std::string variable = "STELE_SECRET_";
  for (const char c : name) {
    if (c == '-') {
      variable += '_';
    } else {
      variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return variable;
}

}  // namespace

std::string Secrets::Missing(std::string_view) const {
  return "none";
}

Status CheckName(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kMaxNameBytes && IsLetter(name[0]) &&
                    std::ranges::all_of(name, [](char c) {
                      return IsLetter(c) || (c >= '0' && c <= '9') || c == '-';
                    });
  if (good) return {};
  // Behind a = stands a value, which nobody is to read.
  const size_t equals = name.find('=');
  return Fail(ErrorCode::kBadSecret,
              fmt::format("Expected the name of a secret (a letter or _, then letters, digits, _ "
                          "and -, at most {} bytes) but found {}",
                          kMaxNameBytes,
                          equals == std::string_view::npos
                              ? fmt::format("\"{}\"", name.substr(0, kMaxNameBytes))
                              : "one with a ="));
}

std::optional<std::string> EnvironmentSecrets::Find(std::string_view name) const {
  const char* text = std::getenv(VariableOf(name).c_str());
  if (text == nullptr) return std::nullopt;
  return std::string(text);
}

std::string EnvironmentSecrets::Missing(std::string_view name) const {
  return fmt::format("no variable {}", VariableOf(name));
}

std::optional<std::string> ChainSecrets::Find(std::string_view name) const {
  for (const auto& source : sources_) {
    if (std::optional<std::string> value = source->Find(name)) return value;
  }
  return std::nullopt;
}

std::string ChainSecrets::Missing(std::string_view name) const {
  std::string all;
  for (const auto& source : sources_) {
    if (!all.empty()) all += ", ";
    all += source->Missing(name);
  }
  return all;
}

Result<std::unique_ptr<Secrets>> SecretsFromProcess(const std::string& data_directory) {
  std::vector<std::unique_ptr<Secrets>> sources;
  sources.push_back(std::make_unique<EnvironmentSecrets>());
  const char* path = std::getenv("STELE_SECRETS_FILE");
  if (path != nullptr && *path != '\0') {
    Result<std::unique_ptr<FileSecrets>> file = FileSecrets::Open(path);
    if (!file.has_value()) return std::unexpected(file.error());
    sources.push_back(*std::move(file));
  }
  sources.push_back(std::make_unique<StoreSecrets>(data_directory));
  return std::make_unique<ChainSecrets>(std::move(sources));
}

}  // namespace stele::secrets
