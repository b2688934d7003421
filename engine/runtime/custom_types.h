// Task types of a user's own: settings "type/NAME" of the registry, and what they mean in this
// process. A type has the JSON Schema of its configuration and is run by an HTTP server or by a
// worker.
//
// The document: {schema, url, headers: {NAME: VALUE}, secret} or {schema, worker: true}.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/definition/json_schema.h"
#include "engine/definition/load.h"
#include "engine/model/registry.h"
#include "engine/secrets/secrets.h"
#include "engine/tasks/callback.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/worker_pool.h"

namespace stele::runtime {

inline constexpr std::string_view kTypePrefix = "type/";

struct CustomType {
  std::string name;
  Value document;
  std::optional<definition::JsonSchema> schema;  // absent: a document of another build
  tasks::CallbackOptions callback;               // without the secret's value
  std::string secret;                            // its name
  bool worker = false;
};

class CustomTypes {
 public:
  CustomTypes() = default;
  explicit CustomTypes(const model::Registry& registry);

  const std::map<std::string, CustomType, std::less<>>& all() const { return types_; }
  // Those that a step may use.
  definition::TypeSchemas schemas() const;
  // True: nobody but a worker runs it. `agent` is such a type unless it is registered otherwise.
  bool NeedsWorker(std::string_view type) const;
  // A type that is stubbed, or has an executor already, keeps that one. Without `workers` no worker
  // can come: types that need one fail.
  void AddExecutors(const std::shared_ptr<tasks::HttpClient>& client,
                    const secrets::Secrets& secrets,
                    const std::shared_ptr<tasks::WorkerPool>& workers,
                    tasks::TaskRegistry& registry) const;

 private:
  std::map<std::string, CustomType, std::less<>> types_;
};

// Reads a document; kInvalidInput with all its faults.
Result<CustomType> ReadCustomType(std::string_view name, const Value& document);

// kInvalidInput: no name for a type, or that of a built-in one.
Status CheckTypeName(std::string_view name);

}  // namespace stele::runtime
