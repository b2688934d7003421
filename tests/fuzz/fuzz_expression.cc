// Any bytes as an expression and as a template: a result or an error, soon, and never a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "engine/expression/expression.h"

namespace stele::expression {
namespace {

class FixedEnvironment final : public Environment {
 public:
  Found Lookup(std::span<const std::string> path) const override {
    const Value* value = root_.Find(path[0]);
    return {value, value == nullptr ? size_t{0} : size_t{1}};
  }

 private:
  Value root_ = ParseJson(R"({"a": 1, "b": -2.5, "s": "text", "n": null, "t": true,
                              "l": [1, "x", [2], {"k": 3}], "o": {"k": {"l": ["m"]}},
                              "input": {"score": 60, "data": ["y"]}, "loop": {"index": 0}})")
                    .value();
};

void Try(std::string_view text) {
  static const FixedEnvironment environment;
  if (const auto expression = Expression::Compile(text)) {
    const auto value = expression->Evaluate(environment);
    const auto condition = expression->EvaluateBool(environment);
    CHECK(value.has_value() == condition.has_value());
    if (value) ToJson(*value);
  }
  if (const auto compiled = Template::Compile(Value(text))) {
    const auto rendered = compiled->Render(environment);
    if (!compiled->is_dynamic()) CHECK(rendered->value == Value(text));
    if (rendered) ToJson(rendered->value);
  }
}

}  // namespace
}  // namespace stele::expression

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  stele::expression::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
