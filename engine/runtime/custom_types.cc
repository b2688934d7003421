#include "engine/runtime/custom_types.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/definition/step_types.h"
#include "engine/tasks/agent.h"
#include "engine/tasks/function_executor.h"

namespace stele::runtime {

namespace {

constexpr size_t kMaxTypeName = 64;

std::unique_ptr<tasks::TaskExecutor> Failing(std::string kind, std::string message) {
  return std::make_unique<tasks::FunctionExecutor>(
      [kind = std::move(kind), message = std::move(message)](const tasks::TaskRequest&) {
        tasks::TaskResult result;
        result.outcome = std::unexpected(tasks::TaskFailure{kind, message, false, {}});
        return result;
      });
}

std::string TextOf(const Value& document, std::string_view member) {
  const Value* found = document.Find(member);
  return found != nullptr && found->is_string() ? found->as_string() : std::string();
}

}  // namespace

Status CheckTypeName(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  if (name.empty() || name.size() > kMaxTypeName || !std::ranges::all_of(name, fits))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a type's name of at most {} letters, digits, \"_\", \"-\" "
                            "and \".\" but found \"{}\"",
                            kMaxTypeName, name));
  if (name != tasks::kAgentType && definition::FindStepType(name).has_value())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a name that no built-in type has but found \"{}\"", name));
  return {};
}

Result<CustomType> ReadCustomType(std::string_view name, const Value& document) {
  CustomType type{.name = std::string(name), .document = document};
  if (!document.is_object())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected an object for the type \"{}\" but found {}", name,
                            KindName(document.kind())));
  std::string faults;
  const auto add = [&](const std::string& sentence) {
    faults += (faults.empty() ? "" : "; ") + sentence;
  };
  const Value* schema = document.Find("schema");
  auto compiled = definition::JsonSchema::Compile(schema == nullptr ? Value(true) : *schema);
  if (compiled.has_value()) {
    type.schema = *std::move(compiled);
  } else {
    for (const definition::SchemaFault& fault : compiled.error()) add("schema: " + fault.message);
  }
  const Value* worker = document.Find("worker");
  type.worker = worker != nullptr && worker->is_bool() && worker->as_bool();
  type.callback.url = TextOf(document, "url");
  type.secret = TextOf(document, "secret");
  if (const Value* headers = document.Find("headers"); headers && headers->is_object())
    for (const Member& header : headers->as_object())
      if (header.value.is_string())
        type.callback.headers.emplace_back(header.key, header.value.as_string());
  if (!type.worker)
    for (const std::string& fault : tasks::CallbackExecutor::Faults(type.callback)) add(fault);
  if (!type.secret.empty())
    if (const Status named = secrets::CheckName(type.secret); !named.has_value())
      add(named.error().message);
  if (!faults.empty()) return Fail(ErrorCode::kInvalidInput, faults);
  return type;
}

CustomTypes::CustomTypes(const model::Registry& registry) {
  for (auto at = registry.settings.lower_bound(kTypePrefix);
       at != registry.settings.end() && at->first.starts_with(kTypePrefix); ++at) {
    const std::string name = at->first.substr(kTypePrefix.size());
    const Result<Value> document = ParseJson(at->second, nullptr, kWrittenJson);
    if (!document.has_value()) continue;
    Result<CustomType> type = ReadCustomType(name, *document);
    // One that this build does not understand is listed, but runs nothing.
    types_[name] =
        type.has_value() ? *std::move(type) : CustomType{.name = name, .document = *document};
  }
}

definition::TypeSchemas CustomTypes::schemas() const {
  return [this](std::string_view name) -> const definition::JsonSchema* {
    const auto found = types_.find(name);
    return found == types_.end() || !found->second.schema.has_value() ? nullptr
                                                                      : &*found->second.schema;
  };
}

bool CustomTypes::NeedsWorker(std::string_view type) const {
  const auto found = types_.find(type);
  return found == types_.end() ? type == tasks::kAgentType : found->second.worker;
}

void CustomTypes::AddExecutors(const std::shared_ptr<tasks::HttpClient>& client,
                               const secrets::Secrets& secrets,
                               const std::shared_ptr<tasks::WorkerPool>& workers,
                               tasks::TaskRegistry& registry) const {
  for (const auto& [name, type] : types_) {
    if (registry.Find(name) != nullptr) continue;
    if (!type.schema.has_value()) continue;
    if (type.worker && workers != nullptr) {
      registry.Register(name, name == tasks::kAgentType ? tasks::MakeAgentExecutor(workers)
                                                        : tasks::WorkerPool::MakeExecutor(workers));
      continue;
    }
    if (type.worker) {
      registry.Register(
          name, Failing("unavailable",
                        fmt::format("Expected a worker for \"{}\" but found none: no worker can "
                                    "reach this process",
                                    name)));
      continue;
    }
    tasks::CallbackOptions options = type.callback;
    if (!type.secret.empty()) {
      const std::optional<std::string> value = secrets.Find(type.secret);
      if (!value.has_value()) {
        registry.Register(
            name, Failing("config", fmt::format("Expected the secret \"{}\" but found "
                                                "{}",
                                                type.secret, secrets.Missing(type.secret))));
        continue;
      }
      options.secret = *value;
    }
    registry.Register(name, std::make_unique<tasks::CallbackExecutor>(client, std::move(options)));
  }
}

}  // namespace stele::runtime
