#include "engine/expression/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "engine/expression/builder.h"
#include "engine/expression/lexer.h"
#include "engine/expression/limits.h"

#define STELE_ASSIGN_OR_RETURN_IMPL(result, target, expression)   \
  auto result = (expression);                                     \
  if (!result) return std::unexpected(std::move(result).error()); \
  target = *std::move(result)
#define STELE_CONCAT_INNER(a, b) a##b
#define STELE_CONCAT(a, b) STELE_CONCAT_INNER(a, b)
#define STELE_ASSIGN_OR_RETURN(target, expression) \
  STELE_ASSIGN_OR_RETURN_IMPL(STELE_CONCAT(result_, __LINE__), target, expression)

namespace stele::expression {
namespace {

using NodeResult = Result<uint32_t>;

// How tightly an operator binds; a tighter one has the greater number.
enum Precedence : uint8_t {
  kOrLevel = 1,
  kAndLevel,
  kNotLevel,
  kComparisonLevel,  // does not chain: `a < b < c` is refused
  kCoalesceLevel,    // to the right
  kAdditiveLevel,
  kMultiplicativeLevel,
};

struct InfixOperator {
  std::string_view text;
  Op op;
  Precedence precedence;
  bool negated = false;  // the result is turned round
};

constexpr std::array kInfixOperators = {
    InfixOperator{"or", Op::kOr, kOrLevel},
    InfixOperator{"||", Op::kOr, kOrLevel},
    InfixOperator{"and", Op::kAnd, kAndLevel},
    InfixOperator{"&&", Op::kAnd, kAndLevel},
    InfixOperator{"==", Op::kEqual, kComparisonLevel},
    InfixOperator{"!=", Op::kEqual, kComparisonLevel, true},
    InfixOperator{"<", Op::kLess, kComparisonLevel},
    InfixOperator{"<=", Op::kLessEqual, kComparisonLevel},
    InfixOperator{">", Op::kGreater, kComparisonLevel},
    InfixOperator{">=", Op::kGreaterEqual, kComparisonLevel},
    InfixOperator{"in", Op::kIn, kComparisonLevel},
    InfixOperator{"contains", Op::kContains, kComparisonLevel},
    InfixOperator{"startsWith", Op::kStartsWith, kComparisonLevel},
    InfixOperator{"endsWith", Op::kEndsWith, kComparisonLevel},
    InfixOperator{"matches", Op::kMatches, kComparisonLevel},
    InfixOperator{"is", Op::kIsNull, kComparisonLevel},
    InfixOperator{"??", Op::kCoalesce, kCoalesceLevel},
    InfixOperator{"+", Op::kAdd, kAdditiveLevel},
    InfixOperator{"-", Op::kSubtract, kAdditiveLevel},
    InfixOperator{"*", Op::kMultiply, kMultiplicativeLevel},
    InfixOperator{"/", Op::kDivide, kMultiplicativeLevel},
    InfixOperator{"%", Op::kModulo, kMultiplicativeLevel},
};

struct Function {
  std::string_view name;
  Op op;
  uint32_t arguments;  // the receiver of a method is the first
};

constexpr std::array kFunctions = {
    Function{"size", Op::kSize, 1},         Function{"length", Op::kSize, 1},
    Function{"lower", Op::kLower, 1},       Function{"upper", Op::kUpper, 1},
    Function{"trim", Op::kTrim, 1},         Function{"has", Op::kHas, 1},
    Function{"contains", Op::kContains, 2}, Function{"startsWith", Op::kStartsWith, 2},
    Function{"endsWith", Op::kEndsWith, 2}, Function{"matches", Op::kMatches, 2},
};

// Words that are operators or literals wherever a value may begin.
constexpr std::array<std::string_view, 4> kReservedWords = {"and", "or", "not", "in"};

class Parser {
 public:
  Parser(std::string_view text, size_t begin, size_t limit)
      : text_(text), lexer_(text, begin, limit) {
    Take();
  }

