// A debugger over what a CoreDriver has gone through.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "replay/debugger/debugger.h"
#include "tests/replay/driven_source.h"
#include "tests/support/core_driver.h"

namespace stele::replay {

class Debugged {
 public:
  explicit Debugged(const test::CoreDriver& driver) : source_(driver) {
    auto opened = Debugger::Open(source_, driver.instance().id, source_.Registry());
    if (!opened.has_value()) ADD_FAILURE() << opened.error().message;
    debugger_ = *std::move(opened);
  }
  Debugger* operator->() { return debugger_.get(); }
  Debugger& operator*() { return *debugger_; }

  // "4 step_activated a": the event where the debugger stands.
  std::string Here() { return Told(debugger_->at()); }
  std::string Told(Seq seq) {
    const auto lines = debugger_->Events(seq, 1);
    if (!lines.has_value() || lines->empty()) return "nothing";
    const EventLine& line = lines->front();
    std::string text = std::to_string(line.seq.value) + " " + std::string(line.name);
    if (!line.label.empty()) text += " " + line.label;
    return text;
  }
  // Where a move ends.
  std::string Move(Unit unit, Direction direction = Direction::kForward) {
    const Result<Stop> stop = debugger_->Move(unit, direction);
    if (!stop.has_value()) return stop.error().message;
    return Here();
  }
  // Where it stops on the way to the end, or to the beginning.
  std::vector<uint64_t> StopsOn(Direction direction) {
    std::vector<uint64_t> stops;
    for (;;) {
      const Result<Stop> stop = debugger_->Continue(direction);
      if (!stop.has_value()) {
        ADD_FAILURE() << stop.error().message;
        return stops;
      }
      if (stop->reason != StopReason::kBreakpoint) return stops;
      stops.push_back(stop->at.value);
    }
  }
  // The event of that name, the n-th from 1; 0: there is none.
  Seq Find(std::string_view name, std::string_view label = "", int nth = 1) {
    const auto lines = debugger_->Events(Seq(1), debugger_->last().value);
    for (const EventLine& line : *lines)
      if (line.name == name && (label.empty() || line.label == label) && --nth == 0)
        return line.seq;
    return Seq();
  }

 private:
  test::DrivenSource source_;
  std::unique_ptr<Debugger> debugger_;
};

}  // namespace stele::replay
