#include "cli/past/gantt_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>

#include "cli/text.h"
#include "replay/gantt_scale.h"

namespace stele::cli {

namespace {

using replay::Doing;
using replay::Gantt;
using replay::GanttLine;
using replay::GanttPart;

constexpr size_t kLeastWidth = 60;
constexpr size_t kMostLabel = 28;
constexpr size_t kLeastChart = 20;

struct Sign {
  char letter;
  Colour colour;
  std::string_view explained;
};
// By Doing, and behind them the attempt that did not end well.
constexpr size_t kBad = replay::kDoings;
constexpr std::array<Sign, replay::kDoings + 1> kSigns{
    {{'#', Colour::kGreen, "runs"},
     {'.', Colour::kDim, "until it is tried again"},
     {'~', Colour::kDim, "delay"},
     {'?', Colour::kYellow, "people"},
     {'<', Colour::kYellow, "message or signal"},
     {'@', Colour::kCyan, "called instance"},
     {'=', Colour::kDim, "inside of it"},
     {'>', Colour::kYellow, "its fallback"},
     {'!', Colour::kRed, "an operator"},
     {':', Colour::kDim, "held"},
     {'x', Colour::kRed, "attempt that failed"}}};
constexpr size_t kEmpty = kSigns.size();

// What of two stands in the same column is shown.
int Weight(size_t sign) {
  if (sign == kEmpty) return 0;
  if (sign == kBad) return 5;
  switch (static_cast<Doing>(sign)) {
    case Doing::kParked:
      return 4;
    case Doing::kRunning:
      return 3;
    case Doing::kPeople:
    case Doing::kEvent:
    case Doing::kChild:
    case Doing::kDelay:
    case Doing::kBackoff:
    case Doing::kFallback:
    case Doing::kHeld:
      return 2;
    case Doing::kInside:
      return 1;
  }
  return 0;
}

class Chart {
 public:
  Chart(const Gantt& gantt, size_t width, const Terminal& terminal)
      : gantt_(gantt),
        terminal_(terminal),
        span_(std::max<int64_t>(gantt.to.value - gantt.from.value, 1)) {
    size_t state = 5;
    label_ = gantt.paused.empty() ? 4 : 12;
    for (const GanttLine& line : gantt.lines) {
      label_ = std::max(label_, Width(LabelOf(line)));
      state = std::max(state, Width(StateOf(line)));
    }
    label_ = std::min(label_, kMostLabel);
    width = std::max(width, kLeastWidth);
    const size_t around = label_ + 1 + 2 + state;  // a space, and two between bar and state
    columns_ = width > around + kLeastChart ? width - around : kLeastChart;
  }

  std::string Make() {
    const std::string dash = gantt_.ended ? "" : "; open runs until now";
    std::string text = fmt::format("instance {}: {} version {}, {}\n{} to {}, {}{}\n\n",
                                   gantt_.instance.value, Clean(gantt_.definition), gantt_.version,
                                   Clean(gantt_.status), Time(gantt_.from), Time(gantt_.to),
                                   replay::SpanText(gantt_.to.value - gantt_.from.value), dash);
    text += Scale();
    for (const GanttLine& line : gantt_.lines)
      text += Row(LabelOf(line), line.parts, StateOf(line));
    if (!gantt_.paused.empty()) text += Row("the instance", gantt_.paused, "paused");
    if (gantt_.runs > gantt_.lines.size())
      text += fmt::format("… and {} more runs; --limit shows more\n",
                          gantt_.runs - gantt_.lines.size());
    return text + Legend();
  }

 private:
  static std::string LabelOf(const GanttLine& line) {
    return std::string(2 * std::min<uint32_t>(line.depth, 4), ' ') + Clean(line.label);
  }

  std::string StateOf(const GanttLine& line) const {
    const TimeUs end = line.to ? line.to : gantt_.to;
    std::string state = Clean(line.state);
    if (!line.purpose.empty()) state = Clean(line.purpose) + " " + state;
    if (line.attempts > 1) state += fmt::format(" x{}", line.attempts);
    if (line.before != 0) state += fmt::format(" ({} before the fork)", line.before);
    return fmt::format("{} {}", state, replay::SpanText(end.value - line.from.value));
  }

  size_t Column(TimeUs time) const {
    const int64_t at = std::clamp<int64_t>(time.value - gantt_.from.value, 0, span_);
    const auto column = static_cast<size_t>(static_cast<double>(at) / static_cast<double>(span_) *
                                            static_cast<double>(columns_));
    return std::min(column, columns_ - 1);
  }

  std::string Scale() const {
    std::string ticks;
    const size_t most = std::max<size_t>(columns_ / 10, 2);
    for (const int64_t at : replay::TicksOf(span_, most)) {
      const size_t column = Column(gantt_.from.Plus(at));
      const std::string told = "|" + replay::SpanText(at);
      if (Width(ticks) > column || column + Width(told) > columns_) continue;
      ticks = Pad(std::move(ticks), column) + told;
    }
    return std::string(label_ + 1, ' ') + terminal_.Paint(Colour::kDim, ticks) + "\n";
  }

  std::string Row(const std::string& label, const std::vector<GanttPart>& parts,
                  const std::string& state) {
    std::vector<size_t> signs(columns_, kEmpty);
    for (const GanttPart& part : parts) Put(part, signs);
    std::string bar;
    for (size_t begin = 0; begin < columns_;) {
      size_t end = begin;
      while (end < columns_ && signs[end] == signs[begin]) ++end;
      if (signs[begin] == kEmpty) {
        bar += std::string(end - begin, ' ');
      } else {
        const Sign& sign = kSigns[signs[begin]];
        bar += terminal_.Paint(sign.colour, std::string(end - begin, sign.letter));
        used_.set(signs[begin]);
      }
      begin = end;
    }
    return fmt::format("{} {}  {}\n", Pad(Cut(label, label_), label_), bar, state);
  }

  void Put(const GanttPart& part, std::vector<size_t>& signs) const {
    const bool bad =
        part.doing == Doing::kRunning && !part.ended_as.empty() && part.ended_as != "completed";
    const auto sign = static_cast<size_t>(part.doing);
    const size_t first = Column(part.from);
    const size_t last = Column(part.to ? part.to : gantt_.to);
    for (size_t i = first; i <= last; ++i) {
      // Where one ends and the next begins, the column is the next one's.
      if (i == last && last > first && part.to && part.to < gantt_.to && !bad) break;
      if (Weight(sign) >= Weight(signs[i])) signs[i] = sign;
    }
    if (bad) signs[last] = kBad;
  }

  std::string Legend() const {
    std::string legend;
    for (size_t i = 0; i < kSigns.size(); ++i)
      if (used_[i])
        legend += fmt::format("{}{} {}", legend.empty() ? "\n" : "   ",
                              terminal_.Paint(kSigns[i].colour, std::string(1, kSigns[i].letter)),
                              kSigns[i].explained);
    return legend.empty() ? "" : legend + "\n";
  }

  const Gantt& gantt_;
  const Terminal& terminal_;
  const int64_t span_;
  size_t label_ = 0;
  size_t columns_ = 0;
  std::bitset<kSigns.size()> used_;
};

}  // namespace

std::string GanttText(const Gantt& gantt, size_t width, const Terminal& terminal) {
  return Chart(gantt, width, terminal).Make();
}

}  // namespace stele::cli
