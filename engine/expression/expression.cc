#include "engine/expression/expression.h"

#include "engine/expression/evaluator.h"
#include "engine/expression/parser.h"
#include "engine/expression/program.h"

namespace stele::expression {

Result<Expression> Expression::Compile(std::string_view text) {
  Result<Parsed> parsed = Parse(text, 0, Ending::kEndOfText);
  if (!parsed) return std::unexpected(std::move(parsed).error());
  STELE_RETURN_IF_ERROR(CheckNoSecrets(*parsed->program));
  return Expression(std::move(parsed->program));
}

Result<Value> Expression::Evaluate(const Environment& environment) const {
  Evaluator evaluator(*program_, environment);
  Operand operand;
  if (!evaluator.Run(operand)) return std::unexpected(evaluator.TakeError());
  return operand.Take();
}

Result<bool> Expression::EvaluateBool(const Environment& environment) const {
  Evaluator evaluator(*program_, environment);
  Operand operand;
  if (!evaluator.Run(operand)) return std::unexpected(evaluator.TakeError());
  return IsTruthy(operand.value());
}

const std::string& Expression::text() const {
  return program_->text;
}

std::span<const Reference> Expression::references() const {
  return program_->references;
}

}  // namespace stele::expression
