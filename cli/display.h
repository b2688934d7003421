// The live lines of a run. On a terminal the steps that are under way stand at the bottom and are
// printed over; what has ended moves up for good. Elsewhere every change is a line.
//
// Thread: the loop's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cli/terminal.h"
#include "engine/model/event.h"
#include "replay/standing.h"
#include "replay/timeline.h"

namespace stele::cli {

enum class Loudness : uint8_t { kLines, kQuiet };

class Display {
 public:
  Display(const Terminal& terminal, const Clock& clock, Loudness loudness)
      : terminal_(terminal), clock_(clock), quiet_(loudness == Loudness::kQuiet) {}

  // Whether a task of a step waits for a worker that is not there, for the lines about it.
  void TellWaits(replay::LacksWorker lacks_worker) { lacks_worker_ = std::move(lacks_worker); }
  // A line of its own, above the live ones.
  void Say(std::string_view line);
  // What an event means for its step. `prefix` names the instance when there are several. Call
  // behind Timeline::Apply.
  void Show(const replay::Timeline& timeline, const model::Event& event, std::string_view prefix);
  // Prints the live lines anew.
  void Redraw(const std::vector<const replay::Timeline*>& timelines);
  // Takes the live lines away.
  void Clear();
  bool is_live() const { return terminal_.is_interactive() && !quiet_; }

 private:
  std::string EventLine(const replay::Timeline& timeline, const model::Event& event) const;
  std::string LiveLine(const replay::Timeline& timeline, const replay::StepLine& line) const;
  // " waits for a worker of the type …"; empty when it does not.
  std::string WorkerPhrase(const replay::Timeline& timeline, const replay::StepLine& line) const;

  const Terminal& terminal_;
  const Clock& clock_;
  bool quiet_;
  replay::LacksWorker lacks_worker_;
  size_t shown_ = 0;  // live lines on the terminal
  size_t frame_ = 0;
};

}  // namespace stele::cli
