// What operators do to the data of instances: variables, the version that they run, signals; and
// messages for whoever waits for them.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/operation.h"
#include "cli/remote/asker.h"
#include "cli/remote/following.h"
#include "cli/remote/message.h"
#include "cli/remote/server_option.h"
#include "cli/text.h"
#include "engine/requests/find_run.h"
#include "engine/requests/operators.h"
#include "engine/requests/try_command.h"

namespace stele::cli {

namespace {

using definition::Definition;
using model::Instance;

// Says of each whether the command could be done to it, as it is now.
int DryRun(const std::vector<InstanceId>& instances, const MakeCommand& make,
           const model::Registry& registry, TimeUs now,
           const std::function<Result<const Instance*>(InstanceId)>& look,
           const Arguments& arguments, const Terminal& terminal) {
  int code = kExitDone;
  Array documents;
  for (const InstanceId id : instances) {
    const auto found = look(id);
    if (!found.has_value()) return Refuse(terminal, found.error());
    const Instance& instance = **found;
    const Result<model::Command> command =
        make(instance, *registry.Find(instance.definition)->definition);
    if (!command.has_value()) return Refuse(terminal, command.error());
    const auto rejection = requests::TryCommand(instance, registry, now, *command);
    if (rejection.has_value()) code = kExitFailed;
    if (arguments.Has("--json")) {
      Object document{{"instance", static_cast<int64_t>(id.value)},
                      {"possible", !rejection.has_value()}};
      if (rejection.has_value()) document.Set("error", rejection->ToString());
      documents.push_back(std::move(document));
    } else if (rejection.has_value()) {
      Refuse(terminal,
             {rejection->code, fmt::format("instance {}: {}", id.value, rejection->message)});
    } else {
      terminal.Print(fmt::format("instance {} can be migrated\n", id.value));
    }
  }
  if (arguments.Has("--json")) terminal.Print(CleanJson(ToPrettyJson(std::move(documents))) + "\n");
  return code;
}

int TryMigration(const std::vector<InstanceId>& instances, const MakeFor& make,
                 const Arguments& arguments, const Terminal& terminal) {
  if (!IsForServer(arguments)) {
    Operation operation(arguments, terminal);
    if (const Status opened = operation.Open(false); !opened.has_value())
      return Refuse(terminal, opened.error());
    runtime::Shard& shard = operation.engine().shard();
    const MakeCommand made = make({.actor = {}, .groups = {}, .registry = shard.registry()});
    return DryRun(
        instances, made, shard.registry(), operation.engine().clock().Now(),
        [&](InstanceId id) -> Result<const Instance*> { return shard.Find(id); }, arguments,
        terminal);
  }
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return Refuse(terminal, server.error());
  Following following(**server, terminal, arguments);
  const auto registry = following.Registry();
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  const MakeCommand made = make({.actor = {}, .groups = {}, .registry = **registry});
  return DryRun(
      instances, made, **registry, SystemClock().Now(),
      [&](InstanceId id) -> Result<const Instance*> {
        const auto now = following.Look(id);
        if (!now.has_value()) return std::unexpected(now.error());
        return now->instance;
      },
      arguments, terminal);
}

// What --json and text say of a message that woke nobody, or those alone that may not be read.
// `known`: it was published at that position, and now nothing is recorded.
int ReportKept(const Arguments& arguments, const Terminal& terminal, const std::string& name,
               Position position, bool known, const std::vector<InstanceId>& received = {}) {
  if (arguments.Has("--json")) {
    Array receivers;
    for (const InstanceId id : received) receivers.push_back(static_cast<int64_t>(id.value));
    terminal.Print(CleanJson(ToPrettyJson(Object{{"message", name},
                                                 {"position", static_cast<int64_t>(position.value)},
                                                 {"known", known},
                                                 {"received_by", std::move(receivers)}})) +
                   "\n");
  } else if (known) {
    terminal.PrintNote(
        fmt::format("message {} was published with the id {} before, at position {}; nothing is "
                    "published now",
                    Clean(name), Clean(arguments.Get("--id")), position.value));
  } else if (!arguments.Has("--quiet")) {
    terminal.Print(fmt::format(
        "message {} is published{}\n", Clean(name),
        arguments.Has("--no-wait") || !received.empty() ? "" : "; nobody waits for it yet"));
  }
  return kExitDone;
}

// The message that the arguments give, published in a data directory.
int PublishThere(const Arguments& arguments, const Terminal& terminal,
                 model::MessagePublished message) {
  Operation operation(arguments, terminal);
  if (const Status opened = operation.Open(true); !opened.has_value())
    return Refuse(terminal, opened.error());
  Engine& engine = operation.engine();
  Session& session = operation.session();
  const bool waits = !arguments.Has("--no-wait");
  if (waits) session.FollowWoken(operation.asker());
  std::optional<Error> refusal;
  Position position;
  const Position next = engine.store().NextPosition(kShard);
  session.Await();
  engine.shard().Publish(std::move(message), operation.asker(), [&](const auto& answer) {
    if (answer.has_value()) {
      position = *answer;
    } else {
      refusal = answer.error();
    }
    session.Answered();
  });
  if (!waits) engine.LeaveBehindInbox();
  session.Run();
  if (refusal.has_value()) return Refuse(terminal, *refusal);
  if (!session.follows_any())
    return ReportKept(arguments, terminal, arguments.operands()[0], position, position < next);
  return session.Report(true);
}

int PublishAtServer(const Arguments& arguments, const Terminal& terminal,
                    const model::MessagePublished& message) {
  if (const Status fits = CheckAtServer(arguments); !fits.has_value())
    return Refuse(terminal, fits.error());
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return Refuse(terminal, server.error());
  const auto published = PublishMessage(**server, message);
  if (!published.has_value()) return Refuse(terminal, published.error());
  const std::string& name = arguments.operands()[0];
  if (published->known || arguments.Has("--no-wait"))
    return ReportKept(arguments, terminal, name, published->position, published->known);
  Following following(**server, terminal, arguments);
  const auto received = ReceiversOf(**server, published->position);
  if (!received.has_value()) return Refuse(terminal, received.error());
  for (const InstanceId instance : *received) following.Follow(instance, published->position);
  if (received->empty()) return ReportKept(arguments, terminal, name, published->position, false);
  following.Run();
  if (std::ranges::all_of(*received, [&](InstanceId id) { return following.IsUnread(id); }))
    return ReportKept(arguments, terminal, name, published->position, false, *received);
  return following.Report(true);
}

}  // namespace

int SetVariables(const Arguments& arguments, const Terminal& terminal) {
  const auto instances = InstancesOf({arguments.operands()[0]});
  if (!instances.has_value()) return Refuse(terminal, instances.error());
  const std::vector<std::string> words(arguments.operands().begin() + 1,
                                       arguments.operands().end());
  const auto make = [&](const Instance& instance,
                        const Definition& definition) -> Result<model::Command> {
    const std::string within = arguments.Get("--scope");
    const Result<ScopeId> scope = requests::FindScope(instance, definition, within);
    if (!scope.has_value()) return std::unexpected(scope.error());
    const BodyIndex body = instance.FindScope(*scope)->body;
    auto variables = GivenVariables(words, "NAME=VALUE", definition.bodies[body.value].variables);
    if (!variables.has_value()) return std::unexpected(variables.error());
    return requests::AssignVariables(*std::move(variables), within, arguments.Get("--reason"))(
        instance, definition);
  };
  return Operate(arguments, terminal, *instances, ForAnybody(make),
                 {.done = "has its variables set"});
}

int Migrate(const Arguments& arguments, const Terminal& terminal) {
  const auto instances = InstancesOf(arguments.operands());
  if (!instances.has_value()) return Refuse(terminal, instances.error());
  const auto version = GivenNumber(arguments, "--to", 1, UINT32_MAX);
  if (!version.has_value()) return Refuse(terminal, version.error());
  if (!version->has_value())
    return Refuse(terminal, {ErrorCode::kUsage, "Expected --to VERSION but found none"});
  const Result<Payload> plan = GivenObject(arguments, "--plan");
  if (!plan.has_value()) return Refuse(terminal, plan.error());
  const auto to = static_cast<uint32_t>(**version);
  const MakeFor make = [&](const Asking& asking) {
    return requests::Migrate(asking.registry, to, std::string(plan->text()),
                             arguments.Get("--reason"));
  };
  if (arguments.Has("--dry-run")) return TryMigration(*instances, make, arguments, terminal);
  return Operate(arguments, terminal, *instances, make,
                 {.done = fmt::format("goes on in version {}", to)});
}

int Signal(const Arguments& arguments, const Terminal& terminal) {
  const auto instances = InstancesOf({arguments.operands()[0]});
  if (!instances.has_value()) return Refuse(terminal, instances.error());
  const Result<Payload> payload = GivenJson(arguments, "--payload");
  if (!payload.has_value()) return Refuse(terminal, payload.error());
  return Operate(arguments, terminal, *instances,
                 ForAnybody(requests::Signal(arguments.operands()[1], *payload)),
                 {.goes_on = true, .done = "has received the signal"});
}

int Publish(const Arguments& arguments, const Terminal& terminal) {
  const Result<Payload> payload = GivenJson(arguments, "--payload");
  if (!payload.has_value()) return Refuse(terminal, payload.error());
  const auto ttl = GivenDuration(arguments, "--ttl");
  if (!ttl.has_value()) return Refuse(terminal, ttl.error());
  model::MessagePublished message{.name = arguments.operands()[0],
                                  .key = arguments.Get("--key"),
                                  .payload = *payload,
                                  .expires = TimeUs(),
                                  .message_id = arguments.Get("--id")};
  if (ttl->has_value()) message.expires = SystemClock().Now().Plus(**ttl);
  return IsForServer(arguments) ? PublishAtServer(arguments, terminal, message)
                                : PublishThere(arguments, terminal, std::move(message));
}

}  // namespace stele::cli
