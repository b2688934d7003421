// `stele run` and `stele start`: register a file or find a registered definition, start an
// instance and follow it until it ends or waits for somebody.
#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "cli/commands.h"
#include "cli/given.h"
#include "cli/given_start.h"
#include "cli/open_data.h"
#include "cli/remote/server_option.h"
#include "cli/session.h"
#include "cli/settings.h"
#include "cli/text.h"
#include "cli/workflow_file.h"
#include "engine/decide/start_check.h"
#include "engine/definition/canonical.h"
#include "engine/requests/definitions.h"
#include "engine/runtime/known_start.h"

namespace stele::cli {

namespace {

// What is started: a file that is registered first, or a version that is registered.
struct Source {
  std::string path;  // empty: a registered definition
  std::shared_ptr<const definition::Definition> definition;
  DefinitionId id;
};

// Open for the whole of the command; its parts are filled one after another.
struct Starting {
  Starting(const Arguments& given, const Terminal& shown)
      : arguments(given),
        terminal(shown),
        data(given.Get("--data", kDefaultData)),
        session(engine, shown, given, given.Has("--no-wait")) {}

  const Arguments& arguments;
  const Terminal& terminal;
  std::string data;
  std::vector<Stub> stubs;
  model::KeptAsker asker;
  Engine engine;
  Session session;
  Source source;
  model::StartInstance command;
  bool unique = false;
};

Status OpenData(Starting& starting, bool create) {
  if (starting.engine.is_open()) return {};
  STELE_RETURN_IF_ERROR(starting.engine.Open(starting.data, create, &starting.session));
  const size_t left = starting.engine.shard().open_instances().size();
  const bool says =
      left > 0 && !starting.arguments.Has("--quiet") && !starting.arguments.Has("--no-wait");
  if (says)
    starting.terminal.PrintNote(fmt::format("{} {} not ended; \"stele list\" shows {}",
                                            Count(left, "earlier run"), left == 1 ? "has" : "have",
                                            left == 1 ? "it" : "them"));
  return {};
}

Status AddWorkers(Starting& starting) {
  return starting.engine.AddWorkers(
      starting.arguments, /*lasting=*/false,
      [&](std::string_view sentence) { starting.session.Note(sentence); });
}

// The exit code when the file has faults.
std::optional<int> LoadSource(Starting& starting, const std::string& path) {
  Engine& engine = starting.engine;
  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::absolute(path, ignored);
  // The types that are registered there count; a directory is made only for what can run.
  if (HasData(starting.data))
    if (const Status opened = OpenData(starting, false); !opened.has_value())
      return Refuse(starting.terminal, opened.error());
  engine.AddExecutors(starting.stubs, {file.parent_path().string()});
  if (const Status added = AddWorkers(starting); !added.has_value())
    return Refuse(starting.terminal, added.error());
  const definition::LoadResult loaded = LoadWorkflow(path, engine, starting.stubs);
  if (!loaded.has_value()) return RefuseFaulty(starting.terminal, {{path, loaded.error()}});
  starting.source = {.path = file.string(), .definition = *loaded, .id = {}};
  return std::nullopt;
}

Status FindSource(Starting& starting, const std::string& name) {
  if (!HasData(starting.data))
    return Fail(ErrorCode::kStoreNotFound,
                fmt::format("Expected the data of earlier runs in {} but found none, and no file "
                            "\"{}\"",
                            starting.data, name));
  STELE_RETURN_IF_ERROR(OpenData(starting, false));
  starting.engine.AddExecutors(starting.stubs, ScriptDirectoriesOf(starting.engine));
  STELE_RETURN_IF_ERROR(AddWorkers(starting));
  const auto version = GivenNumber(starting.arguments, "--version", 1, UINT32_MAX);
  if (!version.has_value()) return std::unexpected(version.error());
  const auto found =
      requests::FindDefinition(starting.engine.shard().registry(), name,
                               version->has_value() ? static_cast<uint32_t>(**version) : 0,
                               /*startable=*/true);
  if (!found.has_value()) return std::unexpected(found.error());
  starting.source = {.path = "", .definition = (*found)->definition, .id = (*found)->id};
  return {};
}

int Start(Starting& starting) {
  Engine& engine = starting.engine;
  Session& session = starting.session;
  if (!starting.arguments.Has("--quiet"))
    for (const std::string& note :
         UnknownTaskTypes(engine.shard().options(), engine.tasks().types()))
      session.Note(note);
  std::optional<Error> refusal;
  const auto answer = [&](const Result<Position>& position) {
    if (!position.has_value() && !refusal.has_value()) refusal = position.error();
    session.Answered();
  };
  if (!starting.source.path.empty()) {
    session.Await();
    starting.source.id = engine.shard().Register(
        {definition::WriteCanonical(*starting.source.definition), starting.source.definition->name,
         TextOfWorkflow(starting.source.path), starting.source.path},
        starting.asker, answer);
  }
  starting.command.definition = starting.source.id;
  const InstanceId last = engine.shard().last_instance();
  session.Await();
  const InstanceId instance =
      engine.shard().Start(std::move(starting.command), starting.asker, answer,
                           {.unique_business_key = starting.unique});
  const bool known = instance && instance <= last;
  if (known) starting.terminal.PrintNote(KnownStartNote(instance));
  if (starting.arguments.Has("--no-wait") || !instance) {
    engine.LeaveBehindInbox();
  } else {
    if (known) session.GoOnWith(instance, starting.asker);
    session.Follow(instance);
  }
  session.Run();
  if (refusal.has_value()) return Refuse(starting.terminal, *refusal);
  if (!starting.arguments.Has("--no-wait")) return session.Report(true);
  ReportStarted(starting.arguments, starting.terminal, instance, starting.source.definition->name,
                known);
  return kExitDone;
}

// What refuses the start by the definition and the input alone: asked before anything is recorded
// or a directory made, so that a refused start leaves nothing.
std::optional<Error> RefuseInput(const Starting& starting) {
  const definition::Definition& definition = *starting.source.definition;
  if (auto rejection = decide::RejectStart(definition, starting.command)) return rejection;
  if (definition.concurrency.has_value())
    if (const auto key = decide::ConcurrencyKeyOf(definition, starting.command); !key.has_value())
      return key.error();
  return std::nullopt;
}

// The instance that an earlier start with the same key has started; kDuplicateKey: another start.
Result<std::optional<InstanceId>> FindKnown(Starting& starting) {
  const std::string& key = starting.command.idempotency_key;
  if (key.empty() || !starting.engine.is_open()) return std::nullopt;
  auto known = starting.engine.shard().board().ByIdempotencyKey(key);
  if (!known.has_value() || !known->has_value()) return known;
  const auto refused = runtime::RefuseOtherStart(
      {starting.engine.store(), kShard, starting.engine.shard().registry()}, **known,
      starting.source.definition->name, starting.command);
  if (refused.has_value()) return std::unexpected(*refused);
  return known;
}

// Checks the start, and opens the directory for it.
Status Prepare(Starting& starting) {
  const auto known = FindKnown(starting);
  if (!known.has_value()) return std::unexpected(known.error());
  if (!known->has_value())
    if (const auto refusal = RefuseInput(starting)) return std::unexpected(*refusal);
  STELE_RETURN_IF_ERROR(OpenData(starting, true));
  if (known->has_value()) return {};
  const auto refusal = starting.engine.shard().RefuseBounds(
      starting.source.definition->name, starting.command, {.unique_business_key = starting.unique});
  return refusal.has_value() ? Status(std::unexpected(*refusal)) : Status();
}

int Run(const Arguments& arguments, const Terminal& terminal, bool is_file) {
  if (IsForServer(arguments)) return StartAtServer(arguments, terminal, is_file);
  Starting starting(arguments, terminal);
  auto stubs = ParseStubs(arguments.All("--stub"));
  if (!stubs.has_value()) return Refuse(terminal, stubs.error());
  starting.stubs = *std::move(stubs);
  auto asker = WhoAsks(arguments);
  if (!asker.has_value()) return Refuse(terminal, asker.error());
  starting.asker = *std::move(asker);
  const std::string& operand = arguments.operands()[0];
  if (const Status fits = CheckVersion(arguments, is_file); !fits.has_value())
    return Refuse(terminal, fits.error());
  if (is_file) {
    if (const std::optional<int> code = LoadSource(starting, operand)) return *code;
  } else if (const Status found = FindSource(starting, operand); !found.has_value()) {
    return Refuse(terminal, found.error());
  }
  if (const Status known = CheckStubs(starting.stubs, *starting.source.definition);
      !known.has_value())
    return Refuse(terminal, known.error());
  auto given =
      ReadStart(arguments, terminal, *starting.source.definition, starting.engine.clock().Now());
  if (!given.has_value()) return Refuse(terminal, given.error());
  starting.command = *std::move(given);
  starting.unique = arguments.Has("--unique");
  if (const Status prepared = Prepare(starting); !prepared.has_value())
    return Refuse(terminal, prepared.error());
  return Start(starting);
}

}  // namespace

int RunWorkflow(const Arguments& arguments, const Terminal& terminal) {
  return Run(arguments, terminal, true);
}

int StartWorkflow(const Arguments& arguments, const Terminal& terminal) {
  return Run(arguments, terminal, LooksLikeFile(arguments.operands()[0]));
}

}  // namespace stele::cli
