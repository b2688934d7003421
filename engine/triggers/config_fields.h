// The keys of one trigger: taken one by one by whichever name they have, from beside `type` or from
// `config`; what nobody takes is a fault.
#pragma once

#include <initializer_list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "engine/expression/expression.h"
#include "engine/triggers/trigger_config.h"

namespace stele::triggers {

class ConfigFields {
 public:
  using Names = std::initializer_list<std::string_view>;
  using Roots = std::vector<std::string>;

  // REQUIRES: `trigger` is an object; both arguments outlive this.
  ConfigFields(const Value& trigger, std::string pointer, std::vector<TriggerFault>& faults);

  struct Field {
    const Value* value;
    std::string pointer;
    std::string_view name;
  };
  enum class Place : uint8_t { kEither, kBeside, kConfig };
  // The first of the names that is there and not null.
  std::optional<Field> Take(Names names, Place place = Place::kEither);

  // Each adds a fault for another kind of value, and returns nothing then.
  std::optional<std::string> Text(Names names, Place place = Place::kEither);
  std::optional<bool> Bool(Names names);
  // `pointer`, when given, receives the place of what was there.
  std::optional<int64_t> Duration(Names names, std::string* pointer = nullptr);
  // A text, or a list of texts.
  std::vector<std::string> Words(Names names, std::string* pointer = nullptr);
  // An object of templates over `roots`; empty roots: anything may be named.
  std::optional<expression::Template> Input(Names names, const Roots& roots);
  // A text, a list of them, or a list of {expression: text}.
  void Expressions(Names names, const Roots& roots, std::vector<expression::Expression>& into);
  void Compile(const std::string& text, const std::string& pointer, const Roots& roots,
               std::vector<expression::Expression>& into);

  void Add(ErrorCode code, std::string pointer, std::string message);
  void AddExpected(const Field& field, std::string_view what);
  const std::string& pointer() const { return pointer_; }
  size_t fault_count() const { return faults_.size(); }
  // Keys that nobody has taken.
  void Finish();

 private:
  void FinishIn(const Value& place, std::string_view prefix, const std::set<std::string>& known);
  void CheckRoots(std::span<const expression::Reference> references, const std::string& pointer,
                  const Roots& roots);

  const Value& trigger_;
  const Value* config_ = nullptr;
  std::string pointer_;
  std::vector<TriggerFault>& faults_;
  std::set<std::string> known_beside_;
  std::set<std::string> known_in_config_;
};

// "\"x\"", "a mapping", "a list", "3"
std::string DescribeValue(const Value& value);

}  // namespace stele::triggers
