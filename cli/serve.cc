// `stele serve`: the engine of a data directory with its edges, until a signal.
#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/configuration/configuration.h"
#include "cli/configuration/edge_options.h"
#include "cli/configuration/tracing.h"
#include "cli/engine.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/open_files.h"
#include "cli/settings.h"
#include "cli/supervisor.h"
#include "cli/text.h"
#include "cli/watchdog.h"
#include "engine/retention/service.h"
#include "engine/triggers/service.h"
#include "projections/all_views.h"
#include "projections/projector.h"
#include "server/edge/edge.h"

namespace stele::cli {

namespace {

// Views of a longer log, that are built for the first time, are built while it serves.
constexpr uint64_t kShortLogRecords = 10'000;

// Owns the engine and the triggers while it serves.
class Service final : public runtime::Observer {
 public:
  // REQUIRES: all of them outlive it.
  Service(const Terminal& terminal, const Configuration& configuration,
          const Supervisor& supervisor)
      : terminal_(terminal),
        configuration_(configuration),
        supervisor_(supervisor),
        triggers_(
            {.loop = engine_.loop(), .clock = &engine_.clock(), .shard = kShard, .next = this}) {}
  ~Service() override { engine_.Close(); }

  Status Start(const Arguments& arguments, const std::vector<Stub>& stubs,
               const model::KeptAsker& asker) {
    const std::string data = configuration_.Text("data");
    auto tracing = TracingOf(configuration_);
    if (!tracing.has_value()) return std::unexpected(tracing.error());
    engine_.TraceInstances(tracing->ratio);
    STELE_RETURN_IF_ERROR(engine_.Open(data, true, &triggers_));
    if (tracing->tracer.has_value())
      STELE_RETURN_IF_ERROR(BeginTracing(*std::move(tracing->tracer)));
    watchdog_ = std::make_unique<Watchdog>(
        engine_.loop(), supervisor_, [this](std::function<void(bool)> answer) {
          engine_.shard().WhenDurable(
              [answer](const Result<Position>& durable) { answer(durable.has_value()); });
        });
    engine_.AddExecutors(stubs, ScriptDirectoriesOf(engine_));
    STELE_RETURN_IF_ERROR(
        engine_.AddWorkers(arguments, /*lasting=*/true,
                           [this](std::string_view note) { terminal_.PrintNote(Clean(note)); }));
    for (const std::string& note :
         UnknownTaskTypes(engine_.shard().options(), engine_.tasks().types()))
      terminal_.PrintNote(note);
    STELE_RETURN_IF_ERROR(triggers_.Attach(&engine_.shard(), &engine_.store(), &engine_.secrets()));
    open_ = engine_.shard().Resume(asker);
    STELE_RETURN_IF_ERROR(triggers_.Begin());
    STELE_RETURN_IF_ERROR(BeginRetention(data, asker));
    STELE_RETURN_IF_ERROR(OpenEdge());
    engine_.BeforeStop([this](std::function<void()> ended) { Leave(std::move(ended)); });
    // Of somebody's terminal it is the end, as of any program there.
    if (isatty(STDIN_FILENO) == 0) engine_.OnHangup([this] { Reload(); });
    terminal_.Print(fmt::format("stele serves {} with {}; process {}\n", Clean(data),
                                Count(open_, "open instance"), getpid()));
    if (edge_ != nullptr) PrintAddresses();
    return {};
  }

  int Run() {
    if (edge_ != nullptr) {
      edge_->Begin([this](const Result<server::SecretText>& made) { TellFirst(made); });
    } else {
      TellReady();
    }
    engine_.Run([this] { retention_->Tick(); });
    EndTracing();
    retention_->Stop();
    views_->Stop();
    return failed_ ? kExitUsage : kExitDone;
  }

  bool wants_records() const override { return edge_ != nullptr && edge_->wants_records(); }
  void OnRecord(InstanceId, std::span<const model::Event>, const model::RecordContext&) override {
    if (edge_ != nullptr) edge_->OnRecord();
  }
  void OnFatal(const Error& error) override {
    terminal_.PrintError(error);
    failed_ = true;
    engine_.Leave();
  }

 private:
  Status BeginTracing(server::tracing::TracerOptions options) {
    // From its own thread.
    const auto tell = [this](const std::string& sentence) {
      engine_.shard().Post([this, sentence] {
        terminal_.PrintNote(Clean(sentence));
        Log(server::LogLevel::kWarn, sentence, {});
      });
    };
    auto tracer = server::tracing::Tracer::Start(engine_.store(), kShard, std::move(options), tell);
    if (!tracer.has_value()) return std::unexpected(tracer.error());
    tracer_ = *std::move(tracer);
    return {};
  }

  // Behind the last record.
  void EndTracing() {
    if (tracer_ == nullptr) return;
    tracer_->Stop();
    if (const uint64_t dropped = tracer_->figures().dropped; dropped > 0)
      terminal_.PrintNote(fmt::format("{} of traces were not told of", Count(dropped, "span")));
  }

  Status OpenEdge() {
    server::EdgeOptions options = EdgeOptionsOf(configuration_);
    if (options.http.empty() && options.rpc.empty()) return {};
    options.note = [this](std::string_view note) { terminal_.PrintNote(Clean(note)); };
    if (tracer_ != nullptr) options.tracing = [this] { return tracer_->figures(); };
    auto edge = server::Edge::Open(engine_.loop(),
                                   {.shard_id = kShard,
                                    .shard = &engine_.shard(),
                                    .triggers = &triggers_,
                                    .store = &engine_.log(),
                                    .projector = views_.get(),
                                    .workers = &engine_.workers(),
                                    .tasks = &engine_.tasks(),
                                    .secrets = &engine_.secrets(),
                                    .retention = retention_.get(),
                                    .clock = &engine_.clock(),
                                    .types = &engine_.custom_types(),
                                    .take_up_types = [this] { engine_.AddCustomTypes(); }},
                                   std::move(options));
    if (!edge.has_value()) return std::unexpected(edge.error());
    edge_ = *std::move(edge);
    return {};
  }

