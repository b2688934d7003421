#include "replay/debugger/graph_rows.h"

#include <algorithm>
#include <optional>

namespace stele::replay {

namespace {

using definition::Definition;
using definition::Step;

// Targets of a step's transitions that lead on, each once, in their order.
std::vector<StepIndex> TargetsOf(const Definition& definition, const Step& step) {
  std::vector<StepIndex> targets;
  for (const TransitionIndex index : step.outgoing) {
    const definition::Transition& transition = definition.transition(index);
    if (transition.back_edge) continue;
    if (std::ranges::find(targets, transition.to) == targets.end())
      targets.push_back(transition.to);
  }
  return targets;
}

// The steps of a body, each behind those that lead to it: reverse postorder, where the first
// branch comes first.
std::vector<StepIndex> OrderOf(const Definition& definition, const definition::Body& body) {
  struct Visit {
    StepIndex step;
    std::vector<StepIndex> left;  // targets that were not visited yet, the first one first
  };
  std::vector<StepIndex> order;
  std::vector<bool> seen(definition.steps.size());
  std::vector<Visit> path;
  const auto enter = [&](StepIndex step) {
    if (seen[step.value]) return;
    seen[step.value] = true;
    path.push_back({step, TargetsOf(definition, definition.step(step))});
  };
  const auto visit = [&](StepIndex first) {
    enter(first);
    while (!path.empty()) {
      if (path.back().left.empty()) {
        order.push_back(path.back().step);
        path.pop_back();
        continue;
      }
      const StepIndex next = path.back().left.back();
      path.back().left.pop_back();
      enter(next);
    }
  };
  for (size_t i = body.entries.size(); i-- > 0;) visit(body.entries[i]);
  std::ranges::reverse(order);
  for (const StepIndex step : body.steps)
    if (!seen[step.value]) order.push_back(step);
  return order;
}

// The columns of one body.
class Columns {
 public:
  // Where the step is drawn: the column that leads to it, else a new one.
  size_t Take(StepIndex step) {
    const std::optional<size_t> leading = Find(step);
    const size_t column = leading.has_value() ? *leading : Free(0);
    ways_[column] = step;
    return column;
  }

  // The row of the step, without what stands at its own place.
  GraphLine StepLine(size_t column, StepIndex step) const {
    GraphLine line{.step = step};
    for (size_t i = 0; i < ways_.size(); ++i) {
      std::string& side = i < column ? line.before : line.after;
      if (i == column) {
        line.after += " ";
      } else {
        side += ways_[i].has_value() ? "│ " : "  ";
      }
    }
    return line;
  }

  // What stands left of the inside of the step that was taken.
  std::string Beside(size_t column, bool goes_on) const {
    std::string text;
    for (size_t i = 0; i < ways_.size(); ++i)
      text += ways_[i].has_value() && (i != column || goes_on) ? "│ " : "  ";
    return text;
  }

  // The ways of the step in that column go on to its targets. The row that shows it; empty: none
  // is needed.
  std::string Leave(size_t column, const std::vector<StepIndex>& targets) {
    const std::vector<std::optional<StepIndex>> above = ways_;
    ways_[column].reset();
    std::vector<size_t> reached;
    for (const StepIndex target : targets) {
      std::optional<size_t> way = Find(target);
      if (!way.has_value()) {
        way = ways_[column].has_value() ? Free(column + 1) : column;
        ways_[*way] = target;
      }
      reached.push_back(*way);
    }
    const bool parts = std::ranges::any_of(reached, [&](size_t way) { return way != column; });
    std::string row = parts ? Row(column, reached, above) : "";
    while (!ways_.empty() && !ways_.back().has_value()) ways_.pop_back();
    return row;
  }

 private:
  std::optional<size_t> Find(StepIndex step) const {
    const auto found = std::ranges::find(ways_, std::optional(step));
    if (found == ways_.end()) return std::nullopt;
    return static_cast<size_t>(found - ways_.begin());
  }

  size_t Free(size_t from) {
    for (size_t i = from; i < ways_.size(); ++i)
      if (!ways_[i].has_value()) return i;
    ways_.resize(std::max(ways_.size(), from) + 1);
    return ways_.size() - 1;
  }

  // Lines meet in a cell from up to four sides.
  static std::string_view Cell(bool up, bool down, bool left, bool right) {
    static constexpr std::string_view kCells[] = {" ", "╶", "╴", "─", "╷", "╭", "╮", "┬",
                                                  "╵", "╰", "╯", "┴", "│", "├", "┤", "┼"};
    return kCells[up * 8 + down * 4 + left * 2 + right];
  }

  std::string Row(size_t column, const std::vector<size_t>& reached,
                  const std::vector<std::optional<StepIndex>>& above) const {
    const size_t left = std::min(column, *std::ranges::min_element(reached));
    const size_t right = std::max(column, *std::ranges::max_element(reached));
    std::string row;
    for (size_t i = 0; i < ways_.size(); ++i) {
      const bool up = i < above.size() && above[i].has_value();
      const bool down = ways_[i].has_value();
      const bool meets = i == column || std::ranges::find(reached, i) != reached.end();
      // A way that has no part in it is crossed.
      const bool passes = up && !meets;
      row += passes ? "│" : Cell(up, down, i > left && i <= right, i >= left && i < right);
      row += i >= left && i < right ? "─" : " ";
    }
    row.erase(row.find_last_not_of(' ') + 1);
    return row;
  }

  std::vector<std::optional<StepIndex>> ways_;  // where each column leads
};

class Drawing {
 public:
  explicit Drawing(const Definition& definition) : definition_(definition) {}

  std::vector<GraphLine> Draw() {
    DrawBody(BodyIndex(0), "");
    return std::move(lines_);
  }

 private:
  void DrawBody(BodyIndex body, const std::string& beside) {
    Columns columns;
    for (const StepIndex index : OrderOf(definition_, definition_.body(body))) {
      const Step& step = definition_.step(index);
      const std::vector<StepIndex> targets = TargetsOf(definition_, step);
      const size_t column = columns.Take(index);
      GraphLine line = columns.StepLine(column, index);
      line.before = beside + line.before;
      lines_.push_back(std::move(line));
      if (step.child.value != kNoIndex)
        DrawBody(step.child, beside + columns.Beside(column, !targets.empty()) + "╎ ");
      if (const std::string row = columns.Leave(column, targets); !row.empty())
        lines_.push_back({.before = beside + row, .after = {}});
    }
  }

  const Definition& definition_;
  std::vector<GraphLine> lines_;
};

}  // namespace

std::vector<GraphLine> LinesOf(const Definition& definition) {
  return Drawing(definition).Draw();
}

}  // namespace stele::replay
