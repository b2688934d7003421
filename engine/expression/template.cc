#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/json_pointer.h"
#include "engine/expression/evaluator.h"
#include "engine/expression/expression.h"
#include "engine/expression/lexer.h"
#include "engine/expression/limits.h"
#include "engine/expression/template_parts.h"

namespace stele::expression {
namespace {

// What of a value is to be rendered. Only dynamic values have one; the rest is copied as it is.
struct Tree {
  const Value* source = nullptr;
  std::vector<TemplatePart> parts;  // of a string
  struct Child {
    size_t index;  // in the array or object
    std::unique_ptr<Tree> tree;
  };
  std::vector<Child> children;  // of an array or object, by rising index
};

Error InString(Error error, const std::string& pointer) {
  if (!pointer.empty()) error.message += " in " + pointer;
  return error;
}

class Compiler {
 public:
  explicit Compiler(std::vector<Reference>& references) : references_(references) {}

  // Null when nothing in it is dynamic.
  Result<std::unique_ptr<Tree>> Compile(const Value& value, size_t depth) {
    if (depth > kMaxJsonDepth)
      return Fail(
          ErrorCode::kExpressionLimit,
          fmt::format("Expected a value at most {} deep but found a deeper one", kMaxJsonDepth));
    auto tree = std::make_unique<Tree>(&value);
    if (value.is_string()) {
      Result<TemplateString> split = SplitTemplate(value.as_string());
      if (!split) return std::unexpected(InString(std::move(split).error(), pointer_));
      tree->parts = std::move(split->parts);
      for (const TemplatePart& part : tree->parts) {
        if (!part.secret.empty()) references_.push_back({{"secrets", part.secret}});
        if (part.program)
          references_.insert(references_.end(), part.program->references.begin(),
                             part.program->references.end());
      }
    } else if (value.is_array()) {
      for (size_t i = 0; i < value.as_array().size(); ++i)
        STELE_RETURN_IF_ERROR(Child(*tree, i, std::to_string(i), value.as_array()[i], depth));
    } else if (value.is_object()) {
      size_t i = 0;
      for (const Member& member : value.as_object())
        STELE_RETURN_IF_ERROR(Child(*tree, i++, member.key, member.value, depth));
    }
    if (tree->parts.empty() && tree->children.empty()) return nullptr;
    return tree;
  }

 private:
  Status Child(Tree& parent, size_t index, std::string_view token, const Value& value,
               size_t depth) {
    const size_t length = pointer_.size();
    AppendPointer(pointer_, token);
    Result<std::unique_ptr<Tree>> tree = Compile(value, depth + 1);
    pointer_.resize(length);
    if (!tree) return std::unexpected(std::move(tree).error());
    if (*tree != nullptr) parent.children.push_back({index, *std::move(tree)});
    return {};
  }

  std::vector<Reference>& references_;
  std::string pointer_;
};

class Renderer {
 public:
  explicit Renderer(const Environment& environment) : environment_(environment) {}

  Result<Rendered> Run(const Tree& tree) {
    Rendered rendered;
    STELE_RETURN_IF_ERROR(Render(tree, 0, rendered.value));
    std::ranges::sort(secrets_, [](const Placed& a, const Placed& b) {
      return std::tie(a.use.pointer, b.order) < std::tie(b.use.pointer, a.order);
    });
    for (Placed& secret : secrets_) rendered.secrets.push_back(std::move(secret.use));
    return rendered;
  }

 private:
  Status Render(const Tree& tree, size_t depth, Value& out) {
    if (tree.source->is_string()) return RenderString(tree.parts, depth, out);
    if (tree.source->is_array()) return RenderArray(tree, depth, out);
    return RenderObject(tree, depth, out);
  }

  Status RenderArray(const Tree& tree, size_t depth, Value& out) {
    const Array& source = tree.source->as_array();
    Array array;
    array.reserve(source.size());
    auto child = tree.children.begin();
    for (size_t i = 0; i < source.size(); ++i) {
      if (child == tree.children.end() || child->index != i) {
        array.push_back(source[i]);
        continue;
      }
      STELE_RETURN_IF_ERROR(
          RenderChild(*child->tree, std::to_string(i), depth, array.emplace_back()));
      ++child;
    }
    out = Value(std::move(array));
    return {};
  }

