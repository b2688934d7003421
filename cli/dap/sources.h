// The workflow files in which an editor shows an instance: the texts that the definitions were
// registered with, and where each of their steps stands.
//
// A text is given as a path where a file has it, byte by byte; else under a number, by which an
// editor asks for it. So nobody steps through a file that is not what has run.
//
// Thread: one at a time. REQUIRES: the registry outlives it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "cli/dap/message.h"
#include "engine/definition/places.h"
#include "engine/model/registry.h"

namespace stele::cli::dap {

struct SourceText {
  DefinitionId definition;
  std::string name;  // "version 2 of order.yml"
  std::string path;  // of the file that has this text; empty: none that is known
  std::string text;
  definition::Syntax syntax = definition::Syntax::kYaml;
  std::vector<definition::Lines> lines;  // by the steps' indices
};

class Sources {
 public:
  // The bytes of a file; nothing: there is none that can be read.
  using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;

  // `program`: a file that the editor has open; empty: none. `first`: the number that the editor
  // gives to the first line, and to the first column: 0 or 1.
  Sources(const model::Registry& registry, std::string program, int64_t first, ReadFile read)
      : registry_(registry), program_(std::move(program)), first_(first), read_(std::move(read)) {}

  // Without a text when it is not registered.
  const SourceText& Of(DefinitionId definition);
  // That of a request's `source`, among those of `definitions`; null when it is none of them.
  const SourceText* Find(const Fields& source, const std::vector<DefinitionId>& definitions);
  // By the number under which it was given; null: nothing was.
  const SourceText* Numbered(int64_t reference);

  const definition::Definition& DefinitionOf(const SourceText& source) const {
    return *registry_.Find(source.definition)->definition;
  }

  // Lines as the editor counts them, and back; what is no line is 0.
  int64_t ToEditor(uint32_t line) const { return static_cast<int64_t>(line) - 1 + first_; }
  uint32_t FromEditor(int64_t line) const;
  int64_t first() const { return first_; }

  // As the protocol's `Source`.
  Object ToJson(const SourceText& source) const;

 private:
  SourceText Made(const model::RegisteredDefinition& registered) const;

  const model::Registry& registry_;
  const std::string program_;
  const int64_t first_;
  const ReadFile read_;
  std::map<DefinitionId, SourceText> made_;
};

// At most as much as a definition may have, of a file that is one.
std::optional<std::string> ReadWorkflowFile(const std::string& path);

}  // namespace stele::cli::dap
