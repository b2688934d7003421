// Evaluates a Program on references into the environment's values; copies only what it makes.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/value.h"
#include "engine/expression/program.h"

namespace stele::expression {

// A value that is borrowed from the environment or the program, one that was made, or none.
class Operand {
 public:
  void Borrow(const Value& value) {
    state_ = State::kBorrowed;
    borrowed_ = &value;
  }
  void Own(Value value) {
    state_ = State::kOwned;
    owned_ = std::move(value);
  }
  // `node`: who found nothing, for the error of whoever needs a value.
  void SetUndefined(uint32_t node) {
    state_ = State::kUndefined;
    node_ = node;
  }

  bool undefined() const { return state_ == State::kUndefined; }
  bool owned() const { return state_ == State::kOwned; }
  uint32_t node() const { return node_; }
  // REQUIRES: defined.
  const Value& value() const { return owned() ? owned_ : *borrowed_; }
  // REQUIRES: owned.
  Value& mutable_value() { return owned_; }
  // A copy when it is borrowed. REQUIRES: defined.
  Value Take() {
    if (owned()) return std::move(owned_);
    return *borrowed_;
  }

 private:
  enum class State : uint8_t { kUndefined, kBorrowed, kOwned };
  State state_ = State::kUndefined;
  uint32_t node_ = 0;
  const Value* borrowed_ = nullptr;
  Value owned_;
};

// What a value weighs: bytes of strings plus a flat price for each value; and how deep it is.
struct Weight {
  size_t bytes = 0;
  size_t depth = 0;
};
Weight Weigh(const Value& value);

// null, false, 0, "" and the empty list or object are false.
bool IsTruthy(const Value& value);

// One evaluation. The program and the environment must outlive it and its operands.
class Evaluator {
 public:
  Evaluator(const Program& program, const Environment& environment);

  // The root's value, never undefined. False: error().
  bool Run(Operand& out);
  Error TakeError() { return std::move(*error_); }

 private:
  bool Eval(uint32_t index, Operand& out);
  bool EvalDefined(uint32_t index, Operand& out);
  bool EvalCondition(uint32_t index, bool& out);

  bool Reference(uint32_t index, Operand& out);
  void Walk(std::span<const std::string> path, uint32_t index, Operand& out);
  bool Index(uint32_t index, Operand& out);
  bool List(const Node& node, Operand& out);
  bool MakeObject(const Node& node, Operand& out);
  bool Conditions(const Node& node, Operand& out);
  bool Ternary(const Node& node, Operand& out);
  bool Coalesce(const Node& node, Operand& out);
  bool Binary(const Node& node, Operand& out);
  bool Compare(const Node& node, const Operand& a, const Operand& b, Operand& out);
  bool Add(const Node& node, Operand& a, const Operand& b, Operand& out);
  bool Calculate(const Node& node, const Value& a, const Value& b, Operand& out);
  bool IsIn(const Value& item, uint32_t item_node, const Value& holder, uint32_t holder_node,
            Operand& out);
  bool Affix(const Node& node, const Value& a, const Value& b, Operand& out);
  bool Matches(const Node& node, const Value& a, const Value& b, Operand& out);
  bool Unary(const Node& node, Operand& out);
  bool Size(const Node& node, const Value& value, Operand& out);
  bool Text(const Node& node, const Value& value, Operand& out);
  bool Ask(const Node& node, Operand& out);

  bool Charge(const Node& node, size_t bytes);
  bool ExpectKind(bool fits, std::string_view expected, uint32_t index, const Value& found);
  bool FailAt(ErrorCode code, uint32_t column, std::string_view expected, std::string_view found);
  bool FailUndefined(uint32_t index);

  const Program& program_;
  const Environment& environment_;
  size_t budget_;
  std::optional<Error> error_;
};

}  // namespace stele::expression
