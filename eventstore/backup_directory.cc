#include "eventstore/backup_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

namespace stele::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kPrivate = 0600;

std::string ListPath(const std::string& path) {
  return path + "/backups.json";
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Nothing, or the beginnings of a directory whose making was cut off.
bool IsUnused(const std::string& path) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(path, failed)) {
    const std::string name = entry.path().filename().string();
    if (name != "LOCK" && name != "backups.json.new") return false;
  }
  return !failed;
}

std::unexpected<Error> Damaged(const std::string& expected, const std::string& path,
                               const std::string& found) {
  return Fail(ErrorCode::kBackupDamaged,
              fmt::format("Expected {} in {} but found {}.", expected, path, found));
}

Result<std::set<std::string>> Names(const std::string& directory) {
  std::set<std::string> names;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory, failed))
    names.insert(entry.path().filename().string());
  if (!failed) return names;
  return Fail(ErrorCode::kIo,
              fmt::format("Expected to list {} but found: {}.", directory, failed.message()));
}

Status Remove(const std::string& path) {
  std::error_code failed;
  fs::remove(path, failed);
  if (!failed) return {};
  return Fail(ErrorCode::kIo,
              fmt::format("Expected to remove {} but found: {}.", path, failed.message()));
}

}  // namespace

namespace {

Status CheckIsThere(const std::string& path) {
  STELE_RETURN_IF_ERROR(CheckMayBeRead(path));
  // Without its list, a directory with manifests is a damaged one.
  if (Exists(ListPath(path)) || Exists(path + "/manifests")) return {};
  return Fail(ErrorCode::kStoreNotFound,
              fmt::format("Expected a directory with backups but found none in {}.", path));
}

}  // namespace

Result<BackupDirectory> BackupDirectory::OpenToList(const std::string& given) {
  const std::string path = ResolvedPath(given);
  STELE_RETURN_IF_ERROR(CheckIsThere(path));
  BackupDirectory directory(path, std::nullopt);
  STELE_RETURN_IF_ERROR(directory.ReadList());
  return directory;
}

Result<BackupDirectory> BackupDirectory::OpenToRead(const std::string& given, bool list) {
  const std::string path = ResolvedPath(given);
  STELE_RETURN_IF_ERROR(CheckIsThere(path));
  auto lock = FileLock::Take(path + "/LOCK", FileLock::Way::kShared);
  if (!lock) return std::unexpected(std::move(lock).error());
  BackupDirectory directory(path, *std::move(lock));
  if (list) STELE_RETURN_IF_ERROR(directory.ReadList());
  return directory;
}

Result<BackupDirectory> BackupDirectory::OpenToWrite(const std::string& given) {
  const std::string path = ResolvedPath(given);
  STELE_RETURN_IF_ERROR(MakeDirectories(path));
  STELE_RETURN_IF_ERROR(CheckMayBeRead(path));
  for (fs::path above = fs::path(path).parent_path(); above != above.root_path();
       above = above.parent_path())
    if (Exists(ListPath(above.string())) && Exists(above.string() + "/manifests"))
      return Fail(ErrorCode::kWrongDirectory,
                  fmt::format("Expected a directory apart from the backups in {} but found {}.",
                              above.string(), path));
  const bool known = Exists(ListPath(path)) || Exists(path + "/manifests");
  if (!known && !IsUnused(path))
    return Fail(ErrorCode::kWrongDirectory,
                fmt::format("Expected a directory with backups or an empty one but found something "
                            "else in {}.",
                            path));
  auto lock = FileLock::Take(path + "/LOCK", FileLock::Way::kAlone);
  if (!lock) return std::unexpected(std::move(lock).error());
  BackupDirectory directory(path, *std::move(lock));
  if (!Exists(ListPath(path)) && !Exists(path + "/manifests"))
    STELE_RETURN_IF_ERROR(directory.WriteList({}));
  STELE_RETURN_IF_ERROR(directory.ReadOrMendList());
  STELE_RETURN_IF_ERROR(MakeDirectories(path + "/manifests"));
  STELE_RETURN_IF_ERROR(MakeDirectories(path + "/files"));
  STELE_RETURN_IF_ERROR(MakeDirectories(path + "/archive"));
  return directory;
}

