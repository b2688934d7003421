// `stele fork --live` and `stele reset`.
#include "cli/live_fork.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/given_definition.h"
#include "cli/given_start.h"
#include "cli/moment.h"
#include "cli/open_data.h"
#include "cli/remote/server_option.h"
#include "cli/session.h"
#include "cli/text.h"
#include "cli/workflow_file.h"
#include "engine/requests/definitions.h"
#include "engine/requests/fork.h"
#include "engine/runtime/known_start.h"
#include "replay/what_if/what_if.h"

namespace stele::cli {

namespace {

// Open for the whole of the command.
struct Forking {
  Forking(const Arguments& options, const Terminal& shown, const GivenFork& fork)
      : arguments(options),
        terminal(shown),
        given(fork),
        session(engine, shown, options, options.Has("--no-wait")) {}

  const Arguments& arguments;
  const Terminal& terminal;
  const GivenFork& given;
  model::KeptAsker asker;
  Engine engine;
  Session session;
  std::shared_ptr<const definition::Definition> other;  // of --definition; null: none
  bool is_new = false;                                  // nobody has registered that
  std::vector<std::string> unknown;                     // UnknownOf what it sets
};

Status Open(Forking& forking) {
  const std::string data = forking.arguments.Get("--data", kDefaultData);
  STELE_RETURN_IF_ERROR(RequireData(data));
  auto asker = WhoAsks(forking.arguments);
  if (!asker.has_value()) return std::unexpected(asker.error());
  forking.asker = *std::move(asker);
  const auto stubs = ParseStubs(forking.arguments.All("--stub"));
  if (!stubs.has_value()) return std::unexpected(stubs.error());
  STELE_RETURN_IF_ERROR(forking.engine.Open(data, /*create=*/false, &forking.session));
  forking.engine.AddExecutors(*stubs, ScriptDirectoriesOf(forking.engine));
  return forking.engine.AddWorkers(
      forking.arguments, /*lasting=*/false,
      [&forking](std::string_view sentence) { forking.session.Note(sentence); });
}

Result<model::ForkInstance> ReadFork(Forking& forking) {
  const model::Registry& registry = forking.engine.shard().registry();
  const replay::StoreSource source(forking.engine.store(), kShard);
  const auto machine = replay::TimeMachine::Open(source, forking.given.origin, registry);
  if (!machine.has_value()) return std::unexpected(machine.error());
  const auto point =
      requests::ReadForkPoint(**machine, forking.engine.store(), kShard, forking.given.at);
  if (!point.has_value()) return std::unexpected(point.error());
  auto fork = requests::ForkAt(*point);
  if (!fork.has_value()) return std::unexpected(fork.error());
  const GivenFork& given = forking.given;
  fork->plan = given.plan;
  fork->business_key = given.business_key;
  fork->idempotency_key = given.idempotency_key;
  fork->deadline = given.deadline;
  fork->paused = given.paused;
  fork->ends_origin = given.resets;
  fork->reason = given.reason;
  fork->trace_parent = given.trace_parent;
  requests::KeepForReset(*point, *fork);
  const definition::Definition& ran = *registry.Find(point->definition)->definition;
  STELE_RETURN_IF_ERROR(CheckOther(ran, forking.other.get()));
  const definition::Definition& runs = forking.other == nullptr ? ran : *forking.other;
  auto variables =
      GivenVariables(forking.arguments.All("--set"), "--set NAME=JSON", runs.bodies[0].variables);
  if (!variables.has_value()) return std::unexpected(variables.error());
  fork->variables = *std::move(variables);
  forking.unknown = replay::UnknownOf(fork->variables, *fork->state, runs);
  return fork;
}

// A draft: what mends one instance is not what new ones start in.
void RegisterOther(Forking& forking, const runtime::Shard::Answer& answer) {
  const std::string path = forking.arguments.Get("--definition");
  std::error_code ignored;
  forking.session.Await();
  requests::Register(forking.engine.shard(),
                     {.definition = forking.other,
                      .text = TextOfWorkflow(path),
                      .file = std::filesystem::absolute(path, ignored).string(),
                      .draft = true},
                     forking.asker, answer);
}

// What was begun with the same key and is another fork is not waited for.
std::optional<Error> RefuseKnown(Forking& forking, const model::ForkInstance& fork) {
  if (fork.idempotency_key.empty()) return std::nullopt;
  runtime::Shard& shard = forking.engine.shard();
  const auto known = shard.board().ByIdempotencyKey(fork.idempotency_key);
  if (!known.has_value()) return known.error();
  if (!known->has_value()) return std::nullopt;
  return runtime::RefuseOtherStart({forking.engine.store(), kShard, shard.registry()}, **known,
                                   fork);
}

// The version that it goes on in. One that nobody has registered will have the next number.
void NameOther(Forking& forking, model::ForkInstance& fork) {
  if (forking.other == nullptr) return;
  const model::Registry& registry = forking.engine.shard().registry();
  model::Registry with_other;
  with_other.definitions = registry.definitions;
  fork.definition = replay::IdOf(with_other, forking.other);
  forking.is_new = fork.definition.value > registry.definitions.size();
  if (fork.definition != fork.state->definition) return;
  fork.definition = DefinitionId();
  fork.plan.clear();
}

// Asked before anything is recorded: a version is not registered for a fork that is refused.
std::optional<Error> RefuseBefore(Forking& forking, const model::ForkInstance& fork) {
  if (auto refused = RefuseKnown(forking, fork)) return refused;
  if (!forking.is_new) return std::nullopt;
  return forking.engine.shard().RefuseFork(fork, {.unique_business_key = forking.given.unique},
                                           forking.other.get());
}

int Begin(Forking& forking, model::ForkInstance fork) {
  Engine& engine = forking.engine;
  Session& session = forking.session;
  const bool waits = !forking.arguments.Has("--no-wait");
  const Seq at = fork.origin_seq;
  std::optional<Error> refusal;
  const auto answer = [&](const Result<Position>& position) {
    if (!position.has_value() && !refusal.has_value()) refusal = position.error();
    session.Answered();
  };
  std::vector<InstanceId> called;
  if (const auto origin = engine.shard().Find(fork.origin);
      fork.ends_origin && origin.has_value() && waits)
    for (const model::StepRun& run : (*origin)->runs)
      if (run.child) called.push_back(run.child);
  NameOther(forking, fork);
  refusal = RefuseBefore(forking, fork);
  if (!refusal.has_value() && forking.is_new) RegisterOther(forking, answer);
  const InstanceId last = engine.shard().last_instance();
  InstanceId instance;
  if (!refusal.has_value()) {
    // What the origin has called finds that nobody waits for it any more.
    const auto begun = [&](const Result<Position>& position) {
      if (position.has_value())
        for (const InstanceId child : called)
          engine.shard().Post([&, child] { session.GoOnWith(child, forking.asker); });
      answer(position);
    };
    session.Await();
    instance = engine.shard().Fork(std::move(fork), forking.asker, begun,
                                   {.unique_business_key = forking.given.unique});
  }
  const bool known = instance && instance <= last;
  if (known) forking.terminal.PrintNote(KnownStartNote(instance));
  if (instance) NoteUnknown(forking.terminal, forking.unknown);
  if (instance && forking.is_new)
    forking.terminal.PrintNote(DraftNote(
        forking.other->name, engine.shard().registry().Latest(forking.other->name)->version));
  if (!waits || !instance) {
    engine.LeaveBehindInbox();
  } else {
    if (known) session.GoOnWith(instance, forking.asker);
    session.Follow(instance);
  }
  session.Run();
  if (refusal.has_value()) return Refuse(forking.terminal, *refusal);
  if (waits) return session.Report(true);
  ReportForked(forking.arguments, forking.terminal, instance, forking.given, at);
  return kExitDone;
}

}  // namespace

Result<replay::When> GivenForkMoment(const Arguments& arguments) {
  if (arguments.Has("--at")) return GivenWhen(arguments, "--at");
  return Fail(ErrorCode::kUsage, "Expected --at SEQ or --at TIME but found neither");
}

Status CheckForkDefinition(const Arguments& arguments) {
  if (arguments.Has("--definition")) return {};
  for (const char* option : {"--version", "--plan"})
    if (arguments.Has(option))
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected --definition beside {} but found none", option));
  return {};
}

Status CheckOther(const definition::Definition& ran, const definition::Definition* other) {
  if (other == nullptr || other->name == ran.name) return {};
  return Fail(
      ErrorCode::kCannotMigrate,
      fmt::format("Expected another version of \"{}\" but found \"{}\"", ran.name, other->name));
}

void NoteUnknown(const Terminal& terminal, const std::vector<std::string>& unknown) {
  for (const std::string& name : unknown)
    terminal.PrintNote(fmt::format(
        "the instance has no variable \"{}\" and its definition declares none", Clean(name)));
}

std::string DraftNote(std::string_view definition, uint32_t version) {
  return fmt::format(
      "\"{}\" version {} is registered as a draft; \"stele definitions activate\" lets it start "
      "instances",
      definition, version);
}

Result<GivenFork> ReadGivenFork(const Arguments& arguments, bool resets, TimeUs now) {
  const auto origin = ParseInstanceId(arguments.operands()[0]);
  if (!origin.has_value()) return std::unexpected(origin.error());
  const auto at = GivenForkMoment(arguments);
  if (!at.has_value()) return std::unexpected(at.error());
  STELE_RETURN_IF_ERROR(CheckForkDefinition(arguments));
  const auto plan = GivenObject(arguments, "--plan");
  if (!plan.has_value()) return std::unexpected(plan.error());
  const auto deadline = GivenMoment(arguments, "--deadline", now);
  if (!deadline.has_value()) return std::unexpected(deadline.error());
  const char* const around = std::getenv("TRACEPARENT");
  return GivenFork{.origin = *origin,
                   .at = *at,
                   .plan = std::string(plan->text()),
                   .business_key = arguments.Get("--business-key"),
                   .unique = arguments.Has("--unique"),
                   .idempotency_key = arguments.Get("--idempotency-key"),
                   .deadline = *deadline,
                   .paused = arguments.Has("--paused"),
                   .resets = resets,
                   .reason = arguments.Get("--reason"),
                   .trace_parent = around == nullptr ? "" : around};
}

int ForkLive(const Arguments& arguments, const Terminal& terminal, bool resets) {
  const auto given = ReadGivenFork(arguments, resets, SystemClock().Now());
  if (!given.has_value()) return Refuse(terminal, given.error());
  if (IsForServer(arguments)) return ForkAtServer(arguments, terminal, *given);
  Forking forking(arguments, terminal, *given);
  if (const Status opened = Open(forking); !opened.has_value())
    return Refuse(terminal, opened.error());
  const auto other = GivenDefinition(arguments, terminal, forking.engine.shard().registry());
  if (!other.has_value()) return other.error();
  forking.other = *other;
  auto fork = ReadFork(forking);
  if (!fork.has_value()) return Refuse(terminal, fork.error());
  return Begin(forking, *std::move(fork));
}

void ReportForked(const Arguments& arguments, const Terminal& terminal, InstanceId instance,
                  const GivenFork& given, Seq at) {
  if (arguments.Has("--json")) {
    terminal.Print(
        CleanJson(ToPrettyJson(Object{{"instance", static_cast<int64_t>(instance.value)},
                                      {"origin", static_cast<int64_t>(given.origin.value)},
                                      {"at", static_cast<int64_t>(at.value)},
                                      {"status", given.resets ? "reset" : "forked"}})) +
        "\n");
    return;
  }
  terminal.Print(fmt::format("instance {} goes on from event {} of instance {}{}\n", instance.value,
                             at.value, given.origin.value,
                             given.resets ? ", which is terminated" : ""));
}

}  // namespace stele::cli
