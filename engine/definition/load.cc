#include "engine/definition/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/definition/canonical.h"
#include "engine/definition/dialects/dialects.h"
#include "engine/definition/limits.h"

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
               "Expected a mapping with `workflow` or `steps` but found " + Describe(root));
    return std::nullopt;
  }
  if (const Node* workflow = root.Find("workflow"); workflow != nullptr && !workflow->is_null())
    return LowerProcesses(root, fallback_name, faults);
  if (root.Find("steps") != nullptr || root.Find("definition") != nullptr)
    return LowerSteps(root, fallback_name, faults);
  faults.Add(ErrorCode::kInvalidDefinition, root.place,
             fmt::format("Expected `workflow`, `steps` or `definition` as a key of the file but "
                         "found {}",
                         root.entries.empty() ? "nothing" : QuoteList(Keys(root))));
  return std::nullopt;
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

LoadResult Load(std::string_view text, Syntax syntax, std::string_view fallback_name) {
  Faults faults;
  const std::optional<Node> root = ParseDocument(text, syntax, faults);
  if (root && root->is_map() && root->Find(kFormatVersion) != nullptr && syntax == Syntax::kJson)
    return ReadCanonical(text);
  std::optional<Draft> draft;
  if (root) draft = Lower(*root, fallback_name, faults);
  if (!draft) return std::unexpected(faults.Take());
  Definition definition = Link(*std::move(draft), faults);
  if (!faults.empty()) return std::unexpected(faults.Take());
  return std::make_shared<const Definition>(std::move(definition));
}

LoadResult LoadFile(const std::string& path) {
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
  return Load(text, SyntaxOf(path, text), name.stem().string());
}

std::vector<Fault> CheckTypes(const Definition& definition, const std::set<std::string>& available,
                              const std::set<std::string>& stubbed) {
  Faults faults;
  for (const Step& step : definition.steps) {
    if (step.kind != StepKind::kTask || available.contains(step.task_type) ||
        stubbed.contains(step.task_type) || stubbed.contains(step.id))
      continue;
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
