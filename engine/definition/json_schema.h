// JSON Schema for inputs, configurations and messages: draft-07 and what 2020-12 shares with it.
//
// Known are the assertions and applicators of draft-07, `prefixItems`, `$defs`,
// `dependentRequired`, `dependentSchemas`, `minContains` and `maxContains` of 2020-12, and `$ref`
// within the schema
// ("#", "#/$defs/name"). `format` is for people, but for `date-time`. Patterns are RE2's. Members
// that mean nothing here are left alone, unless they look like a misspelt keyword.
//
// Own code because the packaged validators match patterns with std::regex, which a long string
// overflows, and because a configuration with templates is known in part only.
//
// Immutable after compiling; one may be used from several threads at once.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/definition/definition.h"

namespace stele::definition {

struct SchemaFault {
  std::string pointer;  // RFC 6901, into the schema or the value
  std::string message;  // "Expected … but found …", the pointer included unless it is the root's
  bool operator==(const SchemaFault&) const = default;
};

struct SchemaRules;  // the compiled form

class JsonSchema {
 public:
  // A schema is an object or a boolean of at most kMaxSchemaNodes subschemas. All faults at once.
  static std::expected<JsonSchema, std::vector<SchemaFault>> Compile(const Value& schema);

  // Empty when the value fits; else at most kMaxSchemaFaults. Bounded: a check that takes more than
  // kMaxSchemaSteps, or goes deeper than kMaxSchemaDepth, is a fault of its own.
  std::vector<SchemaFault> Validate(const Value& value) const;
  // The same of a configuration before it is rendered: a string with `{{` or `${` fits everything,
  // and what would depend on it is not asked.
  std::vector<SchemaFault> ValidateTemplate(const Value& value) const;

 private:
  explicit JsonSchema(std::shared_ptr<const SchemaRules> rules) : rules_(std::move(rules)) {}
  std::shared_ptr<const SchemaRules> rules_;
};

// Fills Definition::input_check. A recorded schema that this build does not know is left unchecked
// here; CheckInput refuses every input of it.
void CompileInputSchema(Definition& definition);

}  // namespace stele::definition
