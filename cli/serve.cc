// `stele serve`: the engine of a data directory, until a signal.
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

namespace stele::cli {

namespace {

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
    terminal_.Print(fmt::format("stele serves {} with {}; process {}\n", Clean(data),
                                Count(open, "open instance"), getpid()));
    return {};
  }

  int Run() {
    engine_.Run([this] { retention_->Tick(); });
    retention_->Stop();
    views_->Stop();
    return failed_ ? kExitUsage : kExitDone;
  }

  void OnFatal(const Error& error) override {
    terminal_.PrintError(error);
    failed_ = true;
    engine_.Leave();
  }

 private:
  Status BeginRetention(const std::string& data, const std::string& actor) {
    const auto policy = ReadRetention(data);
    if (!policy.has_value()) return std::unexpected(policy.error());
    auto views = projections::Projector::Open(engine_.log(), kShard, data + "/views",
                                              projections::AllViews());
    if (!views.has_value()) return std::unexpected(views.error());
    views_ = *std::move(views);
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
