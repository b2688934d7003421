#include "engine/expression/arithmetic.h"

#include "tests/engine/expression/environment.h"

namespace stele::expression {
namespace {

TEST(Arithmetic, KeepsIntegersExactAndDividesWithoutLoss) {
  const Case cases[] = {
      {"6 / 3", "2"},
      {"7 / 2", "3.5"},
      {"-7 / 2", "-3.5"},
      {"7 % 3", "1"},
      {"-7 % 3", "-1"},
      {"7.5 % 2", "1.5"},
      {"1 + 0.5", "1.5"},
      {"2 * 1.0", "2.0"},
      {"9223372036854775807 - 1", "9223372036854775806"},
      {"-9223372036854775808 % -1", "0"},
      {"- -3", "3"},
      {"-(1.5)", "-1.5"},
  };
  ExpectAll(cases);
}

TEST(Arithmetic, RefusesOverflowAndDivisionByZero) {
  const std::string overflow = "Expected a result within 64 bits at column ";
  for (const std::string_view text :
       {"9223372036854775807 + 1", "-9223372036854775808 - 1", "9223372036854775807 * 2",
        "-9223372036854775808 / -1", "-(-9223372036854775808)", "1e308 * 10", "1e308 + 1e308",
        "-1e308 - 1e308", "1 / 1e-320 / 1e-320"})
    EXPECT_THAT(Evaluated(text), testing::HasSubstr(overflow)) << text;
  for (const std::string_view text : {"1 / 0", "1 % 0", "1.0 / 0", "1 / 0.0", "1 % 0.0", "0 / 0"})
    EXPECT_EQ(Evaluated(text).substr(0, 54),
              "STL0202: Expected a divisor other than zero at column ")
        << text;
  EXPECT_EQ(Evaluated("2 + 1 / 0"),
            "STL0202: Expected a divisor other than zero at column 7 but found none for this "
            "operation");
}

}  // namespace
}  // namespace stele::expression
