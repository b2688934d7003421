// `stele types`: task types of a user's own.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/registry_change.h"
#include "cli/remote/asker.h"
#include "cli/remote/command.h"
#include "cli/remote/server_option.h"
#include "cli/source.h"
#include "cli/text.h"
#include "engine/definition/document.h"
#include "engine/definition/limits.h"
#include "engine/runtime/custom_types.h"
#include "replay/history.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

using runtime::CustomType;
using runtime::kTypePrefix;

Result<Value> ReadSchema(const std::string& path) {
  const auto text = ReadGivenFile(path, definition::kMaxFileBytes);
  if (!text.has_value()) return std::unexpected(text.error());
  definition::Faults faults;
  const auto document = definition::ParseDocument(*text, definition::SyntaxOf(path, *text), faults);
  if (document.has_value()) return definition::ToValue(*document);
  const std::vector<definition::Fault> all = faults.Take();
  return Fail(all.empty() ? ErrorCode::kInvalidYaml : all[0].code,
              all.empty() ? fmt::format("Expected a document in {} but found none", path)
                          : fmt::format("{}:{}:{}: {}", path, all[0].place.line,
                                        all[0].place.column, all[0].message));
}

// The document that is stored.
Result<Value> ReadDocument(const Arguments& arguments) {
  if (arguments.Has("--url") == arguments.Has("--worker"))
    return Fail(ErrorCode::kUsage, fmt::format("Expected --url or --worker but found {}",
                                               arguments.Has("--url") ? "both" : "neither"));
  if (arguments.Has("--worker") && (arguments.Has("--header") || arguments.Has("--secret")))
    return Fail(ErrorCode::kUsage,
                "Expected --url beside --header and --secret but found --worker");
  Object document;
  if (arguments.Has("--schema")) {
    const Result<Value> schema = ReadSchema(arguments.Get("--schema"));
    if (!schema.has_value()) return std::unexpected(schema.error());
    document.Set("schema", *schema);
  } else {
    return Fail(ErrorCode::kUsage,
                "Expected --schema FILE but found none; a schema that is \"{}\" fits everything");
  }
  if (arguments.Has("--worker")) {
    document.Set("worker", true);
    return document;
  }
  document.Set("url", arguments.Get("--url"));
  const auto given = GivenHeaders(arguments);
  if (!given.has_value()) return std::unexpected(given.error());
  Object headers;
  for (const auto& [name, value] : *given) headers.Set(name, value);
  if (!headers.empty()) document.Set("headers", headers);
  if (arguments.Has("--secret")) document.Set("secret", arguments.Get("--secret"));
  return document;
}

std::string RunBy(const CustomType& type) {
  if (type.worker) return "a worker";
  std::string text = type.callback.url;
  if (!type.secret.empty()) text += ", signed with " + type.secret;
  return text;
}

// The members that the configuration must have and may have.
std::string SchemaSummary(const Value& document) {
  const Value* schema = document.Find("schema");
  const Value* properties =
      schema != nullptr && schema->is_object() ? schema->Find("properties") : nullptr;
  if (properties == nullptr || !properties->is_object()) return "-";
  std::vector<std::string> names;
  for (const Member& property : properties->as_object()) names.push_back(property.key);
  return fmt::format("{}", fmt::join(names, ", "));
}

Value ToJson(const CustomType& type) {
  Object document{{"type", type.name}};
  if (type.document.is_object())
    for (const Member& member : type.document.as_object()) document.Set(member.key, member.value);
  return document;
}

std::string_view DoneWith(bool known) {
  return known ? "replaced" : "registered";
}

int ReportType(const Arguments& arguments, const Terminal& terminal, std::string_view done) {
  const std::string& name = arguments.operands()[0];
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(Object{{"type", name}, {"status", done}})) + "\n");
  } else {
    terminal.Print(fmt::format("type {} is {}\n", Clean(name), done));
  }
  return kExitDone;
}

int Record(const Arguments& arguments, const Terminal& terminal, RegistryChange& change,
           const std::string& document, std::string_view done) {
  const std::string& name = arguments.operands()[0];
  change.shard().ChangeSetting(std::string(kTypePrefix) + name, document, change.asker(),
                               change.Answer());
  if (const Status recorded = change.Finish(); !recorded.has_value())
    return Refuse(terminal, recorded.error());
  return ReportType(arguments, terminal, done);
}

