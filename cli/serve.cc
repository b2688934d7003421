// `stele serve`: the engine of a data directory with its edges, until a signal.
#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/engine.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/settings.h"
#include "cli/text.h"
#include "engine/retention/service.h"
#include "engine/triggers/service.h"
#include "projections/all_views.h"
#include "projections/projector.h"
#include "server/edge/edge.h"

namespace stele::cli {

namespace {

// What --dev listens at when nothing else is said.
constexpr std::string_view kDevHttp = "127.0.0.1:7420";
constexpr std::string_view kDevRpc = "127.0.0.1:7421";
// Views of a longer log, that are built for the first time, are built while it serves.
constexpr uint64_t kShortLogRecords = 10'000;

server::EdgeOptions EdgeOptionsOf(const Arguments& arguments) {
  server::EdgeOptions options{.http = arguments.All("--http"),
                              .rpc = arguments.All("--rpc"),
                              .dev = arguments.Has("--dev"),
                              .data = arguments.Get("--data", kDefaultData),
                              .program = "stele " STELE_VERSION,
                              .tls = {.certificate_file = arguments.Get("--tls-certificate"),
                                      .key_file = arguments.Get("--tls-key"),
                                      .ca_file = arguments.Get("--tls-ca")},
                              .cors = {},
                              .open_metrics = arguments.Has("--open-metrics"),
                              .log = arguments.Get("--log"),
                              .note = nullptr};
  if (arguments.Has("--tls-ca"))
    options.tls.client_certificate = server::ClientCertificate::kRequired;
  if (options.dev && options.http.empty() && options.rpc.empty()) {
    options.http.emplace_back(kDevHttp);
    options.rpc.emplace_back(kDevRpc);
  }
  return options;
}

// Owns the engine and the triggers while it serves.
class Service final : public runtime::Observer {
 public:
  explicit Service(const Terminal& terminal)
      : terminal_(terminal),
        triggers_(
            {.loop = engine_.loop(), .clock = &engine_.clock(), .shard = kShard, .next = this}) {}
  ~Service() override { engine_.Close(); }

  Status Start(const Arguments& arguments, const std::vector<Stub>& stubs,
               const std::string& actor) {
    const std::string data = arguments.Get("--data", kDefaultData);
    STELE_RETURN_IF_ERROR(engine_.Open(data, true, &triggers_));
    engine_.AddExecutors(stubs, ScriptDirectoriesOf(engine_));
    STELE_RETURN_IF_ERROR(
        engine_.AddWorkers(arguments, /*lasting=*/true,
                           [this](std::string_view note) { terminal_.PrintNote(Clean(note)); }));
    for (const std::string& note :
         UnknownTaskTypes(engine_.shard().options(), engine_.tasks().types()))
      terminal_.PrintNote(note);
    STELE_RETURN_IF_ERROR(triggers_.Attach(&engine_.shard(), &engine_.store(), &engine_.secrets()));
    const size_t open = engine_.shard().Resume(actor);
    STELE_RETURN_IF_ERROR(triggers_.Begin());
    STELE_RETURN_IF_ERROR(BeginRetention(data, actor));
    STELE_RETURN_IF_ERROR(OpenEdge(arguments));
    terminal_.Print(fmt::format("stele serves {} with {}; process {}\n", Clean(data),
                                Count(open, "open instance"), getpid()));
    if (edge_ != nullptr) PrintAddresses(arguments);
    return {};
  }

  int Run() {
    if (edge_ != nullptr)
      edge_->Begin([this](const Result<std::string>& made) { TellFirst(made); });
    engine_.Run([this] { retention_->Tick(); });
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
  Status OpenEdge(const Arguments& arguments) {
    server::EdgeOptions options = EdgeOptionsOf(arguments);
    if (options.http.empty() && options.rpc.empty()) return {};
    options.note = [this](std::string_view note) { terminal_.PrintNote(Clean(note)); };
    auto edge = server::Edge::Open(engine_.loop(),
                                   {.shard_id = kShard,
                                    .shard = &engine_.shard(),
                                    .triggers = &triggers_,
                                    .store = &engine_.store(),
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
    engine_.BeforeStop([this](std::function<void()> ended) { edge_->Drain(std::move(ended)); });
    return {};
  }

  void PrintAddresses(const Arguments& arguments) const {
    const char* const scheme = arguments.Has("--tls-certificate") ? "https" : "http";
    for (const std::string& address : edge_->http_addresses())
      terminal_.Print(fmt::format("{}://{}\n", scheme, address));
    for (const std::string& address : edge_->rpc_addresses())
      terminal_.Print(fmt::format("rpc at {}\n", address));
    if (arguments.Has("--dev"))
      terminal_.PrintNote(
          "--dev: nobody is asked for a name; whoever reaches this machine may do "
          "anything");
  }

  // The password of the first admin, for whoever sees the terminal.
  void TellFirst(const Result<std::string>& made) {
    // Not from in here: the end waits for what calls this.
    if (!made.has_value())
      return engine_.shard().Post([this, error = made.error()] { OnFatal(error); });
    if (made->empty()) return;
    terminal_.Print(fmt::format("the user \"admin\" was made; one-time password: {}\n", *made));
  }

  Status BeginRetention(const std::string& data, const std::string& actor) {
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
        .actor = actor,
        .problem =
            [this](const Error& error) {
              terminal_.PrintNote(Clean("retention: " + error.ToString()));
            },
        .at_step = nullptr});
    retention_->Start(&engine_.shard(), /*runs=*/true);
    return {};
  }

  const Terminal& terminal_;
  Engine engine_;
  triggers::TriggerService triggers_;
  std::unique_ptr<projections::Projector> views_;
  std::unique_ptr<retention::RetentionService> retention_;
  std::unique_ptr<server::Edge> edge_;
  bool failed_ = false;
};

}  // namespace

int Serve(const Arguments& arguments, const Terminal& terminal) {
  const auto stubs = ParseStubs(arguments.All("--stub"));
  if (!stubs.has_value()) return Refuse(terminal, stubs.error());
  const auto actor = ActorOf(arguments);
  if (!actor.has_value()) return Refuse(terminal, actor.error());
  Service service(terminal);
  const Status started = service.Start(arguments, *stubs, *actor);
  if (!started.has_value()) return Refuse(terminal, started.error());
  return service.Run();
}

}  // namespace stele::cli
