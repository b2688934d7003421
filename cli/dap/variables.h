// Values as an editor shows them: trees that it opens level by level, each level under a number
// that is good until the debugger moves.
//
// What the last move has changed is marked in a value's type ("integer, was 41"; "object, changed
// inside"), where editors show more of a value; in what stands there they find changes themselves.
//
// Thread: one at a time.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "cli/dap/message.h"

namespace stele::cli::dap {

// What a move made of a document: a JSON Patch from `before`.
class ChangeMarks {
 public:
  ChangeMarks() = default;
  ChangeMarks(Value before, const Array& patch);

  // ", was 41", ", new", ", changed inside"; empty: it is what it was.
  std::string At(const std::optional<std::string>& pointer) const;

  struct Line {
    std::string pointer;
    std::string text;  // "41 → 42"
  };
  // Every place that differs, in the order of the patch.
  const std::vector<Line>& lines() const { return lines_; }

 private:
  Value before_;
  std::map<std::string, std::string, std::less<>> notes_;  // by pointer
  std::vector<Line> lines_;
};

// A value in a list that is put together for an editor.
struct Shown {
  std::string name;
  const Value* value = nullptr;        // outlives the list
  std::optional<std::string> pointer;  // where it stands in the state's document; none: nowhere
  std::string expression;              // that gives it; empty: none does
  std::string text = {};               // what stands in place of the value; empty: the value
};

class Variables {
 public:
  // Everything that was given before is good no longer.
  void Forget();
  void Mark(ChangeMarks marks) { marks_ = std::move(marks); }
  const ChangeMarks& marks() const { return marks_; }

  // A value that lives until Forget.
  const Value* Keep(Value value);

  // Numbers for `variablesReference`; 0: there is nothing inside.
  int64_t NumberOf(std::vector<Shown> list);
  int64_t NumberOf(const Shown& shown);

  // The answer to a `variables` request. kInvalidInput: a number that is not good, or no longer.
  Result<Object> Open(const Fields& arguments);
  // A value as it is shown: {value, type, variablesReference, namedVariables, indexedVariables}.
  Object Describe(const Shown& shown);

 private:
  struct Node {
    std::vector<Shown> list;  // unless it is one value
    std::optional<Shown> value;
  };
  Object Line(const Shown& shown);

  ChangeMarks marks_;
  std::deque<Value> kept_;
  std::vector<Node> nodes_;  // by number, from 1
};

// The expression that gives a member or an item of what another one gives; of "" the name itself.
std::string MemberOf(const std::string& expression, std::string_view key);
std::string ItemOf(const std::string& expression, size_t index);

}  // namespace stele::cli::dap