Status BackupDirectory::ReadList() {
  const std::string path = ListPath(path_);
  const Result<std::string> text = ReadSmallFile(path, kMaxManifestBytes);
  if (!text && text.error().code == ErrorCode::kStoreNotFound)
    return Fail(ErrorCode::kBackupDamaged, text.error().message);
  if (!text) return std::unexpected(text.error());
  const Result<Value> document = OpenSealedJson(*text, path);
  if (!document) return std::unexpected(document.error());
  const Value* format = document->Find("format");
  const Value* list = document->Find("backups");
  if (format == nullptr || !format->is_int() || list == nullptr || !list->is_array())
    return Damaged("\"format\" and \"backups\"", path, "others");
  if (format->as_int() != kBackupFormat)
    return Fail(ErrorCode::kStoreUnknownFormat,
                fmt::format("Expected backup format {} in {} but found {}.", kBackupFormat, path,
                            format->as_int()));
  ids_.clear();
  for (const Value& id : list->as_array()) {
    const uint32_t before = ids_.empty() ? 0 : ids_.back();
    if (!id.is_int() || id.as_int() <= before || id.as_int() > UINT32_MAX)
      return Damaged("ascending numbers", path, "others");
    ids_.push_back(static_cast<uint32_t>(id.as_int()));
  }
  return {};
}

// A manifest is written when all files of its backup are there, and before the list has it.
Status BackupDirectory::ReadOrMendList() {
  const Status read = ReadList();
  if (read || read.error().code != ErrorCode::kBackupDamaged) return read;
  const auto names = Names(path_ + "/manifests");
  if (!names) return read;
  std::vector<uint32_t> ids;
  for (const std::string& name : *names) {
    uint32_t id = 0;
    const auto [rest, failed] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (failed == std::errc() && id > 0 && std::string_view(rest) == ".json") ids.push_back(id);
  }
  std::ranges::sort(ids);
  STELE_RETURN_IF_ERROR(WriteList(ids));
  mended_ = read.error().message;
  return {};
}

std::string BackupDirectory::MendList(const std::string& given) {
  const auto seen = OpenToRead(given);
  if (seen || seen.error().code != ErrorCode::kBackupDamaged) return {};
  const std::string path = ResolvedPath(given);
  auto lock = FileLock::Take(path + "/LOCK", FileLock::Way::kAlone);
  if (!lock) return {};
  BackupDirectory directory(path, *std::move(lock));
  return directory.ReadOrMendList() ? directory.mended_ : std::string();
}

Status BackupDirectory::WriteList(const std::vector<uint32_t>& ids) {
  Array list;
  for (const uint32_t id : ids) list.push_back(static_cast<int64_t>(id));
  const Object document{{"format", kBackupFormat}, {"backups", std::move(list)}};
  STELE_RETURN_IF_ERROR(ReplaceFile(ListPath(path_), SealJson(document), kPrivate));
  ids_ = ids;
  return {};
}

std::string BackupDirectory::ManifestPath(uint32_t id) const {
  return fmt::format("{}/manifests/{}.json", path_, id);
}

bool BackupDirectory::Has(uint32_t id) const {
  return std::ranges::binary_search(ids_, id);
}

Result<BackupManifest> BackupDirectory::Manifest(uint32_t id) const {
  const std::string path = ManifestPath(id);
  const Result<std::string> text = ReadSmallFile(path, kMaxManifestBytes);
  if (!text && text.error().code == ErrorCode::kStoreNotFound) {
    if (Has(id)) return Fail(ErrorCode::kBackupDamaged, text.error().message);
    return Fail(ErrorCode::kStoreNotFound,
                fmt::format("Expected the number of a backup in {} but found {}.", path_, id));
  }
  if (!text) return std::unexpected(text.error());
  Result<BackupManifest> manifest = DecodeManifest(*text, path);
  if (manifest && manifest->id != id)
    return Damaged(fmt::format("the manifest of backup {}", id), path,
                   fmt::format("that of backup {}", manifest->id));
  return manifest;
}

Status BackupDirectory::CheckFiles(const BackupManifest& manifest,
                                   std::vector<BackedUpFile>* known) const {
  const auto by_path = [](const BackedUpFile& a, const BackedUpFile& b) { return a.path < b.path; };
  std::vector<BackedUpFile> seen;
  for (const BackedUpFile& file : manifest.files) {
    const auto [first, last] = std::ranges::equal_range(*known, file, by_path);
    if (first != last && first->digest == file.digest) continue;
    const std::string path = path_ + "/" + file.path;
    // Its own name says nothing to people.
    const std::string where =
        file.name.empty() ? path : fmt::format("{}, the copy of {},", path, file.name);
    const Result<FileDigest> digest = DigestFile(path);
    if (!digest && digest.error().code == ErrorCode::kStoreNotFound)
      return Damaged("a file", where, "none");
    if (!digest) return std::unexpected(digest.error());
    if (digest->bytes != file.digest.bytes)
      return Damaged(fmt::format("{} bytes", file.digest.bytes), where,
                     fmt::format("{}", digest->bytes));
    if (digest->sha256 != file.digest.sha256)
      return Damaged("bytes with the SHA-256 " + ToHex(file.digest.sha256), where,
                     ToHex(digest->sha256));
    seen.push_back(file);
  }
  known->insert(known->end(), seen.begin(), seen.end());
  std::ranges::sort(*known, by_path);
  return {};
}

