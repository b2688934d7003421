#include "replay/gantt_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "replay/gantt_scale.h"
#include "replay/xml_text.h"

namespace stele::replay {

namespace {

// Pixels.
constexpr int kWidth = 1'100;
constexpr int kLabels = 230;  // where the bars begin
constexpr int kStates = 140;  // behind the bars
constexpr int kRow = 22;
constexpr int kBar = 14;
constexpr int kTop = 64;     // title and scale
constexpr int kLegend = 46;  // below
constexpr int kIndent = 12;
constexpr size_t kLabelLetters = 30;
// Narrower than that a bar would not be seen.
constexpr double kThinnest = 2;

// Plain rules, which every program that draws SVG knows; those for dark pages come last.
constexpr std::string_view kStyle = R"(<style>
.t{font:12px ui-sans-serif,system-ui,sans-serif;fill:#1d2329}
.h{font-size:14px;font-weight:600}.s{fill:#5a6570}.page{fill:#fff}.grid{stroke:#d9dee3}
.running{fill:#2f7dd1}.failed,.timeout{fill:#c93a2e}.interrupted,.cancelled{fill:#9aa6b2}
.backoff{fill:url(#backoff)}.delay{fill:url(#delay)}.people{fill:url(#people)}.event{fill:url(#event)}
.child{fill:url(#child)}.inside{fill:none;stroke:#9aa6b2}.fallback{fill:url(#fallback)}
.parked{fill:url(#parked)}.held{fill:url(#held)}
.failed,.timeout{stroke:#5f120b;stroke-width:2;stroke-dasharray:3 2}
.soft{stroke:#5a6570;fill:none}.wait{stroke:#b67f0a;fill:none}.dot{fill:#b67f0a}
.bad{stroke:#c93a2e;fill:none}.call{stroke:#2f7dd1;fill:none}
@media (prefers-color-scheme:dark){
.t{fill:#e4e8ec}.s{fill:#9aa5b0}.page{fill:#14181c}.grid{stroke:#333c45}
.running{fill:#5ba3ef}.failed,.timeout{fill:#f0756a}.interrupted,.cancelled{fill:#66727e}
.inside{stroke:#66727e}.soft{stroke:#9aa5b0}.wait{stroke:#e0b04a}.dot{fill:#e0b04a}
.bad{stroke:#f0756a}.call{stroke:#5ba3ef}}
</style>
<defs>
<pattern id="backoff" width="6" height="6" patternUnits="userSpaceOnUse"><path class="soft" d="M0 3h2"/></pattern>
<pattern id="delay" width="6" height="6" patternUnits="userSpaceOnUse"><path class="soft" d="M0 3h6"/></pattern>
<pattern id="people" width="6" height="6" patternUnits="userSpaceOnUse"><path class="wait" d="M0 6L6 0M-1 1L1 -1M5 7L7 5"/></pattern>
<pattern id="event" width="6" height="6" patternUnits="userSpaceOnUse"><circle class="dot" cx="3" cy="3" r="1.3"/></pattern>
<pattern id="child" width="6" height="6" patternUnits="userSpaceOnUse"><path class="call" d="M0 0L6 6M-1 5L1 7M5 -1L7 1"/></pattern>
<pattern id="fallback" width="5" height="5" patternUnits="userSpaceOnUse"><path class="bad" d="M1 0v5"/></pattern>
<pattern id="parked" width="6" height="6" patternUnits="userSpaceOnUse"><path class="bad" d="M0 0L6 6M0 6L6 0"/></pattern>
<pattern id="held" width="5" height="5" patternUnits="userSpaceOnUse"><path class="soft" d="M1 0v5"/></pattern>
</defs>
)";

struct Explained {
  std::string_view style;
  std::string_view text;
};
constexpr Explained kLegendTexts[] = {{"running", "runs"},
                                      {"failed", "failed attempt"},
                                      {"backoff", "until it is tried again"},
                                      {"delay", "delay"},
                                      {"people", "people"},
                                      {"event", "message or signal"},
                                      {"child", "called instance"},
                                      {"inside", "inside of it"},
                                      {"fallback", "its fallback"},
                                      {"parked", "an operator"},
                                      {"held", "paused"}};

std::string Escaped(std::string_view text) {
  std::string out;
  WriteXmlText(text, out);
  return out;
}

// At most so many letters, cut between them.
std::string CutTo(std::string_view text, size_t letters) {
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && ++count > letters)
      return std::string(text.substr(0, i)) + "…";
  return std::string(text);
}

class Drawing {
 public:
  explicit Drawing(const Gantt& gantt)
      : gantt_(gantt), span_(std::max<int64_t>(gantt.to.value - gantt.from.value, 1)) {}

  std::string Draw() {
    const int rows = static_cast<int>(gantt_.lines.size()) + (gantt_.paused.empty() ? 0 : 1);
    height_ = kTop + rows * kRow + kLegend;
    Add(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" height="{}" role="img">)",
        kWidth, height_, kWidth, height_);
    const std::string about =
        fmt::format("Instance {} of {} version {}: {}", gantt_.instance.value,
                    Escaped(gantt_.definition), gantt_.version, Escaped(gantt_.status));
    Add("<title>{}</title>\n{}", about, kStyle);
    Add(R"(<rect class="page" width="{}" height="{}"/>)", kWidth, height_);
    Add(R"(<text class="t h" x="12" y="22">{}</text>)", about);
    DrawScale(rows);
    int y = kTop;
    for (const GanttLine& line : gantt_.lines) {
      DrawLine(line, y);
      y += kRow;
    }
    if (!gantt_.paused.empty()) {
      Text("t s", 12, y + 15, "the instance");
      for (const GanttPart& part : gantt_.paused) DrawPart(part, "the instance is paused", y);
    }
    DrawLegend();
    out_ += "</svg>\n";
    return std::move(out_);
  }

 private:
  template <class... Args>
  void Add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void Text(std::string_view style, int x, int y, std::string_view text) {
    Add(R"(<text class="{}" x="{}" y="{}">{}</text>)", style, x, y, Escaped(text));
  }

  double X(TimeUs time) const {
    const double part =
        static_cast<double>(time.value - gantt_.from.value) / static_cast<double>(span_);
    return kLabels + std::clamp(part, 0.0, 1.0) * (kWidth - kLabels - kStates);
  }

  void DrawScale(int rows) {
    for (const int64_t at : TicksOf(span_, /*most=*/8)) {
      const double x = X(gantt_.from.Plus(at));
      Add(R"(<path class="grid" d="M{:.1f} {}V{}"/>)", x, kTop - 8, kTop + rows * kRow);
      Text("t s", static_cast<int>(x) + 3, kTop - 12, SpanText(at));
    }
  }

  void DrawLine(const GanttLine& line, int y) {
    const std::string error =
        line.error_kind.empty() ? "" : fmt::format("\n{}: {}", line.error_kind, line.error_message);
    const std::string name =
        line.purpose.empty() ? line.label : fmt::format("{} ({})", line.label, line.purpose);
    const std::string before =
        line.before == 0 ? "" : fmt::format("\n{} attempts before the fork", line.before);
    Add(R"(<g><title>{}</title>)",
        Escaped(fmt::format("{} #{}: {}{}{}", name, line.run.value, line.state, error, before)));
    Text("t", 12 + kIndent * static_cast<int>(std::min<uint32_t>(line.depth, 6)), y + 15,
         CutTo(name, kLabelLetters));
    for (const GanttPart& part : line.parts) DrawPart(part, name, y);
    std::string state = line.state;
    // Those that are drawn.
    if (line.attempts > line.before + 1)
      state += fmt::format(", {} attempts", line.attempts - line.before);
    Text("t s", kWidth - kStates + 10, y + 15, state);
    out_ += "</g>\n";
  }

  void DrawPart(const GanttPart& part, std::string_view name, int y) {
    const TimeUs end = part.to ? part.to : gantt_.to;
    const double x = X(part.from);
    const double width = std::max(X(end) - x, kThinnest);
    const bool is_bad =
        part.doing == Doing::kRunning && !part.ended_as.empty() && part.ended_as != "completed";
    std::string told = fmt::format("{}: {}", name, DoingName(part.doing));
    if (part.attempt != 0 && part.doing == Doing::kRunning)
      told += fmt::format(", attempt {}", part.attempt);
    if (!part.ended_as.empty()) told += fmt::format(", {}", part.ended_as);
    told += fmt::format("\n{} from {}{}", SpanText(end.value - part.from.value),
                        SpanText(part.from.value - gantt_.from.value), part.to ? "" : ", goes on");
    Add(R"(<rect class="{}" x="{:.1f}" y="{}" width="{:.1f}" height="{}" rx="2"><title>{}</title></rect>)",
        is_bad ? Escaped(part.ended_as) : std::string(DoingName(part.doing)), x,
        y + (kRow - kBar) / 2, width, kBar, Escaped(told));
  }

  void DrawLegend() {
    int x = 12;
    int y = height_ - kLegend + 18;
    for (const Explained& explained : kLegendTexts) {
      const int width = 34 + 7 * static_cast<int>(explained.text.size());
      if (x + width > kWidth) {
        x = 12;
        y += 18;
      }
      Add(R"(<rect class="{}" x="{}" y="{}" width="18" height="11" rx="2"/>)", explained.style, x,
          y - 10);
      Text("t s", x + 23, y, explained.text);
      x += width;
    }
    if (gantt_.runs > gantt_.lines.size())
      Text("t s", kLabels, kTop - 30,
           fmt::format("the first {} of {} runs", gantt_.lines.size(), gantt_.runs));
  }

  const Gantt& gantt_;
  const int64_t span_;
  int height_ = 0;
  std::string out_;
};

}  // namespace

std::string GanttToSvg(const Gantt& gantt) {
  return Drawing(gantt).Draw();
}

}  // namespace stele::replay
