#include "cli/open_data.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <set>

#include "cli/engine.h"
#include "cli/settings.h"
#include "engine/runtime/open_store.h"

namespace stele::cli {

bool HasData(const std::string& data) {
  return eventstore::HasRocksDbStore(data);
}

Status RequireData(const std::string& data) {
  if (HasData(data)) return {};
  return Fail(ErrorCode::kStoreNotFound,
              fmt::format("Expected the data of earlier runs in {} but found none; --data names "
                          "another directory",
                          data));
}

namespace {

Result<std::unique_ptr<eventstore::EventStore>> OpenData(const Arguments& arguments,
                                                         eventstore::RocksDbOptions options) {
  const std::string path = arguments.Get("--data", kDefaultData);
  STELE_RETURN_IF_ERROR(RequireData(path));
  // Faulty settings are told by whoever comes first, not by the one who starts something.
  const auto key = ReadKeySource(path);
  if (!key.has_value()) return std::unexpected(key.error());
  const auto archive = ReadArchiveDirectory(path);
  if (!archive.has_value()) return std::unexpected(archive.error());
  options.archive_directory = *archive;
  options.create_if_missing = false;
  const bool without_key = options.without_key;
  return runtime::OpenStore(path, std::move(options), without_key ? secrets::KeySource() : *key);
}

}  // namespace

Result<std::unique_ptr<eventstore::EventStore>> OpenForReading(const Arguments& arguments,
                                                               bool damaged, bool without_key) {
  eventstore::RocksDbOptions options;
  options.read_only = true;
  options.open_damaged = damaged;
  options.without_key = without_key;
  return OpenData(arguments, std::move(options));
}

Result<eventstore::HeadSigning> SigningOf(const std::string& data) {
  const auto source = ReadAuditSource(data);
  if (!source.has_value()) return std::unexpected(source.error());
  return runtime::ReadHeadSigning(*source);
}

Result<std::unique_ptr<eventstore::EventStore>> OpenForWriting(const Arguments& arguments) {
  auto heads = SigningOf(arguments.Get("--data", kDefaultData));
  if (!heads.has_value()) return std::unexpected(heads.error());
  eventstore::RocksDbOptions options;
  options.heads = *std::move(heads);
  return OpenData(arguments, std::move(options));
}

Result<InstanceId> ParseInstanceId(const std::string& word) {
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
  if (error == std::errc() && end == word.data() + word.size() && id != 0) return InstanceId(id);
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected an instance's number but found \"{}\"", word));
}

std::vector<std::string> ScriptDirectoriesOf(Engine& engine) {
  std::set<std::string> directories;
  for (const model::RegisteredDefinition& known : engine.shard().registry().definitions)
    if (!known.file.empty())
      directories.insert(std::filesystem::path(known.file).parent_path().string());
  return {directories.begin(), directories.end()};
}

}  // namespace stele::cli
