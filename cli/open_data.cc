#include "cli/open_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "cli/engine.h"
#include "cli/settings.h"
#include "engine/definition/faults.h"
#include "engine/runtime/open_store.h"

namespace stele::cli {

namespace {

constexpr size_t kMaxNamesShown = 8;

// "; registered: a, b and 3 more"
std::string KnownNames(std::vector<std::string> names) {
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  if (names.empty()) return "; none is registered";
  const size_t more = names.size() - std::min(names.size(), kMaxNamesShown);
  names.resize(names.size() - more);
  return fmt::format("; registered: {}{}", fmt::join(names, ", "),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

}  // namespace

bool HasData(const std::string& data) {
  return eventstore::HasRocksDbStore(data);
}

namespace {

Result<std::unique_ptr<eventstore::EventStore>> OpenData(const Arguments& arguments,
                                                         eventstore::RocksDbOptions options) {
  const std::string path = arguments.Get("--data", kDefaultData);
  if (!HasData(path))
    return Fail(ErrorCode::kStoreNotFound,
                fmt::format("Expected the data of earlier runs in {} but found none; --data names "
                            "another directory",
                            path));
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

Result<std::unique_ptr<eventstore::EventStore>> OpenForWriting(const Arguments& arguments) {
  return OpenData(arguments, {});
}

Result<InstanceId> ParseInstanceId(const std::string& word) {
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
  if (error == std::errc() && end == word.data() + word.size() && id != 0) return InstanceId(id);
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected an instance's number but found \"{}\"", word));
}

Result<const model::RegisteredDefinition*> FindDefinition(const model::Registry& registry,
                                                          const std::string& name, uint32_t version,
                                                          bool startable) {
  const model::RegisteredDefinition* latest = registry.Latest(name);
  if (latest == nullptr) {
    std::vector<std::string> names;
    for (const model::RegisteredDefinition& known : registry.definitions)
      names.push_back(known.name);
    const std::string near = definition::Nearest(name, names);
    return Fail(ErrorCode::kUnknownDefinition,
                fmt::format("Expected the name of a registered definition but found \"{}\"{}", name,
                            near.empty() ? KnownNames(std::move(names))
                                         : fmt::format("; did you mean \"{}\"?", near)));
  }
  if (version != 0) {
    if (const auto* found = registry.Version(name, version)) return found;
    return Fail(ErrorCode::kUnknownDefinition,
                fmt::format("Expected one of the versions 1 to {} of \"{}\" but found {}",
                            latest->version, name, version));
  }
  if (!startable) return latest;
  if (const auto* found = registry.Startable(name)) return found;
  // Starting it says why not.
  return latest;
}

std::vector<std::string> ScriptDirectoriesOf(Engine& engine) {
  std::set<std::string> directories;
  for (const model::RegisteredDefinition& known : engine.shard().registry().definitions)
    if (!known.file.empty())
      directories.insert(std::filesystem::path(known.file).parent_path().string());
  return {directories.begin(), directories.end()};
}

}  // namespace stele::cli
