// From a file's text to a Definition, or to every fault of it at once.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/definition/definition.h"

namespace stele::definition {

class TemplateSource;

struct Fault {
  ErrorCode code;
  std::string message;  // "Expected … but found …"
  Place place;          // in the file
  bool operator==(const Fault& other) const {
    return code == other.code && message == other.message && place.line == other.place.line &&
           place.column == other.place.column;
  }
};

// "orders.yml:12:7: STL0104: Expected …"
std::string FormatFault(std::string_view file, const Fault& fault);

enum class Syntax : uint8_t { kYaml, kJson };
// By the name's ending; without one that is known, by the first character that is no space.
Syntax SyntaxOf(std::string_view file_name, std::string_view text);

using LoadResult = std::expected<std::shared_ptr<const Definition>, std::vector<Fault>>;

// Loads any dialect that is known, told apart by the top-level keys. `fallback_name` (the file's
// stem) names a definition that does not say how it is called. Faults are sorted by place. Step
// templates that the file does not hold come from `source`; a definition with parameters gets their
// defaults (templates.h).
//
// Where there are faults and `rest` is not null, it gets the steps whose type and configuration
// could be read, and nothing else: CheckTypes and executors may judge them, so that their faults
// are told with the others. A string whose template does not compile is `{{ input }}` in it.
LoadResult Load(std::string_view text, Syntax syntax, std::string_view fallback_name,
                const TemplateSource* source = nullptr, Definition* rest = nullptr);

// Reads the file and loads it. A file that cannot be read is one fault.
LoadResult LoadFile(const std::string& path, const TemplateSource* source = nullptr,
                    Definition* rest = nullptr);

// The schema of the configuration of somebody's own type; null when there is no such type.
using TypeSchemas = std::function<const JsonSchema*(std::string_view type)>;

// The faults of steps whose type nothing in this process can run, and of configurations that do not
// fit their type's schema; what a template holds is left to run time. `available` holds task types;
// `stubbed` holds step ids and types that a stub answers for.
std::vector<Fault> CheckTypes(const Definition& definition, const std::set<std::string>& available,
                              const std::set<std::string>& stubbed,
                              const TypeSchemas& schemas = {});

}  // namespace stele::definition
