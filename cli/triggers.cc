// `stele triggers add | pause | resume | remove | fire | backfill | deliver`.
#include "cli/remote/triggers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/remote/server_option.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "cli/trigger_operation.h"

namespace stele::cli {

namespace {

using triggers::Delivered;

int ReportChange(const Arguments& arguments, const Terminal& terminal, TriggerId id,
                 std::string_view done) {
  if (arguments.Has("--json")) {
    terminal.Print(
        ToPrettyJson(Object{{"trigger", static_cast<int64_t>(id.value)}, {"status", done}}) + "\n");
  } else {
    terminal.Print(fmt::format("trigger {} is {}\n", id.value, done));
  }
  return kExitDone;
}

// What a change came to.
int Finish(const Arguments& arguments, const Terminal& terminal, TriggerOperation& operation,
           TriggerId id, std::string_view done) {
  if (const Status finished = operation.Finish(); !finished.has_value())
    return Refuse(terminal, finished.error());
  return ReportChange(arguments, terminal, id, done);
}

int Change(const Arguments& arguments, const Terminal& terminal, model::TriggerState state,
           std::string_view done) {
  const Result<TriggerId> id = ParseTriggerId(arguments.operands()[0]);
  if (!id.has_value()) return Refuse(terminal, id.error());
  if (IsForServer(arguments)) {
    const Status changed = ChangeTriggerAtServer(arguments, *id, state);
    return changed.has_value() ? ReportChange(arguments, terminal, *id, done)
                               : Refuse(terminal, changed.error());
  }
  TriggerOperation operation(arguments, terminal, true);
  if (const Status opened = operation.Open(false); !opened.has_value())
    return Refuse(terminal, opened.error());
  operation.triggers().Change(*id, state, arguments.Get("--reason"), operation.asker(),
                              operation.Answer());
  return Finish(arguments, terminal, operation, *id, done);
}

Value ToJson(const Delivered& delivered) {
  Object object{{"trigger", static_cast<int64_t>(delivered.trigger.value)}};
  if (const auto* fired = std::get_if<Delivered::Fired>(&delivered.verdict)) {
    object.Set("verdict", "fired");
    if (fired->instance) object.Set("instance", static_cast<int64_t>(fired->instance->value));
  } else if (const auto* ignored = std::get_if<triggers::WebhookIgnored>(&delivered.verdict)) {
    object.Set("verdict", "ignored");
    object.Set("reason", ignored->reason);
  } else {
    const auto& refused = std::get<triggers::WebhookRefused>(delivered.verdict);
    object.Set("verdict", "refused");
    object.Set("status", refused.status);
    object.Set("reason", refused.error.ToString());
  }
  return object;
}

std::string LineOf(const Delivered& delivered) {
  const Value json = ToJson(delivered);
  std::string line =
      fmt::format("trigger {} {}", delivered.trigger.value, json.Find("verdict")->as_string());
  if (const Value* instance = json.Find("instance"))
    line += fmt::format(": instance {}", instance->as_int());
  if (const Value* status = json.Find("status"))
    line += fmt::format(" with status {}", status->as_int());
  if (const Value* reason = json.Find("reason")) line += ": " + Clean(reason->as_string());
  return line + "\n";
}

int Report(const Arguments& arguments, const Terminal& terminal,
           const triggers::Delivery& delivery) {
  Array documents;
  for (const Delivered& delivered : delivery.triggers) {
    documents.push_back(ToJson(delivered));
    if (!arguments.Has("--json")) terminal.Print(LineOf(delivered));
  }
  if (arguments.Has("--json"))
    terminal.Print(
        CleanJson(ToPrettyJson(Object{{"status", delivery.refusal ? delivery.refusal->status : 202},
                                      {"triggers", std::move(documents)}})) +
        "\n");
  if (delivery.refusal) {
    const int code = Refuse(terminal, delivery.refusal->error);
    // No trigger was asked: none listens, or the request is none that any could take.
    if (delivery.triggers.empty()) return code;
  }
  const auto refuses = [](const Delivered& delivered) {
    return std::holds_alternative<triggers::WebhookRefused>(delivered.verdict);
  };
  return std::ranges::any_of(delivery.triggers, refuses) ? kExitFailed : kExitDone;
}

int ReportBackfilled(const Arguments& arguments, const Terminal& terminal, TriggerId id,
                     const triggers::Backfilled& filled) {
  if (arguments.Has("--json")) {
    terminal.Print(ToPrettyJson(Object{{"trigger", static_cast<int64_t>(id.value)},
                                       {"fired", static_cast<int64_t>(filled.fired)},
                                       {"known", static_cast<int64_t>(filled.known)}}) +
                   "\n");
  } else {
    terminal.Print(fmt::format("trigger {}: {} firings are noted, {} were known{}\n", id.value,
                               filled.fired, filled.known,
                               IsForServer(arguments) ? "" : "; \"stele serve\" starts them"));
  }
  return kExitDone;
}

// What a firing by hand has started, or its key earlier (`known`), which goes on then.
void FollowFired(TriggerOperation& operation, InstanceId instance, bool known) {
  Session& session = operation.session();
  session.Follow(instance);
  if (known) {
    session.Note(fmt::format("instance {} was started by the same key before", instance.value));
    session.GoOnWith(instance, operation.asker());
  }
  // The end of one that has ended by now was told to nobody.
  const auto found = operation.engine().shard().Find(instance);
  if (found.has_value() && model::HasEnded((*found)->status)) session.OnEnded(**found);
}

}  // namespace

int ReportFired(const Arguments& arguments, const Terminal& terminal, TriggerId id,
                InstanceId instance) {
  if (arguments.Has("--json")) {
    Object document{{"trigger", static_cast<int64_t>(id.value)}};
    if (instance) document.Set("instance", static_cast<int64_t>(instance.value));
    terminal.Print(ToPrettyJson(document) + "\n");
  } else if (instance) {
    terminal.Print(
        fmt::format("trigger {} has fired; instance {} is started\n", id.value, instance.value));
  } else {
    terminal.Print(fmt::format("trigger {} has fired; its instance starts later\n", id.value));
  }
  return kExitDone;
}

int AddTrigger(const Arguments& arguments, const Terminal& terminal) {
  const Result<Payload> config = GivenObject(arguments, "--config");
  if (!config.has_value()) return Refuse(terminal, config.error());
  if (!arguments.Has("--kind"))
    return Refuse(terminal, {ErrorCode::kUsage, "Expected --kind KIND but found none"});
  Object trigger{{"type", arguments.Get("--kind")}};
  if (arguments.Has("--name")) trigger.Set("name", arguments.Get("--name"));
  if (config->has_value()) trigger.Set("config", config->value());
  if (IsForServer(arguments)) {
    const auto added = AddTriggerAtServer(arguments, trigger);
    return added.has_value() ? ReportChange(arguments, terminal, *added, "added")
                             : Refuse(terminal, added.error());
  }
  TriggerOperation operation(arguments, terminal, true);
  if (const Status opened = operation.Open(false); !opened.has_value())
    return Refuse(terminal, opened.error());
  const TriggerId id = operation.triggers().Add(arguments.operands()[0], std::move(trigger),
                                                operation.asker(), operation.Answer());
  return Finish(arguments, terminal, operation, id, "added");
}

int PauseTrigger(const Arguments& arguments, const Terminal& terminal) {
  return Change(arguments, terminal, model::TriggerState::kPaused, "paused");
}

int ResumeTrigger(const Arguments& arguments, const Terminal& terminal) {
  return Change(arguments, terminal, model::TriggerState::kActive, "active");
}

int RemoveTrigger(const Arguments& arguments, const Terminal& terminal) {
  return Change(arguments, terminal, model::TriggerState::kRemoved, "removed");
}

int FireTrigger(const Arguments& arguments, const Terminal& terminal) {
  const Result<Payload> input = GivenObject(arguments, "--input");
  if (!input.has_value()) return Refuse(terminal, input.error());
  const Result<TriggerId> id = ParseTriggerId(arguments.operands()[0]);
  if (!id.has_value()) return Refuse(terminal, id.error());
  if (IsForServer(arguments)) return FireTriggerAtServer(arguments, terminal, *id, *input);
  TriggerOperation operation(arguments, terminal, false);
  if (const Status opened = operation.Open(true); !opened.has_value())
    return Refuse(terminal, opened.error());
  std::optional<InstanceId> instance;
  const InstanceId last = operation.engine().shard().last_instance();
  operation.Await();
  operation.triggers().Fire(*id, arguments.Get("--key"),
                            input->has_value() ? input->value() : Value(), operation.asker(),
                            [&](const Result<std::optional<InstanceId>>& started) {
                              if (!started.has_value()) return operation.Answered(started.error());
                              instance = *started;
                              if (instance) FollowFired(operation, *instance, *instance <= last);
                              operation.Answered(std::nullopt);
                            });
  if (const Status finished = operation.Finish(); !finished.has_value())
    return Refuse(terminal, finished.error());
  if (operation.session().follows_any()) return operation.session().Report(true);
  return ReportFired(arguments, terminal, *id);
}

int BackfillTrigger(const Arguments& arguments, const Terminal& terminal) {
  const Result<TimeUs> from = GivenPast(arguments, "--from");
  if (!from.has_value()) return Refuse(terminal, from.error());
  const Result<TimeUs> to = GivenPast(arguments, "--to");
  if (!to.has_value()) return Refuse(terminal, to.error());
  const Result<TriggerId> id = ParseTriggerId(arguments.operands()[0]);
  if (!id.has_value()) return Refuse(terminal, id.error());
  if (IsForServer(arguments)) {
    const auto filled = BackfillAtServer(arguments, *id, *from, *to);
    return filled.has_value() ? ReportBackfilled(arguments, terminal, *id, *filled)
                              : Refuse(terminal, filled.error());
  }
  TriggerOperation operation(arguments, terminal, true);
  if (const Status opened = operation.Open(false); !opened.has_value())
    return Refuse(terminal, opened.error());
  triggers::Backfilled filled;
  operation.Await();
  operation.triggers().Backfill(*id, *from, *to, operation.asker(),
                                [&](const Result<triggers::Backfilled>& answer) {
                                  if (!answer.has_value())
                                    return operation.Answered(answer.error());
                                  filled = *answer;
                                  operation.Answered(std::nullopt);
                                });
  if (const Status finished = operation.Finish(); !finished.has_value())
    return Refuse(terminal, finished.error());
  return ReportBackfilled(arguments, terminal, *id, filled);
}

int DeliverRequest(const Arguments& arguments, const Terminal& terminal) {
  if (!arguments.Has("--path"))
    return Refuse(terminal, {ErrorCode::kUsage, "Expected --path /PATH but found none"});
  auto headers = GivenHeaders(arguments);
  if (!headers.has_value()) return Refuse(terminal, headers.error());
  std::string body;
  if (arguments.Has("--body")) {
    auto read = ReadGivenFile(arguments.Get("--body"), triggers::kMaxWebhookBodyBytes);
    if (!read.has_value()) return Refuse(terminal, read.error());
    body = *std::move(read);
  }
  const std::string method = arguments.Get("--method", "POST");
  const std::string path = arguments.Get("--path");
  const triggers::WebhookRequest request{
      .method = method, .path = path, .query = {}, .headers = *std::move(headers), .body = body};
  TriggerOperation operation(arguments, terminal, true);
  if (const Status opened = operation.Open(true); !opened.has_value())
    return Refuse(terminal, opened.error());
  triggers::Delivery given;
  operation.Await();
  operation.triggers().Deliver(request, operation.asker(), [&](const triggers::Delivery& delivery) {
    given = delivery;
    for (const Delivered& delivered : delivery.triggers)
      if (const auto* fired = std::get_if<Delivered::Fired>(&delivered.verdict);
          fired != nullptr && fired->instance)
        operation.session().Carry(*fired->instance);
    operation.Answered(std::nullopt);
  });
  if (const Status finished = operation.Finish(); !finished.has_value())
    return Refuse(terminal, finished.error());
  return Report(arguments, terminal, given);
}

}  // namespace stele::cli
