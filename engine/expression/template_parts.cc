#include "engine/expression/template_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/expression/lexer.h"
#include "engine/expression/limits.h"
#include "engine/expression/parser.h"

namespace stele::expression {
namespace {

class Splitter {
 public:
  explicit Splitter(std::string_view text)
      : text_(text), patience_(kMaxExpressionBytes * 4 + text.size() * 16) {}

  Result<TemplateString> Run() {
    size_t literal = 0;  // where the literal text that is not yet taken over begins
    while (at_ < text_.size()) {
      const size_t mark = text_.find_first_of("{$\\", at_);
      if (mark == std::string_view::npos) break;
      at_ = mark;
      const std::string_view rest = text_.substr(mark);
      if (rest.starts_with("\\{{") || rest.starts_with("$${")) {
        AddText(text_.substr(literal, mark - literal));
        escaped_ = true;
        literal = mark + 1;  // all but the first byte stays
        at_ = mark + 3;
      } else if (rest.starts_with("{{") || rest.starts_with("${")) {
        const std::string_view before = text_.substr(literal, mark - literal);
        Result<bool> taken =
            Expression(before, rest[0] == '{' ? Ending::kDoubleBrace : Ending::kBrace);
        if (!taken) return std::unexpected(std::move(taken).error());
        if (*taken) literal = at_;
      } else {
        ++at_;
      }
    }
    if (parts_.empty() && !escaped_) return TemplateString{};
    AddText(text_.substr(literal));
    return TemplateString{std::move(parts_)};
  }

 private:
  // Takes the template at `at_`, and the literal text before it. False when it is none: a `${…}`
  // that does not compile belongs to whatever language the text is written in.
  Result<bool> Expression(std::string_view before, Ending ending) {
    size_t looked_at = 0;
    Result<Parsed> parsed = Parse(text_, at_ + 2, ending, &looked_at);
    if (!parsed) {
      if (ending == Ending::kDoubleBrace) {
        parsed.error().message += R"( (a literal `{{` is written `\{{`))";
        return std::unexpected(std::move(parsed).error());
      }
      if (parsed.error().code != ErrorCode::kExpressionSyntax)
        return std::unexpected(std::move(parsed).error());
      return Skip(looked_at);
    }
    if (parts_.size() + 2 > kMaxTemplateParts)
      return Fail(
          ErrorCode::kExpressionLimit,
          FaultText(fmt::format("at most {} parts of a template", kMaxTemplateParts), at_, "more"));
    AddText(before);
    TemplatePart part;
    if (IsSecret(*parsed->program)) {
      part.secret = parsed->program->references[0].path[1];
    } else {
      STELE_RETURN_IF_ERROR(CheckNoSecrets(*parsed->program));
      part.program = std::move(parsed->program);
    }
    parts_.push_back(std::move(part));
    at_ = parsed->end;
    return true;
  }

  // Attempts that come to nothing may read the same bytes again and again; this bounds them.
  Result<bool> Skip(size_t looked_at) {
    const size_t cost = looked_at - at_;
    if (cost > patience_)
      return Fail(ErrorCode::kExpressionLimit,
                  FaultText("fewer `${` that begin no template (`$${` is a literal `${`)", at_,
                            "one too many"));
    patience_ -= cost;
    at_ += 2;
    return false;
  }

  static bool IsSecret(const Program& program) {
    return program.nodes[program.root].op == Op::kReference &&
           program.references[0].path[0] == kSecrets && program.references[0].path.size() == 2 &&
           !program.references[0].path[1].empty();
  }

  void AddText(std::string_view text) {
    if (text.empty()) return;
    if (!parts_.empty() && !parts_.back().program && parts_.back().secret.empty()) {
      parts_.back().text += text;
    } else {
      parts_.push_back({std::string(text), nullptr, {}});
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t patience_;
  bool escaped_ = false;
  std::vector<TemplatePart> parts_;
};

}  // namespace

Result<TemplateString> SplitTemplate(std::string_view text) {
  return Splitter(text).Run();
}

}  // namespace stele::expression
