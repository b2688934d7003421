#include "tests/eventstore/power_cut.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

namespace stele::eventstore {
namespace {

using File = std::pair<dev_t, ino_t>;  // its name may change
using Sync = int (*)(int);

struct Synced {
  std::mutex mutex;
  std::map<File, off_t> sizes;
};

Synced& Files() {
  static Synced files;
  return files;
}

void (*before_each_sync)() = nullptr;

int SyncAndNote(const char* name, int file) {
  if (before_each_sync != nullptr) before_each_sync();
  const auto real = reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name));
  struct stat before{};
  const bool known = fstat(file, &before) == 0;  // what is written meanwhile may not be in it
  const int result = real(file);
  if (result != 0 || !known || !S_ISREG(before.st_mode)) return result;
  const std::lock_guard lock(Files().mutex);
  Files().sizes[{before.st_dev, before.st_ino}] = before.st_size;
  return result;
}

// Not the lock, nor what is written for people.
bool IsData(const std::filesystem::path& path) {
  const std::string folder = path.parent_path().filename().string();
  return path.extension() == ".log" || path.extension() == ".sst" || path.extension() == ".json" ||
         path.extension() == ".segment" || path.extension() == ".new" ||
         path.filename().string().starts_with("MANIFEST") || folder == "meta" || folder == "files";
}

template <typename Visit>
void ForEachDataFile(const std::string& directory, Visit visit) {
  if (!std::filesystem::exists(directory)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    struct stat now{};
    if (IsData(entry.path()) && stat(entry.path().c_str(), &now) == 0) visit(entry.path(), now);
  }
}

}  // namespace

void CallBeforeEachSync(void (*call)()) {
  before_each_sync = call;
}

void CountAsSynced(const std::string& directory) {
  const std::lock_guard lock(Files().mutex);
  ForEachDataFile(directory, [](const std::string&, const struct stat& now) {
    Files().sizes[{now.st_dev, now.st_ino}] = now.st_size;
  });
}

void LoseWhatIsNotSynced(const std::string& directory) {
  const std::lock_guard lock(Files().mutex);
  ForEachDataFile(directory, [](const std::string& path, const struct stat& now) {
    const auto synced = Files().sizes.find({now.st_dev, now.st_ino});
    const off_t kept = synced == Files().sizes.end() ? 0 : synced->second;
    if (now.st_size > kept && truncate(path.c_str(), kept) != 0) _exit(4);
  });
}

}  // namespace stele::eventstore

extern "C" int fsync(int file) {
  return stele::eventstore::SyncAndNote("fsync", file);
}

extern "C" int fdatasync(int file) {
  return stele::eventstore::SyncAndNote("fdatasync", file);
}
