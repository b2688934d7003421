#include "cli/bench_run.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/configuration/configuration.h"
#include "cli/configuration/setting_sources.h"
#include "cli/configuration/setting_table.h"
#include "cli/load/disk_sync.h"
#include "cli/load/embedded.h"
#include "cli/load/limits.h"
#include "cli/load/workers.h"
#include "cli/open_data.h"
#include "cli/open_files.h"
#include "cli/remote/server_option.h"
#include "cli/settings.h"
#include "engine/tasks/limits.h"

namespace stele::cli {

namespace {

constexpr std::string_view kPlaces = "./stele-bench-XXXXXX";
// Beside the connections: the log, views, standard streams.
constexpr uint64_t kFilesBeside = 500;

Result<embed::Options> EmbedOptionsOf(const std::string& data) {
  const auto key = ReadKeySource(data);
  if (!key.has_value()) return std::unexpected(key.error());
  auto archive = ReadArchiveDirectory(data);
  if (!archive.has_value()) return std::unexpected(archive.error());
  embed::Options options;
  options.actor = "stele bench";
  options.master_key = {key->file, key->environment, key->command};
  options.retention.every = std::chrono::seconds(0);
  options.retention.archive_directory = *std::move(archive);
  return options;
}

// What a server of the measurement's own is not told: somebody configured another one with these.
// Others stay: the key of the data may be in any.
std::vector<std::string> VariablesOfServe() {
  std::vector<std::string> variables{std::string(kConfigurationVariable)};
  for (const Setting& setting : kSettings) variables.push_back(VariableOf(setting));
  return variables;
}

// Of this program.
Result<std::string> OwnPath() {
  std::error_code fault;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", fault);
  if (fault)
    return Fail(ErrorCode::kIo, fmt::format("Expected this program at /proc/self/exe but found: {}",
                                            fault.message()));
  return path.string();
}

Status CheckOpenFiles(size_t connections) {
  const uint64_t open = RaiseOpenFiles();
  if (open >= connections + kFilesBeside) return {};
  return Fail(ErrorCode::kLimitExceeded,
              fmt::format("Expected {} open files to be allowed, for {} connections, but found {}; "
                          "raise the hard limit (ulimit -Hn)",
                          connections + kFilesBeside, connections, open));
}

}  // namespace

Result<std::unique_ptr<BenchPlace>> BenchPlace::Make(const std::string& given) {
  if (given.empty()) {
    std::string path(kPlaces);
    if (mkdtemp(path.data()) == nullptr)
      return Fail(ErrorCode::kIo, fmt::format("Expected to make a directory here but found: {}",
                                              std::strerror(errno)));
    return std::unique_ptr<BenchPlace>(new BenchPlace(std::move(path), true));
  }
  std::error_code fault;
  std::filesystem::create_directories(given, fault);
  if (fault)
    return Fail(ErrorCode::kIo,
                fmt::format("Expected a directory at {} but found: {}", given, fault.message()));
  return std::unique_ptr<BenchPlace>(new BenchPlace(given, false));
}

BenchPlace::~BenchPlace() {
  std::error_code ignored;
  if (temporary_) std::filesystem::remove_all(path_, ignored);
}

// What this process and the engine's take within the window.
class BenchRun::Meter {
 public:
  // `engine`: its process; 0: this one; none: nobody knows.
  explicit Meter(std::optional<pid_t> engine) : engine_(engine) {}

  load::LoadEvents Events(const std::function<void(const load::Progress&)>& second) {
    return {.window_begins = [this] { begin_ = Sample(); },
            .window_ends = [this] { end_ = Sample(); },
            .second = second};
  }

