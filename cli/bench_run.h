// A measurement from its beginning to its end: the directory, the engine or the server, the load,
// and the disk beside them.
//
// Thread: the main one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "cli/bench_options.h"
#include "cli/bench_report.h"
#include "cli/load/server_process.h"

namespace stele::cli {

// The directory that is measured in: the one that was given, made when it is not there, or one of
// its own beside the present one, which goes with this.
class BenchPlace {
 public:
  static Result<std::unique_ptr<BenchPlace>> Make(const std::string& given);
  ~BenchPlace();
  BenchPlace(const BenchPlace&) = delete;
  BenchPlace& operator=(const BenchPlace&) = delete;

  const std::string& path() const { return path_; }
  bool is_temporary() const { return temporary_; }

 private:
  BenchPlace(std::string path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}

  const std::string path_;
  const bool temporary_;
};

class BenchRun {
 public:
  // `stop`: asked now and then, true ends the measurement. `second`: told of a load each second.
  BenchRun(const BenchOptions& options, std::function<bool()> stop,
           std::function<void(const load::Progress&)> second);

  Result<BenchReport> Run();

 private:
  class Meter;

  using Enough = std::function<bool(uint64_t syncs, int64_t elapsed_us)>;
  Result<SyncsMeasured> MeasureSyncs(const std::string& directory, const Enough& enough) const;
  Status MeasureEmbedded(const std::string& data);
  // A server of its own, when it is one.
  Status MeasureServed(const std::string& data);
  Status MeasureLoad(load::Clients& clients, const load::ServerAddress& server, Meter& meter);
  Status MeasureSubscribers(load::Clients& clients, std::optional<pid_t> server);

  const BenchOptions& options_;
  const std::function<bool()> stop_;
  const std::function<void(const load::Progress&)> second_;
  BenchReport report_;
};

}  // namespace stele::cli
