#include "cli/display.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text.h"

namespace stele::cli {

namespace {

using replay::StepLine;
using replay::StepState;

constexpr std::string_view kFrames[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

std::string Problem(const StepLine& line) {
  return Clean(fmt::format("{}: {}", line.kind, line.message));
}

// The run that an event is about; 0: none that gets a line.
struct RunOfEvent {
  RunId operator()(const model::StepActivated& e) const { return e.run; }
  RunId operator()(const model::StepCompleted& e) const { return e.run; }
  RunId operator()(const model::StepFailed& e) const { return e.run; }
  RunId operator()(const model::StepCancelled& e) const { return e.run; }
  RunId operator()(const model::AttemptStarted& e) const { return e.run; }
  RunId operator()(const model::AttemptInterrupted& e) const { return e.run; }
  RunId operator()(const model::RetryScheduled& e) const { return e.run; }
  RunId operator()(const model::IncidentRaised& e) const { return e.run; }
  RunId operator()(const model::StepFailing& e) const { return e.run; }
  RunId operator()(const model::HumanTaskCreated& e) const { return e.run; }
  RunId operator()(const model::HumanTaskClaimed& e) const { return e.run; }
  RunId operator()(const model::HumanTaskReleased& e) const { return e.run; }
  RunId operator()(const model::HumanTaskDecided& e) const { return e.run; }
  RunId operator()(const model::HumanTaskEscalated& e) const { return e.run; }
  RunId operator()(const model::HumanTaskReminded& e) const { return e.run; }
  RunId operator()(const model::MessageCorrelated& e) const { return e.run; }
  RunId operator()(const model::ChildStarted& e) const { return e.run; }
  template <class Other>
  RunId operator()(const Other&) const {
    return RunId();
  }
};

// `anna, group "ops"` of an event that names them.
template <class Event>
std::string PeopleOf(const Event& event) {
  std::string text;
  for (const std::string& person : event.assignees) text += (text.empty() ? "" : ", ") + person;
  for (const std::string& group : event.groups)
    text += (text.empty() ? "group " : ", group ") + group;
  return text.empty() ? "anybody" : text;
}

std::string Behind(std::string_view mark, std::string_view text) {
  return text.empty() ? "" : fmt::format("{}{}", mark, text);
}

// What happened to a task for people, without its mark; empty: the event is no such thing.
struct PeopleSentence {
  const std::string& label;

  std::string operator()(const model::HumanTaskCreated& e) const {
    return fmt::format("{} waits for {}", label, PeopleOf(e));
  }
  std::string operator()(const model::HumanTaskClaimed& e) const {
    return fmt::format("{} claimed by {}{}", label, e.person, Behind(": ", e.comment));
  }
  std::string operator()(const model::HumanTaskReleased& e) const {
    return fmt::format("{} released by {}{}", label, e.person, Behind(": ", e.comment));
  }
  std::string operator()(const model::HumanTaskDecided& e) const {
    return fmt::format("{} {} by {}{}", label, e.approved ? "approved" : "rejected", e.person,
                       Behind(": ", e.comment));
  }
  std::string operator()(const model::HumanTaskEscalated& e) const {
    return fmt::format("{} escalated to {}", label, PeopleOf(e));
  }
  std::string operator()(const model::HumanTaskReminded& e) const {
    return fmt::format("{} reminder {}", label, e.count);
  }
  std::string operator()(const model::MessageCorrelated& e) const {
    return fmt::format("{} received the message {}", label, e.name);
  }
  std::string operator()(const model::ChildStarted& e) const {
    return fmt::format("{} called instance {}", label, e.child.value);
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "";
  }
};

// What happened to the instance as a whole.
struct InstanceSentence {
  const replay::Timeline& timeline;

  std::string operator()(const model::InstancePaused& e) const {
    return "paused" + Behind(": ", e.reason);
  }
  std::string operator()(const model::InstanceResumed& e) const {
    const std::string what = e.steps == 0 ? "resumed" : "goes on for " + Count(e.steps, "step");
    return what + Behind(": ", e.reason);
  }
  std::string operator()(const model::InstanceAdmitted&) const { return "admitted"; }
  std::string operator()(const model::InstanceRetryRequested& e) const {
    return "retried" + Behind(": ", e.reason);
  }
  std::string operator()(const model::InstanceMigrated&) const {
    return "migrated to another version";
  }
  std::string operator()(const model::SignalReceived& e) const {
    return "received the signal " + e.name;
  }
  std::string operator()(const model::StepRolledBack& e) const {
    return fmt::format("back to {}{}", timeline.definition().step(e.to_step).id,
                       Behind(": ", e.reason));
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "";
  }
};

}  // namespace

std::string Display::EventLine(const replay::Timeline& timeline, const model::Event& event) const {
  const bool live = is_live();
  if (const auto* undo = std::get_if<model::CompensationStarted>(&event))
    return terminal_.Paint(Colour::kYellow,
                           Clean("↶ undoing what was done" + Behind(": ", undo->message)));
  if (const auto* skipped = std::get_if<model::StepSkipped>(&event))
    return terminal_.Paint(
        Colour::kDim,
        fmt::format("- {} skipped", Clean(timeline.definition().step(skipped->step).id)));
  if (const std::string text = std::visit(InstanceSentence{timeline}, event); !text.empty())
    return terminal_.Paint(Colour::kYellow, "» " + Clean(text));
  const StepLine* line = timeline.FindRun(std::visit(RunOfEvent{}, event));
  if (line == nullptr) return "";
  if (const std::string text = std::visit(PeopleSentence{line->label}, event); !text.empty())
    return fmt::format("{} {}", terminal_.Paint(Colour::kCyan, "·"), Clean(text));
  const std::string label = Clean(line->label);
  if (std::holds_alternative<model::StepCompleted>(event))
    return fmt::format("{} {} completed in {}", terminal_.Paint(Colour::kGreen, "✓"), label,
                       Duration(timeline.Took(*line, line->ended)));
  if (std::holds_alternative<model::StepFailed>(event))
    return fmt::format("{} {} failed: {}", terminal_.Paint(Colour::kRed, "✗"), label,
                       Problem(*line));
  if (std::holds_alternative<model::StepCancelled>(event))
    return fmt::format("{} {} cancelled", terminal_.Paint(Colour::kYellow, "-"), label);
  if (std::holds_alternative<model::IncidentRaised>(event))
    return fmt::format("{} {} waits for an operator: {}", terminal_.Paint(Colour::kRed, "!"), label,
                       Problem(*line));
  if (std::holds_alternative<model::StepFailing>(event))
    return fmt::format("{} {} failed, held while the instance is paused: {}",
                       terminal_.Paint(Colour::kRed, "✗"), label, Problem(*line));
  if (live) return "";
  if (const auto* retry = std::get_if<model::RetryScheduled>(&event))
    return fmt::format("↻ {} attempt {} {}: {}", label, retry->attempt,
                       retry->due <= clock_.Now()
                           ? "follows"
                           : "in " + Duration(retry->due.value - clock_.Now().value),
                       Problem(*line));
  if (const auto* started = std::get_if<model::AttemptStarted>(&event))
    return fmt::format("· {} attempt {} started", label, started->attempt);
  if (std::holds_alternative<model::AttemptInterrupted>(event))
    return fmt::format("· {} interrupted", label);
  const std::string waits = WorkerPhrase(timeline, *line);
  return fmt::format("· {}{}", label, waits.empty() ? " started" : waits);
}

std::string Display::WorkerPhrase(const replay::Timeline& timeline, const StepLine& line) const {
  if (!lacks_worker_ || line.state != StepState::kRunning || line.step.value == kNoIndex) return "";
  const definition::Step& step = timeline.definition().step(line.step);
  if (step.kind != definition::StepKind::kTask || !lacks_worker_(step)) return "";
  return fmt::format(" waits for a worker of the type {}", Clean(step.task_type));
}

void Display::Say(std::string_view line) {
  if (quiet_) return;
  Clear();
  terminal_.Print(fmt::format("{}\n", line));
}

void Display::Show(const replay::Timeline& timeline, const model::Event& event,
                   std::string_view prefix) {
  if (quiet_) return;
  const std::string line = EventLine(timeline, event);
  if (!line.empty()) Say(fmt::format("{}{}", prefix, line));
}

std::string Display::LiveLine(const replay::Timeline& timeline, const StepLine& line) const {
  const int64_t now = clock_.Now().value;
  std::string text = fmt::format("{} {}", kFrames[frame_ % std::size(kFrames)], Clean(line.label));
  const uint32_t attempt = line.attempts.empty() ? 1 : line.attempts.back().number;
  switch (line.state) {
    case StepState::kBackoff:
      text += fmt::format("  attempt {} in {}  {}", attempt + 1,
                          Duration(std::max<int64_t>(line.due.value - now, 0)), Problem(line));
      break;
    case StepState::kDelay:
      text += fmt::format("  {} left", Duration(std::max<int64_t>(line.due.value - now, 0)));
      break;
    default:
      text += WorkerPhrase(timeline, line);
      if (attempt > 1) text += fmt::format("  attempt {}", attempt);
      text += "  " + Duration(std::max<int64_t>(timeline.Took(line, TimeUs(now)), 0));
  }
  return Cut(text, terminal_.width() - 1);
}

void Display::Redraw(const std::vector<const replay::Timeline*>& timelines) {
  if (!is_live()) return;
  ++frame_;
  std::vector<std::string> lines;
  size_t more = 0;
  const size_t room = terminal_.height() - 2;
  for (const replay::Timeline* timeline : timelines) {
    for (const StepLine& line : timeline->lines()) {
      if (replay::IsOver(line.state) || line.state == StepState::kChildren ||
          line.state == StepState::kParked || line.state == StepState::kHeld)
        continue;
      if (lines.size() < room) {
        lines.push_back(LiveLine(*timeline, line));
      } else {
        ++more;
      }
    }
  }
  if (more > 0) lines.back() = fmt::format("  and {} more", more + 1);
  Clear();
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  shown_ = lines.size();
  terminal_.Print(text);
}

void Display::Clear() {
  if (shown_ == 0) return;
  terminal_.Print(fmt::format("\x1b[{}A\r\x1b[J", shown_));
  shown_ = 0;
}

}  // namespace stele::cli
