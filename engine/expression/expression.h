// Conditions and templates: compiled once, when a definition is loaded, evaluated often.
//
// The language (docs/expressions.md): literals, comparison, arithmetic, `and or not && || !`, `in`,
// `contains`, `startsWith`, `endsWith`, `matches`, `size`, `is null`, `is not null`, `is empty`,
// `is not empty`, member access, indexing, ternary, `??`, `has`. `{{ … }}` and `${ … }` inside a
// condition are parentheses. `secrets` is refused. Every evaluation ends, in time linear in the
// expression and the data that it looks at.
//
// Compiled objects are immutable; one may be evaluated from several threads at once.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"

namespace stele::expression {

// What an expression can see. `path` is the constant part of a reference, split at its points and
// constant indices: `steps.a.output.rows[0]` is {"steps","a","output","rows","0"}; never empty. It
// may end in the property `length` of a list or string, which only the walk after `consumed` knows:
// an environment should resolve roots and leave the rest.
class Environment {
 public:
  struct Found {
    const Value* value = nullptr;  // null: undefined. Lives as long as the environment.
    size_t consumed = 0;           // how many names of `path` led to it; the rest is walked in it
  };

  virtual ~Environment() = default;
  virtual Found Lookup(std::span<const std::string> path) const = 0;
};

// A name that an expression refers to, with its place in the text (of a template: in its string).
struct Reference {
  std::vector<std::string> path;
  uint32_t column = 0;  // from 1, in bytes
};

class Program;  // the compiled form

class Expression {
 public:
  // Errors name the column: "Expected … at column 7 but found …".
  static Result<Expression> Compile(std::string_view text);

  // An undefined name is null where null is asked about (`is null`, `== null` with a literal null,
  // `is empty`, `??`) and false for `has`, `not` and in `or`/`and`/ternary conditions; elsewhere,
  // and as the whole expression, it is an error with its column.
  Result<Value> Evaluate(const Environment& environment) const;
  // For conditions: null, false, 0, "" and the empty list or object are false.
  Result<bool> EvaluateBool(const Environment& environment) const;

  const std::string& text() const;
  std::span<const Reference> references() const;

 private:
  explicit Expression(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

// A secret that belongs into a rendered value: recorded by name and place, never by its text.
struct SecretUse {
  std::string pointer;  // RFC 6901, the string that wants it; "" is the root
  uint32_t offset = 0;  // byte offset in that string, before any secret is put in
  std::string name;     // of `secrets.<name>`
  bool operator==(const SecretUse&) const = default;
};

struct Rendered {
  Value value;
  // By pointer, then the last in the string first: insert in this order.
  std::vector<SecretUse> secrets;
};

// A JSON value whose strings may hold `{{ … }}` and `${ … }`. A string that is one template keeps
// the type of its value; others are concatenated (strings as they are, the rest as JSON; null and
// undefined are errors that name the column and the string, " in /body/url"). `secrets.<name>` may
// stand only as a template of its own. `$${` and `\{{` stand for `${` and `{{`. A `${…}` that does
// not parse is literal text (it is the shell's); a `{{` that does not is an error. Keys are no
// templates.
class Template {
 public:
  // The empty object.
  Template();
  static Result<Template> Compile(const Value& value);

  // False when rendering would give `source()` as it is. An escape (`$${`) makes it dynamic too.
  bool is_dynamic() const;
  // The value as it was written, escapes and all: compiling it again gives the same template.
  const Value& source() const;
  Result<Rendered> Render(const Environment& environment) const;
  std::span<const Reference> references() const;

 private:
  struct Node;
  explicit Template(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

}  // namespace stele::expression