  Result<Parsed> Run(size_t begin, Ending ending) {
    STELE_ASSIGN_OR_RETURN(const uint32_t root, ParseTernary());
    const size_t end = token_.begin;
    switch (ending) {
      case Ending::kEndOfText:
        if (token_.kind != TokenKind::kEnd) return Unexpected("an operator or the end");
        break;
      case Ending::kDoubleBrace:
        STELE_RETURN_IF_ERROR(ExpectDoubleBrace());
        break;
      case Ending::kBrace:
        if (!Is("}")) return Unexpected("an operator or `}`");
        break;
    }
    const size_t behind = ending == Ending::kEndOfText     ? end
                          : ending == Ending::kDoubleBrace ? end + 2
                                                           : end + 1;
    return Parsed{builder_.Finish(root, text_.substr(begin, end - begin)), behind};
  }

  size_t looked_at() const { return token_.end; }

 private:
  // Counts what is nested in what, so that no text can exhaust the stack.
  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) { ++parser_.nesting_; }
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    Status Check() const {
      if (parser_.nesting_ <= kMaxNesting) return {};
      return Fail(ErrorCode::kExpressionLimit,
                  FaultText(fmt::format("at most {} levels of nesting", kMaxNesting),
                            parser_.token_.begin, "more"));
    }

   private:
    Parser& parser_;
  };

  Token Take() { return std::exchange(token_, lexer_.Next()); }
  bool IsSymbolOrWord() const {
    return token_.kind == TokenKind::kSymbol || token_.kind == TokenKind::kName;
  }
  bool Is(std::string_view text) const { return IsSymbolOrWord() && lexer_.TextOf(token_) == text; }
  bool TakeIf(std::string_view text) {
    if (!Is(text)) return false;
    Take();
    return true;
  }
  uint32_t Column() const { return token_.begin + 1; }

  std::unexpected<Error> Unexpected(std::string_view expected) const {
    if (token_.kind == TokenKind::kFault) return std::unexpected(lexer_.fault());
    return Fail(ErrorCode::kExpressionSyntax,
                FaultText(expected, token_.begin, lexer_.Describe(token_)));
  }

  Status Expect(std::string_view symbol, std::string_view expected) {
    if (!TakeIf(symbol)) return Unexpected(expected);
    return {};
  }

  // The second brace is not taken: what follows it may be no token of an expression.
  Status ExpectDoubleBrace() {
    if (!Is("}") || lexer_.CharAt(token_.end) != '}') return Unexpected("an operator or `}}`");
    return {};
  }

  NodeResult ParseTernary() {
    const Nesting nesting(*this);
    STELE_RETURN_IF_ERROR(nesting.Check());
    STELE_ASSIGN_OR_RETURN(const uint32_t condition, ParseBinary(kOrLevel));
    const uint32_t column = Column();
    if (!TakeIf("?")) return condition;
    STELE_ASSIGN_OR_RETURN(const uint32_t yes, ParseTernary());
    STELE_RETURN_IF_ERROR(Expect(":", "`:` and the other value"));
    STELE_ASSIGN_OR_RETURN(const uint32_t no, ParseTernary());
    return builder_.Ternary(column, condition, yes, no);
  }

  // The infix operator at this token; `not in` and its like take the `not`.
  const InfixOperator* PeekInfix(bool& negated) {
    negated = false;
    std::string_view text = IsSymbolOrWord() ? lexer_.TextOf(token_) : std::string_view();
    if (text == "not") {
      Lexer ahead = lexer_;
      const Token next = ahead.Next();
      const std::string_view word = ahead.TextOf(next);
      if (next.kind != TokenKind::kName || word == "and" || word == "or" || word == "is")
        return nullptr;
      text = word;
      negated = true;
    }
    for (const InfixOperator& infix : kInfixOperators)
      if (infix.text == text) return &infix;
    return nullptr;
  }

