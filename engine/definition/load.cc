#include "engine/definition/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/definition/canonical.h"
#include "engine/definition/dialects/dialects.h"
#include "engine/definition/json_schema.h"
#include "engine/definition/limits.h"
#include "engine/definition/patch.h"
#include "engine/definition/recorded_secrets.h"
#include "engine/definition/templates.h"

namespace stele::definition {
namespace {

constexpr std::string_view kFormatVersion = "format_version";

std::vector<std::string> Keys(const Node& node) {
  std::vector<std::string> keys;
  for (const Entry& entry : node.entries) keys.push_back(entry.key);
  return keys;
}

std::optional<Draft> Lower(const Node& root, std::string_view fallback_name, Faults& faults) {
  if (!root.is_map()) {
    faults.Add(ErrorCode::kInvalidDefinition, root.place,
               "Expected a mapping with `workflow`, `steps`, `nodes` or `tasks` but found " +
                   Describe(root));
    return std::nullopt;
  }
  if (const Node* workflow = root.Find("workflow"); workflow != nullptr && !workflow->is_null())
    return LowerProcesses(root, fallback_name, faults);
  if (root.Find("nodes") != nullptr) return LowerNodes(root, fallback_name, faults);
  if (root.Find("tasks") != nullptr || root.Find("flow") != nullptr)
    return LowerOrderedTasks(root, fallback_name, faults);
  if (IsProcessSteps(root, faults)) return LowerProcessSteps(root, fallback_name, faults);
  if (root.Find("steps") != nullptr || root.Find("definition") != nullptr)
    return LowerSteps(root, fallback_name, faults);
  faults.Add(ErrorCode::kInvalidDefinition, root.place,
             fmt::format("Expected `workflow`, `steps`, `definition`, `nodes` or `tasks` as a key "
                         "of the file but found {}",
                         root.entries.empty() ? "nothing" : QuoteList(Keys(root))));
  return std::nullopt;
}

// The definition as the log will give it back. What a file makes larger than a file may be, by its
// aliases or templates, could be recorded and never be read again.
LoadResult Recorded(const Definition& definition, Faults faults) {
  CheckRecordedSecrets(definition, faults);
  if (!faults.empty()) return std::unexpected(faults.Take());
  const std::string canonical = WriteCanonical(definition);
  if (canonical.size() <= kMaxFileBytes) {
    LoadResult read = ReadCanonical(canonical);
    if (read) return read;
    for (const Fault& fault : read.error()) faults.Add(fault.code, {1, 1}, fault.message);
    return std::unexpected(faults.Take());
  }
  faults.Add(ErrorCode::kLimitExceeded, {1, 1},
             fmt::format("Expected a definition of at most {} bytes in its canonical form, where "
                         "aliases and templates are written out, but found {}",
                         kMaxFileBytes, canonical.size()));
  return std::unexpected(faults.Take());
}

}  // namespace

Syntax SyntaxOf(std::string_view file_name, std::string_view text) {
  if (file_name.ends_with(".json")) return Syntax::kJson;
  if (file_name.ends_with(".yml") || file_name.ends_with(".yaml")) return Syntax::kYaml;
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[')
             ? Syntax::kJson
             : Syntax::kYaml;
}

LoadResult Load(std::string_view text, Syntax syntax, std::string_view fallback_name,
                const TemplateSource* source) {
  return Instantiate(text, syntax, {}, fallback_name, source);
}

LoadResult Instantiate(std::string_view text, Syntax syntax, const Object& parameters,
                       std::string_view fallback_name, const TemplateSource* source) {
  Faults faults;
  std::optional<Node> root = ParseDocument(text, syntax, faults);
  if (root && root->is_map() && root->Find(kFormatVersion) != nullptr) {
    const LoadResult read = ReadCanonicalTree(*root);
    return read ? Recorded(**read, std::move(faults)) : read;
  }
  std::optional<Draft> draft;
  if (root && ExpandTemplates(*root, parameters, source, faults))
    draft = Lower(*root, fallback_name, faults);
  if (!draft) return std::unexpected(faults.Take());
  PreparePatches(*draft);
  const std::vector<Patch> patches = std::move(draft->patches);
  Definition definition = Link(*std::move(draft), faults);
  definition = ApplyPatches(std::move(definition), patches, faults);
  return Recorded(definition, std::move(faults));
}

LoadResult LoadFile(const std::string& path, const TemplateSource* source) {
  const auto fail = [&](ErrorCode code, std::string message) {
    return std::unexpected(std::vector<Fault>{{code, std::move(message), {}}});
  };
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFileBytes + 1, '\0');
  if (!file || !file.read(text.data(), static_cast<std::streamsize>(text.size())).eof()) {
    if (file.gcount() > static_cast<std::streamsize>(kMaxFileBytes))
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("Expected a file of at most {} bytes but found more", kMaxFileBytes));
    return fail(ErrorCode::kIo,
                fmt::format("Expected a file that can be read but found none at {}", Quote(path)));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  const std::filesystem::path name(path);
  return Load(text, SyntaxOf(path, text), name.stem().string(), source);
}

std::vector<Fault> CheckTypes(const Definition& definition, const std::set<std::string>& available,
                              const std::set<std::string>& stubbed, const TypeSchemas& schemas) {
  Faults faults;
  for (const Step& step : definition.steps) {
    if (step.kind != StepKind::kTask || stubbed.contains(step.task_type) ||
        stubbed.contains(step.id))
      continue;
    const JsonSchema* schema = schemas ? schemas(step.task_type) : nullptr;
    if (schema != nullptr)
      for (const SchemaFault& fault : schema->ValidateTemplate(step.config.source()))
        faults.Add(ErrorCode::kTaskConfig, step.place,
                   fmt::format("The configuration of step {}: {}", Quote(step.id), fault.message));
    if (schema != nullptr || available.contains(step.task_type)) continue;
    faults.Add(ErrorCode::kUnknownType, step.place,
               fmt::format(
                   "Expected a type that can run here ({}) but found {} in step {}; "
                   "--stub {}=JSON completes it without running",
                   available.empty() ? "none can" : QuoteList({available.begin(), available.end()}),
                   Quote(step.task_type), Quote(step.id), step.id));
  }
  return faults.Take();
}

}  // namespace stele::definition
