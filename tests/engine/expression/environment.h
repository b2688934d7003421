// An environment for tests: the members of one JSON object.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/json.h"
#include "engine/expression/expression.h"

namespace stele::expression {

class TestEnvironment final : public Environment {
 public:
  explicit TestEnvironment(std::string_view json) : root_(ParseJson(json).value()) {}

  Found Lookup(std::span<const std::string> path) const override {
    const Value* value = root_.Find(path[0]);
    return {value, value == nullptr ? size_t{0} : size_t{1}};
  }

 private:
  Value root_;
};

// The result as JSON, or the error as text.
inline std::string Evaluated(std::string_view text, const Environment& environment) {
  const Result<Expression> expression = Expression::Compile(text);
  if (!expression) return expression.error().ToString();
  const Result<Value> value = expression->Evaluate(environment);
  return value ? ToJson(*value) : value.error().ToString();
}

inline std::string Evaluated(std::string_view text) {
  return Evaluated(text, TestEnvironment("{}"));
}

// How compiling fails; "" when it does not.
inline std::string CompileFault(std::string_view text) {
  const Result<Expression> expression = Expression::Compile(text);
  return expression ? "" : expression.error().ToString();
}

struct Case {
  std::string_view text;
  std::string_view expected;
};

template <size_t n>
void ExpectAll(const Case (&cases)[n], const Environment& environment) {
  for (const Case& each : cases)
    EXPECT_EQ(Evaluated(each.text, environment), each.expected) << each.text;
}

template <size_t n>
void ExpectAll(const Case (&cases)[n]) {
  ExpectAll(cases, TestEnvironment("{}"));
}

}  // namespace stele::expression
