// What an editor is told when the debugger has moved.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/dap/session.h"
#include "cli/text.h"
#include "engine/model/codec.h"

namespace stele::cli::dap {
namespace {

// Of the events that a move passes, so many are told: the last ones.
constexpr uint64_t kMaxTold = 50;

}  // namespace

void Session::Stopped(std::string_view reason, std::string text, const std::vector<int64_t>& hit) {
  waits_ = false;
  Object body{{"reason", reason},
              {"description", std::move(text)},
              {"threadId", kHistoryThread},
              {"allThreadsStopped", true}};
  if (reason == "exception")
    body.Set("text", model::EventNameAt(debugger().index()[debugger().at()].kind));
  if (!hit.empty()) {
    Array ids;
    for (const int64_t id : hit) ids.emplace_back(id);
    body.Set("hitBreakpointIds", std::move(ids));
  }
  out_.Event("stopped", std::move(body));
}

// "event 12, 2026-11-22 17:00:00.125: step_completed charge"
std::string Session::Here() {
  const Result<std::vector<replay::EventLine>> events = debugger().Events(debugger().at(), 1);
  if (!events.has_value() || events->empty()) return fmt::format("event {}", debugger().at().value);
  const replay::EventLine& event = events->front();
  return Clean(fmt::format("event {}, {}: {}{}{}", event.seq.value, Time(event.time), event.name,
                           event.step.empty() ? "" : " ", event.step));
}

void Session::Tell(const replay::Stop& stop) {
  if (stop.at < stop.from) {
    out_.Output("console", fmt::format("back to {}\n", Here()));
    return;
  }
  const uint64_t passed = stop.at.value - stop.from.value;
  const uint64_t told = std::min(passed, kMaxTold);
  if (passed > told) out_.Output("console", fmt::format("… {} events\n", passed - told));
  const Result<std::vector<replay::EventLine>> events =
      debugger().Events(Seq(stop.at.value - told + 1), static_cast<size_t>(told));
  if (!events.has_value()) return;
  for (const replay::EventLine& event : *events) TellEvent(event);
}

void Session::TellEvent(const replay::EventLine& event) {
  const Result<Object> place = view_->PlaceOf(event.step);
  const Object more = place.has_value() ? *place : Object();
  const auto text = [&](std::string_view name) {
    const Value* found = event.members.Find(name);
    return found != nullptr && found->is_string() ? found->as_string() : std::string();
  };
  std::string line = fmt::format("{:>6}  {:<20}", event.seq.value, event.name);
  if (!event.step.empty()) line += "  " + event.step;
  if (!text("kind").empty()) line += fmt::format("  {}", text("kind"));
  if (!text("message").empty()) line += fmt::format(": {}", text("message"));
  if (!event.actor.empty()) line += fmt::format("  (by {})", event.actor);
  out_.Output("console", Clean(line) + "\n", more);
  std::string log = Clean(text("log"), true);
  if (log.empty()) return;
  if (!log.ends_with('\n')) log += '\n';
  out_.Output("stdout", std::move(log), more);
}

void Session::Log(const Breakpoints::Hit& hit) {
  for (const std::string& text : hit.texts) out_.Output("console", text + "\n");
}

}  // namespace stele::cli::dap