  void Report(BenchReport& report) const {
    if (!begin_.has_value() || !end_.has_value()) return;
    const int64_t took_us = end_->at_us - begin_->at_us;
    if (begin_->own.has_value() && end_->own.has_value())
      report.client = load::Between(*begin_->own, *end_->own, took_us);
    if (engine_ == 0) report.engine = std::exchange(report.client, std::nullopt);
    if (begin_->engine.has_value() && end_->engine.has_value())
      report.engine = load::Between(*begin_->engine, *end_->engine, took_us);
  }

 private:
  struct Moment {
    int64_t at_us;
    std::optional<load::ProcessUse> own;
    std::optional<load::ProcessUse> engine;
  };
  Moment Sample() const {
    Moment moment{load::NowUs(), load::ReadUse(0), std::nullopt};
    if (engine_.value_or(0) != 0) moment.engine = load::ReadUse(*engine_);
    // Of one that has ended there is nothing left to be read but its name.
    if (moment.engine.has_value() && moment.engine->resident_bytes == 0) moment.engine.reset();
    return moment;
  }

  const std::optional<pid_t> engine_;
  std::optional<Moment> begin_;
  std::optional<Moment> end_;
};

BenchRun::BenchRun(const BenchOptions& options, std::function<bool()> stop,
                   std::function<void(const load::Progress&)> second)
    : options_(options), stop_(std::move(stop)), second_(std::move(second)) {}

Result<BenchReport> BenchRun::Run() {
  // Beside a server elsewhere, the disk of the present directory is as good as any.
  const bool is_elsewhere = options_.target == BenchTarget::kServer;
  const auto place = BenchPlace::Make(is_elsewhere ? "" : options_.data);
  if (!place.has_value()) return std::unexpected(place.error());
  const std::string& directory = (*place)->path();
  report_.place = is_elsewhere ? "" : directory;
  report_.temporary = (*place)->is_temporary();
  const bool is_sync = options_.scenario == Scenario::kSync;
  const load::Plan& plan = options_.plan;
  const uint64_t most = !is_sync ? load::kSyncsBeside : plan.count > 0 ? plan.count : UINT64_MAX;
  const int64_t longest_us = !is_sync         ? load::kSyncsBesideUs
                             : plan.count > 0 ? INT64_MAX
                                              : plan.duration_us / 2;
  const Enough enough = [&](uint64_t syncs, int64_t elapsed_us) {
    return syncs >= most || elapsed_us >= longest_us || stop_();
  };
  auto before = MeasureSyncs(directory, enough);
  if (!before.has_value()) return std::unexpected(before.error());
  report_.before = *std::move(before);
  if (is_sync) return std::move(report_);
  STELE_RETURN_IF_ERROR(options_.target == BenchTarget::kEmbedded ? MeasureEmbedded(directory)
                                                                  : MeasureServed(directory));
  auto after = MeasureSyncs(directory, enough);
  if (!after.has_value()) return std::unexpected(after.error());
  report_.after = *std::move(after);
  return std::move(report_);
}

Result<SyncsMeasured> BenchRun::MeasureSyncs(const std::string& directory,
                                             const Enough& enough) const {
  auto blocks = load::MeasureSyncs(directory, load::SyncKind::kBlock, enough);
  if (!blocks.has_value()) return std::unexpected(blocks.error());
  auto records = load::MeasureSyncs(directory, load::SyncKind::kRecord, enough);
  if (!records.has_value()) return std::unexpected(records.error());
  return SyncsMeasured{.block_us = *std::move(blocks), .record_us = *std::move(records)};
}

Status BenchRun::MeasureEmbedded(const std::string& data) {
  const bool had_data = HasData(data);
  const auto embed_options = EmbedOptionsOf(data);
  if (!embed_options.has_value()) return std::unexpected(embed_options.error());
  const auto embedded = load::Embedded::Open(*embed_options, data);
  if (!embedded.has_value()) return std::unexpected(embedded.error());
  if (had_data) STELE_RETURN_IF_ERROR((*embedded)->CheckIdle());
  STELE_RETURN_IF_ERROR((*embedded)->Prepare(options_.work()));
  Meter meter(0);
  load::Load load(options_.plan, meter.Events(second_));
  (*embedded)->Run(load, stop_);
  auto measured = load.Finish();
  if (!measured.has_value()) return std::unexpected(measured.error());
  report_.measured = *std::move(measured);
  meter.Report(report_);
  return {};
}

Status BenchRun::MeasureServed(const std::string& data) {
  STELE_RETURN_IF_ERROR(CheckOpenFiles(options_.connections));
  std::unique_ptr<load::ServerProcess> process;
  load::ServerAddress address = options_.server;
  if (options_.target == BenchTarget::kOwnServer) {
    if (HasData(data)) {
      const auto embed_options = EmbedOptionsOf(data);
      if (!embed_options.has_value()) return std::unexpected(embed_options.error());
      const auto embedded = load::Embedded::Open(*embed_options, data);
      if (!embedded.has_value()) return std::unexpected(embedded.error());
      STELE_RETURN_IF_ERROR((*embedded)->CheckIdle());
    }
    const auto program = OwnPath();
    if (!program.has_value()) return std::unexpected(program.error());
    auto started = load::ServerProcess::Start(*program, data, VariablesOfServe());
    if (!started.has_value()) return std::unexpected(started.error());
    process = *std::move(started);
    address.address = process->address();
  }
  const bool subscribes = options_.scenario == Scenario::kSubscribers;
  const auto clients =
      load::Clients::Connect(address, subscribes ? 1 : options_.connections, stop_);
  if (!clients.has_value()) return std::unexpected(ExplainTls(address.address, clients.error()));
  STELE_RETURN_IF_ERROR((*clients)->Prepare(options_.work()));
  const std::optional<pid_t> server =
      process != nullptr ? std::optional(process->id()) : (*clients)->server_process();
  if (subscribes) return MeasureSubscribers(**clients, server);
  Meter meter(server);
  STELE_RETURN_IF_ERROR(MeasureLoad(**clients, address, meter));
  meter.Report(report_);
  return {};
}

Status BenchRun::MeasureLoad(load::Clients& clients, const load::ServerAddress& server,
                             Meter& meter) {
  load::Load load(options_.plan, meter.Events(second_));
  std::optional<load::Workers> workers;
  // Each may hold all that is under way, or as much as a worker may.
  const uint64_t under_way =
      options_.plan.is_open() ? tasks::kMaxWorkerSlots : options_.plan.in_flight;
  if (options_.work().with_tasks)
    workers.emplace(server, options_.workers,
                    static_cast<uint32_t>(std::min<uint64_t>(under_way, tasks::kMaxWorkerSlots)),
                    [&load](const Error& error) { load.Fail(error); });
  clients.Run(options_.work(), load);
  workers.reset();
  auto measured = load.Finish();
  if (!measured.has_value()) return std::unexpected(measured.error());
  report_.measured = *std::move(measured);
  return {};
}

Status BenchRun::MeasureSubscribers(load::Clients& clients, std::optional<pid_t> server) {
  const auto memory = [&]() -> std::optional<uint64_t> {
    clients.Settle();
    if (!server.has_value()) return std::nullopt;
    const auto use = load::ReadUse(*server);
    return use.has_value() ? std::optional(use->resident_bytes) : std::nullopt;
  };
  SubscribersMeasured measured;
  measured.bytes_before = memory();
  STELE_RETURN_IF_ERROR(clients.Grow(options_.connections - 1));
  STELE_RETURN_IF_ERROR(clients.Follow(options_.work()));
  measured.bytes_idle = memory();
  auto delivered = clients.Deliver(options_.work());
  if (!delivered.has_value()) return std::unexpected(delivered.error());
  measured.subscribers = delivered->followers;
  measured.delivery_us = std::move(delivered->latencies_us);
  measured.bytes_told = memory();
  report_.subscribers = std::move(measured);
  return {};
}

}  // namespace stele::cli
