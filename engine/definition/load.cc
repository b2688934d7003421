#include "engine/definition/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/definition/canonical.h"
#include "engine/definition/certain_faults.h"
#include "engine/definition/dialects/dialects.h"
#include "engine/definition/json_schema.h"
#include "engine/definition/limits.h"
#include "engine/definition/names.h"
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

// By step, in the order in which Link numbers them: whether all that the file says of its type and
// its configuration is known before its `stele` is applied.
std::vector<bool> Settled(const Draft& draft) {
  std::set<std::string_view> patched;
  for (const Patch& patch : draft.patches) patched.insert(patch.step);
  std::vector<bool> settled;
  for (const DraftBody& body : draft.bodies)
    for (const DraftStep& step : body.steps)
      settled.push_back(step.settled && !step.step.task_type.empty() &&
                        !patched.contains(step.step.id));
  return settled;
}

// What a definition without a name of its own has besides its steps.
bool MayBeFragment(const Definition& definition) {
  return definition.dialect == "steps" && definition.title == definition.name &&
         definition.version.empty() && definition.description.empty() && definition.tags.empty() &&
         definition.outputs.empty() && definition.bodies[0].variables.empty() &&
         definition.input_schema.is_null() && definition.extra.is_null();
}

// A definition that was written as the log holds it, with the places of this text.
LoadResult ReadWritten(const Node& root, Faults& faults) {
  LoadResult read = ReadCanonicalTree(root);
  if (!read) return read;
  Definition definition = **read;
  if (const Node* steps = root.Find("steps"))
    for (size_t i = 0; i < steps->items.size() && i < definition.steps.size(); ++i)
      definition.steps[i].place = steps->items[i].place;
  if (const Node* edges = root.Find("transitions"))
    for (size_t i = 0; i < edges->items.size() && i < definition.transitions.size(); ++i)
      definition.transitions[i].place = edges->items[i].place;
  CheckNames(definition, root, faults);
  // Not by who reads it: what is in a log can always be read.
  if (definition.priority < kMinPriority || definition.priority > kMaxPriority)
    faults.Add(ErrorCode::kInvalidDefinition, root.Find("priority")->place,
               fmt::format("Expected an integer from {} to {} for `priority` but found {}",
                           kMinPriority, kMaxPriority, definition.priority));
  if (!MayBeFragment(definition)) CheckCertainFaults(definition, faults);
  return read;
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
                const TemplateSource* source, Definition* rest) {
  return Instantiate(text, syntax, {}, fallback_name, source, rest);
}

LoadResult Instantiate(std::string_view text, Syntax syntax, const Object& parameters,
                       std::string_view fallback_name, const TemplateSource* source,
                       Definition* rest) {
  Faults faults;
  std::optional<Node> root = ParseDocument(text, syntax, faults);
  if (root && root->is_map() && root->Find(kFormatVersion) != nullptr) {
    const LoadResult read = ReadWritten(*root, faults);
    return read ? Recorded(**read, std::move(faults)) : read;
  }
  std::optional<Draft> draft;
  if (root && ExpandTemplates(*root, parameters, source, faults))
    draft = Lower(*root, fallback_name, faults);
  if (!draft) return std::unexpected(faults.Take());
  PreparePatches(*draft);
  const std::vector<bool> settled = Settled(*draft);
  const std::vector<Patch> patches = std::move(draft->patches);
  const bool fragment = draft->fragment;
  Definition definition = Link(*std::move(draft), faults);
  definition = ApplyPatches(std::move(definition), patches, faults);
  CheckNames(definition, *root, faults);
  // A patch that is not applied might have put an expression in the place of another.
  const bool whole = patches.empty() || faults.empty();
  if (!fragment && whole) CheckCertainFaults(definition, faults);
  LoadResult loaded = Recorded(definition, std::move(faults));
  if (!loaded && rest != nullptr)
    for (size_t i = 0; i < definition.steps.size(); ++i)
      if (settled[i]) rest->steps.push_back(definition.steps[i]);
  return loaded;
}

LoadResult LoadFile(const std::string& path, const TemplateSource* source, Definition* rest) {
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
  return Load(text, SyntaxOf(path, text), name.stem().string(), source, rest);
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
