#include "projections/views/row_variables.h"

#include "base/json.h"
#include "projections/limits.h"

namespace stele::projections {

namespace {

class Collector {
 public:
  void AddVariable(const model::NamedPayload& variable) {
    is_input_ = false;
    if (const std::optional<Value> value = Look(variable.value)) Add(variable.name, *value, 1);
  }

  void AddInput(const Payload& input) {
    is_input_ = true;
    const std::optional<Value> value = Look(input);
    if (!value.has_value() || !value->is_object()) return;
    for (const Member& member : value->as_object()) Add(member.key, member.value, 1);
  }

  std::vector<RowVariable> Take() { return std::move(variables_); }

 private:
  // Nothing: it is large. Parsed anew, so that the instance in memory does not grow.
  static std::optional<Value> Look(const Payload& payload) {
    const std::string_view text = payload.text();
    if (text.empty() || text.front() == '[' || text.size() > kMaxRowObjectBytes)
      return std::nullopt;
    Result<Value> value = ParseJson(text, nullptr, kWrittenJson);
    return value.has_value() ? std::optional(*std::move(value)) : std::nullopt;
  }

  void Add(const std::string& name, const Value& value, int levels) {
    if (variables_.size() == kMaxRowVariables || name.contains('\0')) return;
    switch (value.kind()) {
      case Value::Kind::kString:
        return AddText(name, value.as_string(), /*is_json=*/false);
      case Value::Kind::kBool:
      case Value::Kind::kInt:
      case Value::Kind::kDouble:
        return AddText(name, ToJson(value), /*is_json=*/true);
      case Value::Kind::kObject:
        if (levels == 0) return;
        for (const Member& member : value.as_object())
          Add(name + "." + member.key, member.value, levels - 1);
        return;
      case Value::Kind::kNull:
      case Value::Kind::kArray:
        return;
    }
  }

  void AddText(const std::string& name, std::string value, bool is_json) {
    if (name.size() > kMaxRowVariableBytes || value.size() > kMaxRowVariableBytes) return;
    variables_.push_back({name, std::move(value), is_input_, is_json});
  }

  bool is_input_ = false;
  std::vector<RowVariable> variables_;
};

}  // namespace

std::vector<RowVariable> RowVariablesOf(const model::Instance& instance) {
  Collector collector;
  if (!instance.scopes.empty())
    for (const model::NamedPayload& variable : instance.scopes[0].variables)
      collector.AddVariable(variable);
  collector.AddInput(instance.input);
  return collector.Take();
}

}  // namespace stele::projections
