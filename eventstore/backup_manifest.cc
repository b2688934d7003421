#include "eventstore/backup_manifest.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "base/json.h"

namespace stele::eventstore {
namespace {

constexpr std::string_view kSealBegin = ",\n  \"sha256\": \"";
constexpr std::string_view kSealEnd = "\"\n}\n";
constexpr size_t kHexBytes = 64;

std::unexpected<Error> Damaged(const std::string& path, const std::string& expected,
                               const std::string& found) {
  return Fail(ErrorCode::kBackupDamaged,
              fmt::format("Expected {} in {} but found {}.", expected, path, found));
}

std::optional<Hash> FromHex(std::string_view hex) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  Hash hash;
  if (hex.size() != 2 * hash.size()) return std::nullopt;
  for (size_t i = 0; i < hash.size(); ++i) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return hash;
}

// Members of one object; the first that is not as expected is kept as the error.
class Members {
 public:
  Members(const Value& object, const std::string& path) : object_(object), path_(path) {}

  int64_t Number(std::string_view name, int64_t least, int64_t most) {
    const Value* value = object_.Find(name);
    if (value != nullptr && value->is_int() && value->as_int() >= least && value->as_int() <= most)
      return value->as_int();
    Wrong(name, fmt::format("a number from {} to {}", least, most), value);
    return least;
  }
  std::string Text(std::string_view name) {
    const Value* value = object_.Find(name);
    if (value != nullptr && value->is_string()) return value->as_string();
    Wrong(name, "a text", value);
    return {};
  }
  Hash Sum(std::string_view name) {
    const Value* value = object_.Find(name);
    const auto hash = value != nullptr && value->is_string() ? FromHex(value->as_string())
                                                             : std::optional<Hash>();
    if (!hash.has_value()) Wrong(name, "64 hexadecimal digits", value);
    return hash.value_or(Hash{});
  }
  // A path that stays where it is put together with a directory.
  std::string Path(std::string_view name) {
    std::string text = Text(name);
    const std::filesystem::path path(text);
    bool inside = path.is_relative() && !text.empty();
    for (const auto& part : path) inside &= part != ".." && part != ".";
    if (!inside) Wrong(name, "a path below the directory", object_.Find(name));
    return text;
  }
  const Array& List(std::string_view name) {
    const Value* value = object_.Find(name);
    if (value != nullptr && value->is_array()) return value->as_array();
    Wrong(name, "a list", value);
    return nothing_;
  }
  bool Has(std::string_view name) const { return object_.Find(name) != nullptr; }
  Status status() const { return error_.has_value() ? Status(std::unexpected(*error_)) : Status(); }

 private:
  void Wrong(std::string_view name, const std::string& expected, const Value* found) {
    if (error_.has_value()) return;
    error_ = Damaged(path_, fmt::format("{} as \"{}\"", expected, name),
                     found == nullptr ? "none" : ToJson(*found))
                 .error();
  }

  const Value& object_;
  const std::string& path_;
  const Array nothing_;
  std::optional<Error> error_;
};

Result<BackedUpShard> ShardFrom(const Value& value, const std::string& path) {
  Members members(value, path);
  BackedUpShard shard;
  shard.shard = ShardId(static_cast<uint32_t>(members.Number("shard", 0, UINT32_MAX)));
  shard.end.next =
      Position(static_cast<uint64_t>(members.Number("position", 0, INT64_MAX - 1)) + 1);
  shard.end.hash = members.Sum("hash");
  shard.last_time = TimeUs(members.Number("last_time_us", INT64_MIN, INT64_MAX));
  STELE_RETURN_IF_ERROR(members.status());
  return shard;
}

Result<BackedUpFile> FileFrom(const Value& value, const std::string& path) {
  Members members(value, path);
  BackedUpFile file;
  file.path = members.Path("path");
  file.digest.bytes = static_cast<uint64_t>(members.Number("bytes", 0, INT64_MAX));
  file.digest.sha256 = members.Sum("sha256");
  if (members.Has("name")) {
    file.name = members.Path("name");
    file.mode = static_cast<uint32_t>(members.Number("mode", 0, 07777));
  }
  STELE_RETURN_IF_ERROR(members.status());
  return file;
}

}  // namespace

