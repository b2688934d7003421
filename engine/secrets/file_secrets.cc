#include "engine/secrets/file_secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/secrets/limits.h"
#include "engine/secrets/private_file.h"

namespace stele::secrets {

namespace {

namespace fs = std::filesystem;

std::string_view WithoutLineEnd(std::string_view text, char end) {
  if (text.ends_with(end)) text.remove_suffix(1);
  return text;
}

// The value of `name` among the lines, all of which are checked.
Result<std::optional<std::string>> FindLine(std::string_view text, std::string_view name,
                                            const std::string& path) {
  std::optional<std::string> found;
  std::set<std::string_view> seen;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = WithoutLineEnd(text.substr(0, end), '\r');
    text.remove_prefix(std::min(text.size(), end + 1));
    if (line.find_first_not_of(" \t") == std::string_view::npos || line.starts_with('#')) continue;
    // What stands there may be a value: no sentence shows it.
    const size_t equals = line.find('=');
    const std::string_view key = line.substr(0, std::min(equals, line.size()));
    if (equals == std::string_view::npos || !CheckName(key).has_value())
      return Fail(ErrorCode::kBadSecret,
                  fmt::format("{}:{}: Expected NAME=value but found another line", path, number));
    if (!seen.insert(key).second)
      return Fail(ErrorCode::kBadSecret,
                  fmt::format("{}:{}: Expected \"{}\" once but found it twice", path, number, key));
    const std::string_view value = line.substr(equals + 1);
    if (value.size() > kMaxValueBytes)
      return Fail(ErrorCode::kLimitExceeded,
                  fmt::format("{}:{}: Expected a value of at most {} bytes but found {}", path,
                              number, kMaxValueBytes, value.size()));
    if (key == name) found = value;
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<FileSecrets>> FileSecrets::Open(const std::string& path) {
  std::error_code ignored;
  std::unique_ptr<FileSecrets> secrets(new FileSecrets(path, fs::is_directory(path, ignored)));
  if (secrets->directory_) {
    for (const auto& entry : fs::directory_iterator(path, ignored)) {
      const std::string name = entry.path().filename().string();
      if (!CheckName(name).has_value() || !entry.is_regular_file(ignored)) continue;
      const Result<std::optional<std::string>> read = secrets->Read(name);
      if (!read.has_value()) return std::unexpected(read.error());
    }
    return secrets;
  }
  if (!fs::exists(path, ignored))
    return Fail(ErrorCode::kIo,
                fmt::format("Expected the file or directory of secrets {} but found none", path));
  const Result<std::optional<std::string>> read = secrets->Read("");
  if (!read.has_value()) return std::unexpected(read.error());
  return secrets;
}

Result<std::optional<std::string>> FileSecrets::Read(std::string_view name) const {
  if (directory_) {
    if (!CheckName(name).has_value()) return std::nullopt;
    auto text = ReadPrivateFile(fmt::format("{}/{}", path_, name), kMaxValueBytes);
    if (!text.has_value() || !text->has_value()) return text;
    const WipeAtEnd wipe(**text);
    return std::string(WithoutLineEnd(WithoutLineEnd(**text, '\n'), '\r'));
  }
  Result<std::optional<std::string>> text = ReadPrivateFile(path_, kMaxFileBytes);
  if (!text.has_value() || !text->has_value()) return text;
  const WipeAtEnd wipe(**text);
  return FindLine(**text, name, path_);
}

std::optional<std::string> FileSecrets::Find(std::string_view name) const {
  return Read(name).value_or(std::nullopt);
}

std::string FileSecrets::Missing(std::string_view name) const {
  const Result<std::optional<std::string>> read = Read(name);
  if (!read.has_value()) return fmt::format("{} refused ({})", path_, read.error().ToString());
  return directory_ ? fmt::format("no file {}/{}", path_, name)
                    : fmt::format("no line in {}", path_);
}

}  // namespace stele::secrets
