#include "engine/secrets/secret_store.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/json.h"
#include "engine/secrets/limits.h"
#include "engine/secrets/private_file.h"
#include "engine/secrets/secrets.h"
#include "engine/secrets/store_format.h"

namespace stele::secrets {

namespace {

bool IsUtf8(std::string_view text) {
  std::string json;
  WriteJsonString(text, json);
  const Result<Value> read = ParseJson(json);
  return read.has_value() && read->is_string() && read->as_string() == text;
}

Status CheckValue(std::string_view value) {
  if (value.empty()) return Fail(ErrorCode::kBadSecret, "Expected a value but found none");
  if (value.size() > kMaxValueBytes)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected a value of at most {} bytes but found {}", kMaxValueBytes,
                            value.size()));
  if (value.find('\0') != std::string_view::npos || !IsUtf8(value))
    return Fail(ErrorCode::kBadSecret,
                "Expected a value in UTF-8 without NUL but found other bytes; base64 makes a text "
                "of them");
  return {};
}

// Nothing when there is no file.
Result<std::optional<StoreFile>> Load(const std::string& path, const SecretKey* key) {
  const Result<std::optional<std::string>> bytes = ReadPrivateFile(path, kMaxFileBytes);
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  if (!bytes->has_value()) return std::nullopt;
  Result<StoreFile> file = DecodeStore(**bytes, path, key);
  if (!file.has_value()) return std::unexpected(file.error());
  return *std::move(file);
}

Status Save(const std::string& path, const StoreFile& file, const SecretKey& key) {
  const std::string bytes = EncodeStore(file, key);
  if (bytes.size() > kMaxFileBytes)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected a store of at most {} bytes but found {}", kMaxFileBytes,
                            bytes.size()));
  return ReplacePrivateFile(path, bytes);
}

}  // namespace

SecretStore::SecretStore(const std::string& data_directory)
    : path_(data_directory + "/secrets.stele"), lock_path_(data_directory + "/secrets.lock") {}

Status SecretStore::Put(const SecretKey& key, std::string_view name, std::string_view value,
                        const Clock& clock) const {
  STELE_RETURN_IF_ERROR(CheckName(name));
  STELE_RETURN_IF_ERROR(CheckValue(value));
  const Result<FileLock> lock = FileLock::Take(lock_path_);
  if (!lock.has_value()) return std::unexpected(lock.error());
  Result<std::optional<StoreFile>> loaded = Load(path_, &key);
  if (!loaded.has_value()) return std::unexpected(loaded.error());
  StoreFile file = (*std::move(loaded)).value_or(StoreFile{key.Id(), {}});
  const TimeUs now = clock.Now();
  const auto found = file.entries.find(name);
  if (found != file.entries.end()) {
    found->second = Seal(key, name, value, found->second.created, now);
  } else if (file.entries.size() >= kMaxEntries) {
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected at most {} secrets in {}", kMaxEntries, path_));
  } else {
    file.entries.emplace(name, Seal(key, name, value, now, now));
  }
  return Save(path_, file, key);
}

Status SecretStore::Remove(const SecretKey& key, std::string_view name) const {
  STELE_RETURN_IF_ERROR(CheckName(name));
  const auto missing = [&] {
    return Fail(ErrorCode::kUnknownSecret,
                fmt::format("Expected the secret \"{}\" in {} but found none", name, path_));
  };
  if (!Exists()) return missing();
  const Result<FileLock> lock = FileLock::Take(lock_path_);
  if (!lock.has_value()) return std::unexpected(lock.error());
  Result<std::optional<StoreFile>> file = Load(path_, &key);
  if (!file.has_value()) return std::unexpected(file.error());
  if (!file->has_value()) return missing();
  const auto found = (*file)->entries.find(name);
  if (found == (*file)->entries.end()) return missing();
  (*file)->entries.erase(found);
  return Save(path_, **file, key);
}

Status SecretStore::Rotate(const SecretKey& from, const SecretKey& to) const {
  if (!Exists())
    return Fail(ErrorCode::kUnknownSecret,
                fmt::format("Expected a store of secrets in {} but found none", path_));
  const Result<FileLock> lock = FileLock::Take(lock_path_);
  if (!lock.has_value()) return std::unexpected(lock.error());
  Result<std::optional<StoreFile>> file = Load(path_, &from);
  if (!file.has_value()) return std::unexpected(file.error());
  StoreFile rotated{to.Id(), {}};
  if (file->has_value()) {
    for (const auto& [name, entry] : (*file)->entries) {
      Result<std::string> value = OpenSealed(from, name, entry);
      if (!value.has_value()) return std::unexpected(value.error());
      const WipeAtEnd wipe(*value);
      rotated.entries.emplace(name, Seal(to, name, *value, entry.created, entry.changed));
    }
  }
  return Save(path_, rotated, to);
}

Result<std::vector<SecretInfo>> SecretStore::List(const SecretKey* key) const {
  Result<std::optional<StoreFile>> file = Load(path_, key);
  if (!file.has_value()) return std::unexpected(file.error());
  std::vector<SecretInfo> list;
  if (!file->has_value()) return list;
  for (const auto& [name, entry] : (*file)->entries)
    list.push_back({name, entry.value_bytes(), entry.created, entry.changed});
  return list;
}

Result<std::optional<std::string>> SecretStore::Find(const SecretKey& key,
                                                     std::string_view name) const {
  const Result<std::optional<StoreFile>> file = Load(path_, &key);
  if (!file.has_value()) return std::unexpected(file.error());
  if (!file->has_value()) return std::nullopt;
  const auto found = (*file)->entries.find(name);
  if (found == (*file)->entries.end()) return std::nullopt;
  Result<std::string> value = OpenSealed(key, name, found->second);
  if (!value.has_value()) return std::unexpected(value.error());
  return *std::move(value);
}

bool SecretStore::Exists() const {
  std::error_code ignored;
  return std::filesystem::exists(path_, ignored);
}

}  // namespace stele::secrets
