#include "engine/secrets/key_source.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/check.h"
#include "engine/secrets/key_command.h"
#include "engine/secrets/private_file.h"

namespace stele::secrets {
namespace {

Result<SecretKey> FromCommand(const KeySource& source) {
  Result<std::string> output = OutputOfKeyCommand(source.command, source.command_patience_ms);
  if (!output) return std::unexpected(std::move(output).error());
  const WipeAtEnd wipe(*output);
  return SecretKey::Parse(*output, "the output of the setting \"key_command\"");
}

Result<SecretKey> FromEnvironment(const std::string& name) {
  const char* text = std::getenv(name.c_str());
  if (text == nullptr || *text == '\0')
    return Fail(
        ErrorCode::kMasterKey,
        fmt::format("Expected the master key in the environment variable {} but found none", name));
  return SecretKey::Parse(text, "the environment variable " + name);
}

Result<SecretKey> Read(const KeySource& source) {
  if (!source.file.empty()) return SecretKey::ReadFile(source.file);
  if (!source.environment.empty()) return FromEnvironment(source.environment);
  return FromCommand(source);
}

// Of these places one.
Status CheckOne(const KeySource& source) {
  CHECK(!source.empty());
  if (source.file.empty() + source.environment.empty() + source.command.empty() == 2) return {};
  return Fail(ErrorCode::kUsage,
              "Expected the key in a file, in an environment variable or from a command, but found "
              "more than one of them given");
}

}  // namespace

std::string PlaceOf(const KeySource& source) {
  if (!source.file.empty()) return source.file;
  if (!source.environment.empty()) return "the environment variable " + source.environment;
  return "the output of the setting \"key_command\"";
}

Result<std::string> ReadKeyText(const KeySource& source, ErrorCode code) {
  STELE_RETURN_IF_ERROR(CheckOne(source));
  if (!source.file.empty()) {
    auto text = ReadPrivateFile(source.file, kMaxKeyTextBytes);
    if (!text.has_value()) return std::unexpected(std::move(text).error());
    if (text->has_value()) return **std::move(text);
    return Fail(code, fmt::format("Expected a key in {} but found no such file", source.file));
  }
  if (source.environment.empty()) {
    auto output = OutputOfKeyCommand(source.command, source.command_patience_ms);
    if (!output.has_value()) return Fail(code, output.error().message);
    return output;
  }
  const char* text = std::getenv(source.environment.c_str());
  if (text != nullptr && *text != '\0') return text;
  return Fail(code, fmt::format("Expected a key in {} but found none", PlaceOf(source)));
}

Result<SecretKey> ReadKey(const KeySource& source) {
  STELE_RETURN_IF_ERROR(CheckOne(source));
  Result<SecretKey> key = Read(source);
  // What the store of secrets calls its key.
  if (!key && key.error().code == ErrorCode::kSecretKey)
    return Fail(ErrorCode::kMasterKey, key.error().message);
  return key;
}

}  // namespace stele::secrets