uint64_t BackupManifest::bytes() const {
  uint64_t bytes = 0;
  for (const BackedUpFile& file : files) bytes += file.digest.bytes;
  return bytes;
}

std::string SealJson(const Object& document) {
  std::string text = ToPrettyJson(document);
  while (text.ends_with('\n')) text.pop_back();
  text.resize(text.size() - 2);  // "\n}"
  const std::string hash = ToHex(Sha256(text));
  return text.append(kSealBegin).append(hash).append(kSealEnd);
}

Result<Value> OpenSealedJson(std::string_view text, const std::string& path) {
  const size_t seal = kSealBegin.size() + kHexBytes + kSealEnd.size();
  const std::string_view end = text.substr(text.size() - std::min(text.size(), seal));
  if (end.size() < seal || !end.starts_with(kSealBegin) || !end.ends_with(kSealEnd))
    return Damaged(path, "a SHA-256 at the end", fmt::format("{} bytes without it", text.size()));
  const std::string_view noted = end.substr(kSealBegin.size(), kHexBytes);
  const std::string found = ToHex(Sha256(text.substr(0, text.size() - seal)));
  if (noted != found) return Damaged(path, fmt::format("text with the SHA-256 {}", noted), found);
  Result<Value> document = ParseJson(text, nullptr, kWrittenJson);
  if (!document) return Damaged(path, "JSON", document.error().message);
  return document;
}

std::string EncodeManifest(const BackupManifest& manifest) {
  Array shards, files;
  for (const BackedUpShard& shard : manifest.shards)
    shards.push_back(Object{{"shard", static_cast<int64_t>(shard.shard.value)},
                            {"position", static_cast<int64_t>(shard.end.next.value - 1)},
                            {"hash", ToHex(shard.end.hash)},
                            {"last_time_us", shard.last_time.value}});
  for (const BackedUpFile& file : manifest.files) {
    Object entry{{"path", file.path},
                 {"bytes", static_cast<int64_t>(file.digest.bytes)},
                 {"sha256", ToHex(file.digest.sha256)}};
    if (!file.name.empty()) {
      entry.Set("name", file.name);
      entry.Set("mode", static_cast<int64_t>(file.mode));
    }
    files.push_back(std::move(entry));
  }
  return SealJson(Object{{"format", kBackupFormat},
                         {"backup", static_cast<int64_t>(manifest.id)},
                         {"made_us", manifest.made.value},
                         {"shards", std::move(shards)},
                         {"files", std::move(files)}});
}

Result<BackupManifest> DecodeManifest(std::string_view text, const std::string& path) {
  const Result<Value> document = OpenSealedJson(text, path);
  if (!document) return std::unexpected(document.error());
  Members members(*document, path);
  const int64_t format = members.Number("format", 1, INT64_MAX);
  STELE_RETURN_IF_ERROR(members.status());
  if (format != kBackupFormat)
    return Fail(
        ErrorCode::kStoreUnknownFormat,
        fmt::format("Expected backup format {} in {} but found {}.", kBackupFormat, path, format));
  BackupManifest manifest;
  manifest.id = static_cast<uint32_t>(members.Number("backup", 1, UINT32_MAX));
  manifest.made = TimeUs(members.Number("made_us", INT64_MIN, INT64_MAX));
  for (const Value& value : members.List("shards")) {
    Result<BackedUpShard> shard = ShardFrom(value, path);
    if (!shard) return std::unexpected(std::move(shard).error());
    manifest.shards.push_back(*std::move(shard));
  }
  for (const Value& value : members.List("files")) {
    Result<BackedUpFile> file = FileFrom(value, path);
    if (!file) return std::unexpected(std::move(file).error());
    manifest.files.push_back(*std::move(file));
  }
  STELE_RETURN_IF_ERROR(members.status());
  return manifest;
}

}  // namespace stele::eventstore