  // Precedence climbing: operators that bind at least as tightly as `least`.
  NodeResult ParseBinary(uint8_t least) {
    const bool negation = least <= kNotLevel && Is("not");
    STELE_ASSIGN_OR_RETURN(uint32_t left, negation ? ParseNot() : ParseUnary());
    bool compared = false;
    bool negated = false;
    while (const InfixOperator* infix = PeekInfix(negated)) {
      if (infix->precedence < least || (negation && infix->precedence > kNotLevel)) break;
      if (infix->precedence == kComparisonLevel && std::exchange(compared, true))
        return Unexpected("`and`, `or` or parentheses between comparisons");
      const uint32_t column = Column();
      if (negated) Take();
      STELE_ASSIGN_OR_RETURN(left, ParseInfix(*infix, negated != infix->negated, column, left));
    }
    return left;
  }

  NodeResult ParseNot() {
    const Nesting nesting(*this);
    STELE_RETURN_IF_ERROR(nesting.Check());
    const uint32_t column = Column();
    Take();
    STELE_ASSIGN_OR_RETURN(const uint32_t operand, ParseBinary(kNotLevel));
    return builder_.Unary(Op::kNot, column, operand);
  }

  // REQUIRES: the operator is the current token.
  NodeResult ParseInfix(const InfixOperator& infix, bool negated, uint32_t column, uint32_t left) {
    if (infix.op == Op::kAnd || infix.op == Op::kOr) return ParseConditions(infix, column, left);
    const Nesting nesting(*this);  // a chain of `??` nests to the right
    STELE_RETURN_IF_ERROR(nesting.Check());
    Take();
    uint32_t node = left;
    if (infix.text == "is") {
      STELE_ASSIGN_OR_RETURN(node, ParseIs(column, left));
    } else {
      const bool rightwards = infix.precedence == kCoalesceLevel;
      STELE_ASSIGN_OR_RETURN(
          const uint32_t right,
          ParseBinary(static_cast<uint8_t>(infix.precedence + (rightwards ? 0 : 1))));
      STELE_ASSIGN_OR_RETURN(node, builder_.Binary(infix.op, column, left, right));
    }
    if (!negated) return node;
    return builder_.Unary(Op::kNot, column, node);
  }

  // A chain of one of `and` and `or` is one node, so that a long one is not deep.
  NodeResult ParseConditions(const InfixOperator& infix, uint32_t column, uint32_t left) {
    std::vector<uint32_t> items = {left};
    bool negated = false;
    const InfixOperator* next = &infix;
    while (next != nullptr && next->op == infix.op) {
      Take();
      STELE_ASSIGN_OR_RETURN(const uint32_t item,
                             ParseBinary(static_cast<uint8_t>(infix.precedence + 1)));
      items.push_back(item);
      next = PeekInfix(negated);
    }
    return builder_.Sequence(infix.op, column, items);
  }

  NodeResult ParseIs(uint32_t column, uint32_t operand) {
    const bool negated = TakeIf("not");
    const Op op = Is("empty") ? Op::kIsEmpty : Op::kIsNull;
    if (!Is("empty") && !Is("null"))
      return Unexpected(negated ? "`null` or `empty`" : "`null`, `empty` or `not`");
    Take();
    STELE_ASSIGN_OR_RETURN(const uint32_t node, builder_.Unary(op, column, operand));
    if (!negated) return node;
    return builder_.Unary(Op::kNot, column, node);
  }

  NodeResult ParseUnary() {
    const uint32_t column = Column();
    if (TakeIf("-")) {
      if (token_.kind == TokenKind::kInt && token_.integer == uint64_t{1} << 63) {
        Take();
        return builder_.Constant(column, Value(INT64_MIN));
      }
      STELE_ASSIGN_OR_RETURN(const uint32_t operand, ParseNestedUnary());
      return builder_.Unary(Op::kNegate, column, operand);
    }
    if (TakeIf("!")) {
      STELE_ASSIGN_OR_RETURN(const uint32_t operand, ParseNestedUnary());
      return builder_.Unary(Op::kNot, column, operand);
    }
    return ParsePostfix();
  }

