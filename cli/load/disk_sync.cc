#include "cli/load/disk_sync.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/load/limits.h"
#include "cli/load/load.h"

namespace stele::load {

namespace {

std::unexpected<Error> IoFault(const std::string& path) {
  return Fail(ErrorCode::kIo, fmt::format("Expected to write and sync {} but found: {}", path,
                                          std::strerror(errno)));
}

}  // namespace

Result<projections::Histogram> MeasureSyncs(const std::string& directory, SyncKind kind,
                                            const std::function<bool(uint64_t, int64_t)>& enough) {
  const std::string path = directory + "/stele-bench.sync";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return IoFault(path);
  const std::string bytes(kind == SyncKind::kBlock ? kSyncBlockBytes : kSyncRecordBytes, 'x');
  // Where a file system cannot, it is measured without.
  if (kind == SyncKind::kRecord)
    (void)fallocate(file, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(kSyncRoomBytes));
  Result<projections::Histogram> times;
  const int64_t begin_us = NowUs();
  for (int64_t now_us = begin_us;
       times.has_value() && !enough(times->count(), now_us - begin_us);) {
    if (write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        fdatasync(file) != 0) {
      times = IoFault(path);
      break;
    }
    const int64_t done_us = NowUs();
    times->Add(done_us - now_us);
    now_us = done_us;
  }
  close(file);
  unlink(path.c_str());
  return times;
}

}  // namespace stele::load
