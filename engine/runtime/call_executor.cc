#include "engine/runtime/call_executor.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/json.h"
#include "engine/definition/limits.h"
#include "engine/runtime/keys.h"

namespace stele::runtime {

namespace {

// Callers whose failed child is remembered, to tell what it failed of.
constexpr size_t kMaxCauses = 1'024;

tasks::TaskResult Failure(std::string kind, std::string message, bool retryable) {
  tasks::TaskResult result;
  result.outcome =
      std::unexpected(tasks::TaskFailure{std::move(kind), std::move(message), retryable, {}});
  return result;
}

const Value* MemberOf(const Value& config, std::string_view name, std::string_view synonym = "") {
  const Value* found = config.Find(name);
  if (found == nullptr && !synonym.empty()) found = config.Find(synonym);
  return found == nullptr || found->is_null() ? nullptr : found;
}

bool FlagOf(const Value& config, std::string_view name, bool otherwise) {
  const Value* found = MemberOf(config, name);
  return found != nullptr && found->is_bool() ? found->as_bool() : otherwise;
}

std::string TextOf(const Value& config, std::string_view name, std::string_view synonym = "") {
  const Value* found = MemberOf(config, name, synonym);
  return found != nullptr && found->is_string() ? found->as_string() : std::string();
}

// The definition that the call names: a version of it, or the newest that may start.
std::expected<const model::RegisteredDefinition*, std::string> DefinitionOf(
    const model::Registry& registry, const Value& config) {
  const std::string name = TextOf(config, "workflow", "definition");
  if (name.empty())
    return std::unexpected("Expected the name of a workflow to call but found none");
  if (const Value* version = MemberOf(config, "version")) {
    const bool fits = version->is_int() && version->as_int() > 0 && version->as_int() <= UINT32_MAX;
    const auto* found =
        fits ? registry.Version(name, static_cast<uint32_t>(version->as_int())) : nullptr;
    if (found != nullptr) return found;
    return std::unexpected(
        fmt::format("Expected a registered version of \"{}\" to call but found none", name));
  }
  if (const auto* found = registry.Startable(name)) return found;
  return std::unexpected(fmt::format(
      "Expected a registered workflow \"{}\" to call but found none that may start", name));
}

bool Fits(const Value& priority) {
  return priority.is_int() && !RefusePriority(priority.as_int()).has_value();
}

// REQUIRES: its input and its priority are what they should be, where there are any.
model::StartInstance StartOf(const tasks::TaskRequest& request, DefinitionId definition) {
  const Value& config = request.config;
  model::StartInstance start;
  start.definition = definition;
  const Value* input = MemberOf(config, "input");
  if (input != nullptr && input->is_object()) {
    start.input = Payload::FromValue(*input);
  } else if (request.input.is_object() && !request.input.as_object().empty()) {
    start.input = Payload::FromValue(request.input);
  }
  if (const Value* variables = MemberOf(config, "variables"); variables && variables->is_object())
    for (const Member& member : variables->as_object())
      start.variables.push_back({member.key, Payload::FromValue(member.value)});
  if (const Value* tags = MemberOf(config, "tags"); tags != nullptr && tags->is_array())
    for (const Value& tag : tags->as_array())
      if (tag.is_string()) start.tags.push_back(tag.as_string());
  if (const Value* priority = MemberOf(config, "priority"))
    start.priority = static_cast<int32_t>(priority->as_int());
  start.business_key = TextOf(config, "business_key");
  start.idempotency_key = CallKey(request.key);
  start.parent_instance = request.key.instance;
  start.parent_run = request.key.run;
  start.linked = FlagOf(config, "cancel_with_parent", true) && FlagOf(config, "wait", true);
  return start;
}

}  // namespace

void CallExecutor::Start(tasks::TaskRequest request, Done done) {
  CHECK(shard_ != nullptr, "a call starts before the shard is attached");
  const auto known = shard_->board().ByIdempotencyKey(CallKey(request.key));
  const bool has_child = known.has_value() && known->has_value();
  const auto definition = DefinitionOf(shard_->registry(), request.config);
  // What has been started goes on, whatever has become of its definition.
  if (!definition.has_value() && !has_child)
    return done(Failure("config", definition.error(), false));
  if (const std::optional<std::string> problem = TooDeep(request.key.instance))
    return done(Failure("limit", *problem, false));
  if (const Value* input = MemberOf(request.config, "input"); input && !input->is_object())
    return done(Failure("config",
                        fmt::format("Expected an object for the input of a call but found {}",
                                    KindName(input->kind())),
                        false));
  if (const Value* priority = MemberOf(request.config, "priority"); priority && !Fits(*priority))
    return done(
        Failure("config",
                fmt::format("Expected a priority from {} to {} but found {}",
                            definition::kMinPriority, definition::kMaxPriority, ToJson(*priority)),
                false));
  const tasks::AttemptKey key = request.key;
  const bool waits = FlagOf(request.config, "wait", true);
  model::StartInstance start =
      StartOf(request, definition.has_value() ? (*definition)->id : DefinitionId());
  start.trace_parent = TraceParentOf(key);
  Call& call = calls_[key];
  call.linked = start.linked;
  call.done = std::move(done);
  // The id is known before the answer comes, which may be at once.
  auto child = std::make_shared<InstanceId>();
  *child = shard_->Start(std::move(start), "",
                         [this, key, waits, child](const Result<Position>& answer) {
                           Started(key, *child, waits, answer);
                         });
  // A call that is cancelled before the answer comes takes its child with it.
  if (const auto found = calls_.find(key); found != calls_.end()) found->second.child = *child;
}

// What a child is handed: it stands inside of the run that calls it, whichever attempt it is.
std::string CallExecutor::TraceParentOf(const tasks::AttemptKey& key) const {
  const Result<const model::Instance*> caller = shard_->Find(key.instance);
  if (!caller.has_value()) return {};
  const auto trace = shard_->TraceOf(**caller);
  if (!trace.has_value()) return {};
  return model::TraceParent(model::TraceOfRun(*trace, key.instance, key.run));
}

std::optional<std::string> CallExecutor::TooDeep(InstanceId caller) const {
  const uint32_t most = shard_->options().max_call_depth;
  const InstanceId last = caller;
  InstanceId first;
  uint32_t depth = 0;
  bool too_deep = false;
  while (caller) {
    const Result<const model::Instance*> instance = shard_->Find(caller);
    if (!instance.has_value()) return std::nullopt;
    first = caller;
    caller = (*instance)->parent_instance;
    if (++depth > most) too_deep = true;
  }
  if (!too_deep) return std::nullopt;
  return fmt::format(
      "Expected at most {} calls in each other but found one more, of instance {} (\"{}\"); the "
      "first was of instance {} (\"{}\"); the setting is max_call_depth",
      most, last.value, NameOf(last), first.value, NameOf(first));
}

std::string CallExecutor::NameOf(InstanceId id) const {
  const Result<const model::Instance*> instance = shard_->Find(id);
  const auto* definition =
      instance.has_value() ? shard_->registry().Find((*instance)->definition) : nullptr;
  return definition == nullptr ? "" : definition->name;
}

void CallExecutor::Started(const tasks::AttemptKey& key, InstanceId child, bool waits,
                           const Result<Position>& answer) {
  const auto found = calls_.find(key);
  if (found == calls_.end()) return;
  if (!answer.has_value()) {
    // The engine stops: the attempt is started again as it is.
    if (answer.error().code == ErrorCode::kShardStopped) {
      calls_.erase(found);
      return;
    }
    const bool later = answer.error().code == ErrorCode::kBackPressure;
    return Finish(key, Failure("call", answer.error().message, later));
  }
  found->second.child = child;
  shard_->Send(key.instance, model::NoteChild{key.run, child}, "", nullptr);
  if (!waits) {
    tasks::TaskResult result;
    result.outcome =
        Payload::FromValue(Object{{"instance", Value(static_cast<int64_t>(child.value))}});
    return Finish(key, std::move(result));
  }
  shard_->WatchEnd(child, [this, key](const model::Instance& ended) { Ended(key, ended); });
}

// What an instance failed of: itself, or one that it called and waited for, however far down.
CallExecutor::Cause CallExecutor::CauseOf(const model::Instance& failed) {
  const auto known = causes_.find(failed.id);
  Cause cause{.instance = failed.id, .message = failed.failure.message, .told = ""};
  if (known == causes_.end()) return cause;
  if (known->second.told == failed.failure.message) cause = std::move(known->second);
  causes_.erase(known);
  return cause;
}

void CallExecutor::Ended(const tasks::AttemptKey& key, const model::Instance& child) {
  if (!calls_.contains(key)) return;
  if (child.status == model::Status::kCompleted) {
    tasks::TaskResult result;
    result.outcome = child.output.has_value() ? child.output : Payload::FromValue(Object());
    return Finish(key, std::move(result));
  }
  const bool failed = child.status == model::Status::kFailed;
  Cause cause = CauseOf(child);
  std::string message = fmt::format(
      "Expected instance {} to complete but it has {}{}", child.id.value,
      failed ? "failed" : fmt::format("been {}", model::StatusName(child.status)),
      cause.instance == child.id ? "" : fmt::format(" with instance {}", cause.instance.value));
  if (!cause.message.empty()) message += ": " + cause.message;
  cause.told = message;
  causes_[key.instance] = std::move(cause);
  if (causes_.size() > kMaxCauses) causes_.erase(causes_.begin());
  tasks::TaskResult result =
      Failure(failed ? "child_failed" : "child_cancelled", std::move(message), true);
  result.outcome.error().details =
      Payload::FromValue(Object{{"instance", Value(static_cast<int64_t>(child.id.value))},
                                {"kind", Value(child.failure.kind)}});
  Finish(key, std::move(result));
}

void CallExecutor::Finish(const tasks::AttemptKey& key, tasks::TaskResult result) {
  const auto found = calls_.find(key);
  const Done done = std::move(found->second.done);
  calls_.erase(found);
  done(std::move(result));
}

void CallExecutor::Cancel(const tasks::AttemptKey& key, std::function<void()> stopped) {
  const auto found = calls_.find(key);
  if (found != calls_.end()) {
    const Call call = std::move(found->second);
    calls_.erase(found);
    if (call.linked && call.child)
      shard_->Send(call.child, model::CancelInstance{true, "its parent does not wait for it"}, "",
                   nullptr);
  }
  stopped();
}

}  // namespace stele::runtime