  NodeResult ParseNestedUnary() {
    const Nesting nesting(*this);
    STELE_RETURN_IF_ERROR(nesting.Check());
    return ParseUnary();
  }

  NodeResult ParsePostfix() {
    STELE_ASSIGN_OR_RETURN(uint32_t node, ParsePrimary());
    for (;;) {
      const uint32_t column = Column();
      if (TakeIf(".")) {
        if (token_.kind != TokenKind::kName) return Unexpected("a name behind `.`");
        const Token name = Take();
        if (Is("(")) {
          STELE_ASSIGN_OR_RETURN(node, ParseCall(name, node));
        } else {
          STELE_ASSIGN_OR_RETURN(
              node, builder_.Member(name.begin + 1, node, std::string(lexer_.TextOf(name))));
        }
      } else if (TakeIf("[")) {
        STELE_ASSIGN_OR_RETURN(const uint32_t index, ParseTernary());
        STELE_RETURN_IF_ERROR(Expect("]", "an operator or `]`"));
        STELE_ASSIGN_OR_RETURN(node, builder_.Index(column, node, index));
      } else {
        return node;
      }
    }
  }

  NodeResult ParsePrimary() {
    const uint32_t column = Column();
    switch (token_.kind) {
      case TokenKind::kInt:
        if (token_.integer > INT64_MAX)
          return Fail(
              ErrorCode::kExpressionSyntax,
              FaultText("an integer within 64 bits", token_.begin, lexer_.Describe(token_)));
        return builder_.Constant(column, Value(static_cast<int64_t>(Take().integer)));
      case TokenKind::kDouble:
        return builder_.Constant(column, Value(Take().number));
      case TokenKind::kString: {
        STELE_ASSIGN_OR_RETURN(std::string text, lexer_.StringOf(token_));
        Take();
        return builder_.Constant(column, Value(std::move(text)));
      }
      case TokenKind::kName:
        return ParseName();
      case TokenKind::kSymbol:
        return ParseBracketed();
      case TokenKind::kEnd:
      case TokenKind::kFault:
        break;
    }
    return Unexpected("a value");
  }

  NodeResult ParseName() {
    const uint32_t column = Column();
    const std::string_view text = lexer_.TextOf(token_);
    if (std::ranges::find(kReservedWords, text) != kReservedWords.end())
      return Unexpected("a value");
    const Token name = Take();
    if (text == "true" || text == "false") return builder_.Constant(column, Value(text == "true"));
    if (text == "null") return builder_.Constant(column, Value());
    if (Is("(")) return ParseCall(name, std::nullopt);
    return builder_.Name(column, std::string(text));
  }

  // REQUIRES: the current token is `(`.
  NodeResult ParseCall(const Token& name, std::optional<uint32_t> receiver) {
    const std::string_view text = lexer_.TextOf(name);
    const auto* function = std::ranges::find(kFunctions, text, &Function::name);
    if (function == kFunctions.end()) {
      token_ = name;
      return Unexpected(
          "a function (size, length, lower, upper, trim, has, contains, startsWith, endsWith, "
          "matches)");
    }
    const Token open = Take();
    std::vector<uint32_t> arguments;
    if (receiver) arguments.push_back(*receiver);
    STELE_RETURN_IF_ERROR(ParseItems(")", "`,` or `)`", arguments));
    if (arguments.size() != function->arguments)
      return Fail(ErrorCode::kExpressionSyntax,
                  FaultText(fmt::format("{} value(s) for {}",
                                        function->arguments - (receiver ? 1 : 0), text),
                            open.begin, fmt::format("{}", arguments.size() - (receiver ? 1 : 0))));
    if (function->arguments == 1) return builder_.Unary(function->op, name.begin + 1, arguments[0]);
    return builder_.Binary(function->op, name.begin + 1, arguments[0], arguments[1]);
  }

