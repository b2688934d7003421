#include "cli/dap/sources.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/json.h"
#include "engine/definition/canonical.h"
#include "engine/definition/limits.h"

namespace stele::cli::dap {
namespace {

namespace fs = std::filesystem;

std::string Absolute(const std::string& path) {
  std::error_code fault;
  const fs::path absolute = fs::absolute(path, fault);
  return fault ? path : absolute.lexically_normal().string();
}

bool IsSameFile(const std::string& one, const std::string& other) {
  std::error_code fault;
  return Absolute(one) == Absolute(other) || fs::equivalent(one, other, fault);
}

// Of one that was registered without a text: its canonical form, for people, with the places of it.
SourceText OfCanonical(const model::RegisteredDefinition& registered) {
  SourceText made;
  made.syntax = definition::Syntax::kJson;
  const Result<Value> document = ParseJson(registered.canonical, nullptr, kWrittenJson);
  if (!document.has_value()) return made;
  made.text = ToPrettyJson(*document) + "\n";
  const definition::LoadResult loaded = definition::Load(made.text, made.syntax, registered.name);
  if (loaded.has_value()) made.lines = definition::LinesOfSteps(**loaded, made.text, made.syntax);
  return made;
}

}  // namespace

SourceText Sources::Made(const model::RegisteredDefinition& registered) const {
  SourceText made;
  if (registered.source.empty()) {
    made = OfCanonical(registered);
  } else {
    made.text = registered.source;
    made.syntax = definition::SyntaxOf(registered.file, registered.source);
    made.lines = definition::LinesOfSteps(*registered.definition, made.text, made.syntax);
  }
  made.lines.resize(registered.definition->steps.size());
  made.definition = registered.id;
  const std::string file = fs::path(registered.file).filename().string();
  // Its ending tells an editor the language.
  made.name =
      fmt::format("version {} of {}", registered.version, file.empty() ? registered.name : file);
  for (const std::string& path : {program_, registered.file}) {
    if (path.empty() || !made.path.empty()) continue;
    if (read_(path) == made.text) made.path = Absolute(path);
  }
  return made;
}

const SourceText& Sources::Of(DefinitionId definition) {
  SourceText& made = made_[definition];
  const model::RegisteredDefinition* registered = registry_.Find(definition);
  if (!made.definition && registered != nullptr) made = Made(*registered);
  return made;
}

const SourceText* Sources::Find(const Fields& source,
                                const std::vector<DefinitionId>& definitions) {
  const int64_t reference = source.IntegerOr("sourceReference", 0);
  const std::string path = source.TextOr("path");
  for (const DefinitionId definition : definitions) {
    const SourceText& text = Of(definition);
    if (reference > 0 && static_cast<uint64_t>(reference) == definition.value) return &text;
    if (reference <= 0 && !path.empty() && !text.path.empty() && IsSameFile(path, text.path))
      return &text;
  }
  return nullptr;
}

const SourceText* Sources::Numbered(int64_t reference) {
  if (reference <= 0) return nullptr;
  const auto found = made_.find(DefinitionId(static_cast<uint64_t>(reference)));
  return found == made_.end() ? nullptr : &found->second;
}

uint32_t Sources::FromEditor(int64_t line) const {
  return line < first_ || line >= UINT32_MAX ? 0 : static_cast<uint32_t>(line - first_ + 1);
}

Object Sources::ToJson(const SourceText& source) const {
  if (!source.path.empty())
    return {{"name", fs::path(source.path).filename().string()}, {"path", source.path}};
  return {{"name", source.name},
          {"sourceReference", static_cast<int64_t>(source.definition.value)},
          {"origin", "as it was registered"}};
}

std::optional<std::string> ReadWorkflowFile(const std::string& path) {
  std::error_code fault;
  if (!fs::is_regular_file(path, fault)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::string text(definition::kMaxFileBytes + 1, '\0');
  if (!file || !file.read(text.data(), static_cast<std::streamsize>(text.size())).eof())
    return std::nullopt;
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace stele::cli::dap