std::vector<uint32_t> BackupDirectory::UnprovenLists() const {
  std::vector<uint32_t> unproven;
  std::error_code ignored;  // there are none
  for (const auto& entry : fs::directory_iterator(log_path() + "/meta", ignored)) {
    const std::string name = entry.path().filename().string();
    uint32_t id = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), id);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
    const auto manifest = Manifest(id);
    const auto digest = DigestFile(entry.path().string());
    const bool proven =
        manifest && digest && std::ranges::any_of(manifest->files, [&](const BackedUpFile& file) {
          return file.path == "log/meta/" + name && file.digest == *digest;
        });
    if (!proven) unproven.push_back(id);
  }
  return unproven;
}

Status BackupDirectory::Add(const BackupManifest& manifest) {
  STELE_RETURN_IF_ERROR(ReplaceFile(ManifestPath(manifest.id), EncodeManifest(manifest), kPrivate));
  std::vector<uint32_t> ids = ids_;
  ids.push_back(manifest.id);
  return WriteList(ids);
}

Status BackupDirectory::Forget(const std::vector<uint32_t>& ids) {
  std::vector<uint32_t> kept;
  std::ranges::set_difference(ids_, ids, std::back_inserter(kept));
  return WriteList(kept);
}

Status BackupDirectory::RemoveStrays() const {
  const auto manifests = Names(path_ + "/manifests");
  if (!manifests) return std::unexpected(manifests.error());
  for (const std::string& name : *manifests) {
    const auto is_of = [&](uint32_t id) { return name == fmt::format("{}.json", id); };
    if (std::ranges::none_of(ids_, is_of))
      STELE_RETURN_IF_ERROR(Remove(path_ + "/manifests/" + name));
  }
  std::set<std::string> needed;
  for (const uint32_t id : ids_) {
    const Result<BackupManifest> manifest = Manifest(id);
    // What a manifest needs that cannot be read is not known: nothing is removed.
    if (!manifest) return {};
    for (const BackedUpFile& file : manifest->files) needed.insert(file.path);
  }
  for (const std::string folder : {"files/", "archive/"}) {
    const auto names = Names(path_ + "/" + folder);
    if (!names) return std::unexpected(names.error());
    for (const std::string& name : *names)
      if (!needed.contains(folder + name))
        STELE_RETURN_IF_ERROR(Remove(path_ + "/" + folder + name));
  }
  return {};
}

Result<BackedUpFile> BackupDirectory::Keep(const std::string& data, const std::string& name) const {
  const std::string from = data + "/" + name;
  struct stat status{};
  if (stat(from.c_str(), &status) != 0) return SystemError("look at " + from);
  const Result<FileDigest> now = DigestFile(from);
  if (!now) return std::unexpected(now.error());
  BackedUpFile file{"files/" + ToHex(now->sha256), *now, name, status.st_mode & 07777};
  const Result<FileDigest> kept = DigestFile(path_ + "/" + file.path);
  if (kept && *kept == *now) return file;
  const Result<FileDigest> copied = CopyWholeFile(from, path_ + "/" + file.path, kPrivate);
  if (!copied) return std::unexpected(copied.error());
  if (*copied == *now) return file;
  return Fail(ErrorCode::kIo,
              fmt::format("Expected {} to stay as it is while it is copied but found that it "
                          "changed; try again.",
                          from));
}

Result<BackedUpFile> BackupDirectory::KeepSegment(const std::string& path,
                                                  const BackupManifest& newest) const {
  const std::string name = "archive/" + fs::path(path).filename().string();
  for (const BackedUpFile& file : newest.files) {
    std::error_code failed;
    if (file.path == name && fs::file_size(path_ + "/" + name, failed) == file.digest.bytes &&
        !failed)
      return file;
  }
  const Result<FileDigest> copied = CopyWholeFile(path, path_ + "/" + name, kPrivate);
  if (!copied) return std::unexpected(copied.error());
  return BackedUpFile{.path = name, .digest = *copied, .name = name, .mode = kPrivate};
}

std::string ResolvedPath(const std::string& path) {
  std::error_code failed;
  fs::path resolved = fs::absolute(path, failed);
  if (failed) return path;
  const fs::path absolute = resolved;
  resolved = fs::weakly_canonical(absolute, failed);
  if (failed) resolved = absolute.lexically_normal();
  if (!resolved.has_filename()) resolved = resolved.parent_path();
  return resolved.string();
}

bool LiesIn(const std::string& path, const std::string& directory) {
  const std::string prefix = directory.ends_with('/') ? directory : directory + "/";
  return path == directory || path.starts_with(prefix);
}

}  // namespace stele::eventstore