  Status RenderObject(const Tree& tree, size_t depth, Value& out) {
    Object object;
    auto child = tree.children.begin();
    size_t next = 0;
    for (const Member& member : tree.source->as_object()) {
      const size_t index = next++;
      if (child == tree.children.end() || child->index != index) {
        object.Set(member.key, member.value);
        continue;
      }
      STELE_RETURN_IF_ERROR(
          RenderChild(*child->tree, member.key, depth, object.Set(member.key, Value())));
      ++child;
    }
    out = Value(std::move(object));
    return {};
  }

  Status RenderChild(const Tree& tree, std::string_view token, size_t depth, Value& out) {
    const size_t length = pointer_.size();
    AppendPointer(pointer_, token);
    Status status = Render(tree, depth + 1, out);
    pointer_.resize(length);
    return status;
  }

  Status RenderString(const std::vector<TemplatePart>& parts, size_t depth, Value& out) {
    if (parts.size() == 1 && parts[0].program) return RenderWhole(*parts[0].program, depth, out);
    std::string text;
    for (const TemplatePart& part : parts) {
      if (!part.secret.empty()) {
        secrets_.push_back(
            {{pointer_, static_cast<uint32_t>(text.size()), part.secret}, secrets_.size()});
      } else if (part.program) {
        STELE_RETURN_IF_ERROR(AppendResult(*part.program, text));
      } else {
        STELE_RETURN_IF_ERROR(Charge(part.text.size()));
        text += part.text;
      }
    }
    out = Value(std::move(text));
    return {};
  }

  // A string that is one template: its value, of whatever kind.
  Status RenderWhole(const Program& program, size_t depth, Value& out) {
    Evaluator evaluator(program, environment_);
    Operand operand;
    if (!evaluator.Run(operand)) return Fault(evaluator.TakeError());
    const Weight weight = Weigh(operand.value());
    if (depth + weight.depth > kMaxJsonDepth)
      return Fault(
          {ErrorCode::kExpressionLimit,
           fmt::format("Expected a result at most {} deep but found a deeper one", kMaxJsonDepth)});
    STELE_RETURN_IF_ERROR(Charge(weight.bytes));
    out = operand.Take();
    return {};
  }

  Status AppendResult(const Program& program, std::string& text) {
    Evaluator evaluator(program, environment_);
    Operand operand;
    if (!evaluator.Run(operand)) return Fault(evaluator.TakeError());
    const Value& value = operand.value();
    if (value.is_null())
      return Fault(
          {ErrorCode::kExpressionType, FaultText("a value to put into the text",
                                                 program.nodes[program.root].column - 1, "null")});
    const size_t before = text.size();
    if (value.is_string()) {
      text += value.as_string();
    } else {
      WriteJson(value, text);
    }
    return Charge(text.size() - before);
  }

  Status Charge(size_t bytes) {
    if (bytes > budget_)
      return Fault({ErrorCode::kExpressionLimit,
                    fmt::format("Expected at most {} bytes of rendered text but found more",
                                kMaxRenderedBytes)});
    budget_ -= bytes;
    return {};
  }

  std::unexpected<Error> Fault(Error error) const {
    return std::unexpected(InString(std::move(error), pointer_));
  }

  const Environment& environment_;
  std::string pointer_;
  // The last of a string comes first: of two at the same place, the later must be inserted first.
  struct Placed {
    SecretUse use;
    size_t order;
  };
  std::vector<Placed> secrets_;
  size_t budget_ = kMaxRenderedBytes;
};

}  // namespace

struct Template::Node {
  Value source;
  std::unique_ptr<Tree> tree;  // points into `source`; null: nothing is dynamic
  std::vector<Reference> references;
};

Template::Template() {
  static const std::shared_ptr<const Node> empty =
      std::make_shared<const Node>(Value(Object()), nullptr, std::vector<Reference>());
  root_ = empty;
}

Result<Template> Template::Compile(const Value& value) {
  auto node = std::make_shared<Node>();
  node->source = value;
  Result<std::unique_ptr<Tree>> tree = Compiler(node->references).Compile(node->source, 0);
  if (!tree) return std::unexpected(std::move(tree).error());
  node->tree = *std::move(tree);
  return Template(std::move(node));
}

bool Template::is_dynamic() const {
  return root_->tree != nullptr;
}

const Value& Template::source() const {
  return root_->source;
}

Result<Rendered> Template::Render(const Environment& environment) const {
  if (!is_dynamic()) return Rendered{root_->source, {}};
  return Renderer(environment).Run(*root_->tree);
}

std::span<const Reference> Template::references() const {
  return root_->references;
}

}  // namespace stele::expression