  void TellReady() {
    supervisor_.Tell("READY=1\nSTATUS=serving " + configuration_.Text("data"));
    Log(server::LogLevel::kInfo, "serving",
        {{"data", configuration_.Text("data")},
         {"process", int64_t{getpid()}},
         {"open_instances", static_cast<int64_t>(open_)}});
  }

  // What the configuration names is read anew, the configuration itself is not.
  void Reload() {
    supervisor_.Tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", uv_hrtime() / 1000));
    std::vector<Error> faults;
    if (edge_ != nullptr) faults = edge_->Reload();
    for (const Error& fault : faults) terminal_.PrintNote(fault.ToString());
    if (faults.empty()) {
      Log(server::LogLevel::kInfo, "reloaded", {});
    } else {
      Log(server::LogLevel::kWarn, "not all reloaded",
          {{"faults", static_cast<int64_t>(faults.size())}});
    }
    supervisor_.Tell("READY=1");
  }

  void Leave(std::function<void()> ended) {
    supervisor_.Tell("STOPPING=1\nSTATUS=stopping");
    watchdog_->Leave();
    Log(server::LogLevel::kInfo, "stopping", {});
    // Workers may answer meanwhile: the edges close behind what runs.
    if (edge_ != nullptr) edge_->Leave();
    engine_.Drain(configuration_.Number("drain_timeout"), [this, ended = std::move(ended)] {
      if (edge_ == nullptr) return ended();
      edge_->Drain(ended);
    });
  }

  void Log(server::LogLevel level, std::string_view message, const Object& fields) {
    if (edge_ != nullptr) edge_->Log(level, message, fields);
  }

  void PrintAddresses() const {
    const char* const scheme = configuration_.Text("tls.certificate").empty() ? "http" : "https";
    for (const std::string& address : edge_->http_addresses())
      terminal_.Print(fmt::format("{}://{}\n", scheme, address));
    for (const std::string& address : edge_->rpc_addresses())
      terminal_.Print(fmt::format("rpc at {}\n", address));
    if (configuration_.Is("dev"))
      terminal_.PrintNote(
          "--dev: nobody is asked for a name; whoever reaches this machine may do "
          "anything");
  }

  // The password of the first admin, for whoever sees the terminal.
  void TellFirst(const Result<server::SecretText>& made) {
    // Not from in here: the end waits for what calls this.
    if (!made.has_value())
      return engine_.shard().Post([this, error = made.error()] { OnFatal(error); });
    TellReady();
    if (made->empty()) return;
    terminal_.Print(
        fmt::format("the user \"admin\" was made; one-time password: {}\n", made->view()));
  }

  Status BeginRetention(const std::string& data, const model::KeptAsker& asker) {
    const auto policy = ReadRetention(data);
    if (!policy.has_value()) return std::unexpected(policy.error());
    auto views = projections::Projector::Open(engine_.log(), kShard, data + "/views",
                                              projections::AllViews());
    if (!views.has_value()) return std::unexpected(views.error());
    views_ = *std::move(views);
    // Of a short log they are there before the first one asks.
    if (engine_.log().NextPosition(kShard).value <= kShortLogRecords)
      STELE_RETURN_IF_ERROR(views_->CatchUp());
    views_->Start();
    retention_ = std::make_unique<retention::RetentionService>(retention::RetentionParts{
        .store = &engine_.log(),
        .shard = kShard,
        .projector = views_.get(),
        .views = projections::AllViews(),
        .clock = &engine_.clock(),
        .policy = *policy,
        .asker = asker,
        .problem =
            [this](const Error& error) {
              terminal_.PrintNote(Clean("retention: " + error.ToString()));
            },
        .at_step = nullptr});
    retention_->Start(&engine_.shard(), /*runs=*/true);
    return {};
  }

  const Terminal& terminal_;
  const Configuration& configuration_;
  const Supervisor& supervisor_;
  Engine engine_;
  triggers::TriggerService triggers_;
  std::unique_ptr<projections::Projector> views_;
  std::unique_ptr<retention::RetentionService> retention_;
  std::unique_ptr<server::tracing::Tracer> tracer_;
  std::unique_ptr<server::Edge> edge_;
  std::unique_ptr<Watchdog> watchdog_;
  size_t open_ = 0;  // instances that it goes on with
  bool failed_ = false;
};

}  // namespace

int Serve(const Arguments& arguments, const Terminal& terminal) {
  // A connection is an open file, and at first most systems allow 1,024.
  RaiseOpenFiles();
  const auto configuration = Configuration::Read(arguments);
  if (!configuration.has_value()) return RefuseAll(terminal, configuration.error());
  const auto stubs = ParseStubs(arguments.All("--stub"));
  if (!stubs.has_value()) return Refuse(terminal, stubs.error());
  const auto asker = WhoAsks(arguments);
  if (!asker.has_value()) return Refuse(terminal, asker.error());
  const auto supervisor = Supervisor::FromEnvironment();
  if (!supervisor.has_value()) return Refuse(terminal, supervisor.error());
  Service service(terminal, *configuration, *supervisor);
  const Status started = service.Start(arguments, *stubs, *asker);
  if (!started.has_value()) return Refuse(terminal, started.error());
  return service.Run();
}

}  // namespace stele::cli
