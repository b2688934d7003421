// The graph of steps as lines.
#include <algorithm>

#include "cli/debug/lines.h"
#include "cli/text.h"
#include "replay/debugger/graph.h"

namespace stele::cli {

namespace {

using replay::GraphRow;
using replay::StepMark;

// Columns and ids are so wide at most before the notes: notes of all rows stand below each other.
constexpr size_t kMostWidth = 24;

struct Sign {
  std::string_view text;
  Style style;
};

Sign SignOf(StepMark mark) {
  switch (mark) {
    case StepMark::kNone:
      return {"", Style::kPlain};
    case StepMark::kClosed:
      return {"·", Style::kDim};
    case StepMark::kIdle:
      return {"○", Style::kDim};
    case StepMark::kRunning:
      return {"▶", Style::kBold};
    case StepMark::kWaiting:
      return {"◷", Style::kWaiting};
    case StepMark::kParked:
      return {"!", Style::kBad};
    case StepMark::kCompleted:
      return {"✓", Style::kGood};
    case StepMark::kFailed:
      return {"✗", Style::kBad};
    case StepMark::kSkipped:
      return {"-", Style::kDim};
  }
  return {"", Style::kPlain};
}

size_t WidthOf(const GraphRow& row) {
  return Width(row.before) + 1 + Width(row.after) + Width(Clean(row.step));
}

}  // namespace

Result<Lines> GraphLines(replay::Debugger& debugger) {
  const Result<ScopeId> scope = debugger.Scope();
  if (!scope.has_value()) return std::unexpected(scope.error());
  const Result<replay::Moment> moment = debugger.Now();
  if (!moment.has_value()) return std::unexpected(moment.error());
  const replay::EventIndex& index = debugger.index();
  const std::vector<GraphRow> rows =
      replay::DrawGraph(*moment, *scope, index.StepId(index[debugger.at()].step));
  size_t widest = 0;
  for (const GraphRow& row : rows)
    if (!row.note.empty()) widest = std::max(widest, std::min(WidthOf(row), kMostWidth));
  Lines lines;
  for (const GraphRow& row : rows) {
    Line& line = lines.emplace_back();
    line.name = row.step;
    line.is_current = row.is_current;
    line.spans.push_back({row.is_current ? "→ " : "  ", Style::kBold});
    line.spans.push_back({row.before, Style::kDim});
    if (row.mark == StepMark::kNone) continue;
    const Sign sign = SignOf(row.mark);
    line.spans.push_back({std::string(sign.text), sign.style});
    line.spans.push_back({row.after, Style::kDim});
    line.spans.push_back({Clean(row.step), row.has_token ? Style::kBold : Style::kPlain});
    if (row.note.empty()) continue;
    const size_t width = WidthOf(row);
    line.spans.push_back({std::string(width < widest ? widest - width : 0, ' ')});
    line.spans.push_back({"  " + Clean(row.note), sign.style});
  }
  return lines;
}

}  // namespace stele::cli