  // Expressions up to `close`, which is taken.
  Status ParseItems(std::string_view close, std::string_view expected,
                    std::vector<uint32_t>& items) {
    if (TakeIf(close)) return {};
    do {
      STELE_ASSIGN_OR_RETURN(const uint32_t item, ParseTernary());
      items.push_back(item);
    } while (TakeIf(","));
    return Expect(close, expected);
  }

  NodeResult ParseBracketed() {
    const uint32_t column = Column();
    if (TakeIf("(")) {
      STELE_ASSIGN_OR_RETURN(const uint32_t node, ParseTernary());
      STELE_RETURN_IF_ERROR(Expect(")", "an operator or `)`"));
      return node;
    }
    if (TakeIf("${")) {
      STELE_ASSIGN_OR_RETURN(const uint32_t node, ParseTernary());
      STELE_RETURN_IF_ERROR(Expect("}", "an operator or `}`"));
      return node;
    }
    if (TakeIf("[")) {
      std::vector<uint32_t> items;
      STELE_RETURN_IF_ERROR(ParseItems("]", "`,` or `]`", items));
      return builder_.Sequence(Op::kList, column, items);
    }
    if (!Is("{")) return Unexpected("a value");
    // A key never begins with a brace, so two together are a template's.
    if (lexer_.CharAt(token_.end) != '{') return ParseObject();
    Take();
    Take();
    STELE_ASSIGN_OR_RETURN(const uint32_t node, ParseTernary());
    STELE_RETURN_IF_ERROR(ExpectDoubleBrace());
    Take();
    Take();
    return node;
  }

  // REQUIRES: the current token is `{`.
  NodeResult ParseObject() {
    const uint32_t column = Column();
    Take();
    std::vector<std::string> keys;
    std::vector<uint32_t> items;
    if (TakeIf("}")) return builder_.Object(column, {}, {});
    do {
      if (token_.kind == TokenKind::kString) {
        STELE_ASSIGN_OR_RETURN(std::string key, lexer_.StringOf(token_));
        keys.push_back(std::move(key));
      } else if (token_.kind == TokenKind::kName) {
        keys.emplace_back(lexer_.TextOf(token_));
      } else {
        return Unexpected("a key (a name or a string)");
      }
      Take();
      STELE_RETURN_IF_ERROR(Expect(":", "`:` behind the key"));
      STELE_ASSIGN_OR_RETURN(const uint32_t item, ParseTernary());
      items.push_back(item);
    } while (TakeIf(","));
    STELE_RETURN_IF_ERROR(Expect("}", "`,` or `}`"));
    return builder_.Object(column, std::move(keys), items);
  }

  std::string_view text_;
  Lexer lexer_;
  Token token_;
  Builder builder_;
  uint32_t nesting_ = 0;
};

}  // namespace

Result<Parsed> Parse(std::string_view text, size_t begin, Ending ending, size_t* looked_at) {
  const size_t limit = std::min(text.size(), begin + kMaxExpressionBytes);
  if (looked_at != nullptr) *looked_at = begin;
  if (ending == Ending::kEndOfText && limit < text.size())
    return Fail(ErrorCode::kExpressionLimit,
                fmt::format("Expected an expression of at most {} bytes but found {}",
                            kMaxExpressionBytes, text.size() - begin));
  Parser parser(text, begin, limit);
  Result<Parsed> parsed = parser.Run(begin, ending);
  if (looked_at != nullptr) *looked_at = parsed ? parsed->end : parser.looked_at();
  return parsed;
}

Status CheckNoSecrets(const Program& program) {
  for (const Reference& reference : program.references)
    if (reference.path[0] == kSecrets)
      return Fail(
          ErrorCode::kExpressionSyntax,
          FaultText("a secret to stand alone as `{{ secrets.name }}` in a template",
                    reference.column - 1, "`" + JoinPath(reference) + "` in an expression"));
  return {};
}

}  // namespace stele::expression