std::unexpected<Error> UnknownType(const std::string& name) {
  return Fail(ErrorCode::kUsage, fmt::format("Expected a registered type but found \"{}\"", name));
}

// Records it at the server; `document` is null for one that is removed.
int RecordAtServer(const Arguments& arguments, const Terminal& terminal, const Value* document) {
  const std::string& name = arguments.operands()[0];
  const auto record = [&]() -> Result<bool> {
    STELE_RETURN_IF_ERROR(CheckNobodyNamed(arguments));
    const auto server = Remote::Open(arguments);
    if (!server.has_value()) return std::unexpected(server.error());
    const auto registry = replay::ReadRegistry(*SourceOf(**server));
    if (!registry.has_value()) return std::unexpected(registry.error());
    const bool known = CustomTypes(*registry).all().contains(name);
    auto definitions = (*server)->session().definitionsRequest().send().getDefinitions();
    if (document == nullptr) {
      if (!known) return UnknownType(name);
      auto request = definitions.removeTypeRequest();
      request.setName(server::rpc::TextOf(name));
      const auto removed = PositionOf(**server, kj::mv(request));
      if (!removed.has_value()) return std::unexpected(removed.error());
    } else {
      auto request = definitions.registerTypeRequest();
      request.setName(server::rpc::TextOf(name));
      request.setDocument(server::rpc::TextOf(stele::ToJson(*document)));
      const auto registered = PositionOf(**server, kj::mv(request));
      if (!registered.has_value()) return std::unexpected(registered.error());
    }
    return known;
  };
  const Result<bool> known = record();
  if (!known.has_value()) return Refuse(terminal, known.error());
  return ReportType(arguments, terminal,
                    document == nullptr ? "removed" : DoneWith(/*known=*/*known));
}

}  // namespace

int RegisterType(const Arguments& arguments, const Terminal& terminal) {
  const std::string& name = arguments.operands()[0];
  if (const Status fits = runtime::CheckTypeName(name); !fits.has_value())
    return Refuse(terminal, fits.error());
  const Result<Value> document = ReadDocument(arguments);
  if (!document.has_value()) return Refuse(terminal, document.error());
  if (const auto type = runtime::ReadCustomType(name, *document); !type.has_value())
    return Refuse(terminal, type.error());
  if (IsForServer(arguments)) return RecordAtServer(arguments, terminal, &*document);
  RegistryChange change(arguments);
  if (const Status opened = change.Open(true); !opened.has_value())
    return Refuse(terminal, opened.error());
  const bool known = change.engine().custom_types().all().contains(name);
  return Record(arguments, terminal, change, stele::ToJson(*document), DoneWith(known));
}

int ListTypes(const Arguments& arguments, const Terminal& terminal) {
  const auto registry = ReadRegistryOf(arguments);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  const CustomTypes types(*registry);
  std::vector<std::vector<std::string>> rows{{"TYPE", "RUN BY", "CONFIGURATION"}};
  Array documents;
  for (const auto& [name, type] : types.all()) {
    rows.push_back({Clean(name),
                    type.schema.has_value() ? Clean(RunBy(type)) : "(of another build)",
                    Clean(SchemaSummary(type.document))});
    documents.push_back(ToJson(type));
  }
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(std::move(documents))) + "\n");
  } else {
    terminal.Print(rows.size() == 1 ? "no types are registered\n" : Table(terminal, rows));
  }
  return kExitDone;
}

int RemoveType(const Arguments& arguments, const Terminal& terminal) {
  if (IsForServer(arguments)) return RecordAtServer(arguments, terminal, nullptr);
  RegistryChange change(arguments);
  if (const Status opened = change.Open(false); !opened.has_value())
    return Refuse(terminal, opened.error());
  const std::string& name = arguments.operands()[0];
  if (!change.engine().custom_types().all().contains(name))
    return Refuse(terminal, UnknownType(name).error());
  return Record(arguments, terminal, change, "", "removed");
}

}  // namespace stele::cli
