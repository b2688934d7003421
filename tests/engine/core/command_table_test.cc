// Every command in every state of an instance: the tables of docs/operators.md, cell by cell.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

// Steps "first" (run 1), "a" (run 2), and "undo" (run 3), which undoes the first.
CoreDriver Flow(std::string_view strategy, std::string_view a = "type: script") {
  return CoreDriver(fmt::format(R"(
id: flow
error_handling: {}
steps:
  - {{id: first, type: script, compensation: undo}}
  - {{id: a, {}, depends_on: [first], optional: true}}
  - {{id: undo, type: script}}
)",
                                strategy, a));
}

struct State {
  CoreDriver flow;
  RunId run{2};  // that commands are about
};

State Running(std::string_view strategy, std::string_view a = "type: script") {
  State state{Flow(strategy, a)};
  state.flow.Start().Complete("first");
  return state;
}

State Undoing() {
  State state = Running("compensate");
  state.flow.Fail("a");
  state.run = RunId(3);
  return state;
}

template <class Then>
State After(State state, Then then) {
  then(state.flow);
  return state;
}

const std::map<std::string, std::function<State()>>& States() {
  static const std::map<std::string, std::function<State()>> states{
      {"no such instance", [] { return State{Flow("fail")}; }},
      {"queued", [] { return After({Flow("fail")}, [](auto& f) { f.StartQueued(); }); }},
      {"running", [] { return Running("fail"); }},
      {"paused", [] { return After(Running("fail"), [](auto& f) { f.Pause(); }); }},
      {"waits for people",
       [] {
         return Running("fail", "type: approval, config: {assignees: ann, min_approvers: 1}");
       }},
      {"waits for a message",
       [] { return Running("fail", "type: message, config: {name: paid}"); }},
      {"waits for a retry",
       [] {
         return After(Running("fail", "type: script, retry: {max_attempts: 2}"),
                      [](auto& f) { f.Fail("a"); });
       }},
      {"stopped with the engine",
       [] {
         return After(Running("fail"), [](auto& f) { f.Interrupt("a", Interruption::kShutdown); });
       }},
      {"parked", [] { return After(Running("park"), [](auto& f) { f.Fail("a"); }); }},
      {"compensating", [] { return Undoing(); }},
      {"compensation parked", [] { return After(Undoing(), [](auto& f) { f.Fail("undo"); }); }},
      {"completed", [] { return After(Running("fail"), [](auto& f) { f.Complete("a"); }); }},
      {"failed", [] { return After(Running("fail"), [](auto& f) { f.Fail("a"); }); }},
      {"failed, compensated", [] { return After(Undoing(), [](auto& f) { f.Complete("undo"); }); }},
      {"cancelled", [] { return After(Running("fail"), [](auto& f) { f.Cancel(); }); }},
      {"terminated", [] { return After(Running("fail"), [](auto& f) { f.Terminate(); }); }}};
  return states;
}

using MakeCommand = std::function<model::Command(State&)>;

const std::map<std::string, MakeCommand>& Commands() {
  const auto of_run = [](auto make) {
    return MakeCommand([make](State& state) { return model::Command(make(state.run)); });
  };
  static const std::map<std::string, MakeCommand> commands{
      {"pause", [](State&) { return model::PauseInstance{}; }},
      {"resume", [](State&) { return model::ResumeInstance{}; }},
      {"cancel", [](State&) { return model::CancelInstance{}; }},
      {"terminate", [](State&) { return model::TerminateInstance{}; }},
      {"retry", [](State&) { return model::RetryInstance{}; }},
      {"admit", [](State&) { return model::AdmitInstance{}; }},
      {"migrate", [](State&) { return model::MigrateInstance{DefinitionId(1)}; }},
      {"retry a step", of_run([](RunId run) { return model::RetryStep{run}; })},
      {"resolve", of_run([](RunId run) { return model::ResolveIncident{run}; })},
      {"skip a step", of_run([](RunId run) { return model::SkipStep{run}; })},
      {"send back", [](State&) { return model::RollBack{RunId(), StepIndex(0)}; }},
      {"set variables",
       [](State&) { return model::AssignVariables{ScopeId(), {{"n", Payload::FromText("1")}}}; }},
      {"signal", [](State&) { return model::SendSignal{"go", {}}; }},
      {"claim", of_run([](RunId run) { return model::ClaimTask{.run = run, .person = "ann"}; })},
      {"release",
       of_run([](RunId run) { return model::ReleaseTask{.run = run, .person = "ann"}; })},
      {"decide", of_run([](RunId run) {
         return model::DecideTask{.run = run, .person = "ann", .approved = true};
       })},
      {"start", [](State&) { return model::StartInstance{.definition = DefinitionId(1)}; }},
      {"complete", of_run([](RunId run) { return model::CompleteAttempt{.run = run}; })},
      {"fail", of_run([](RunId run) { return model::FailAttempt{.run = run, .kind = "boom"}; })},
      {"interrupt", of_run([](RunId run) { return model::InterruptAttempt{.run = run}; })},
      {"restart", of_run([](RunId run) { return model::RestartAttempt{run}; })},
      {"elapse",
       [](State& state) {
         state.flow.Wait(3'600'000'000);
         return model::ElapseTimer{model::TimerKind::kRetry, state.run, 1};
       }},
      {"correlate", of_run([](RunId run) {
         return model::CorrelateMessage{
             .run = run, .name = "paid", .message_position = Position(1)};
       })},
      {"note a child", of_run([](RunId run) { return model::NoteChild{run, InstanceId(9)}; })}};
  return commands;
}

std::vector<std::string> CellsOf(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream rest(line.substr(1));
  for (std::string cell; std::getline(rest, cell, '|');) {
    const size_t first = cell.find_first_not_of(' ');
    const size_t last = cell.find_last_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

// (state, command) to the cell, from all tables of the page that begin with a column of states.
std::map<std::pair<std::string, std::string>, std::string> Printed() {
  std::map<std::pair<std::string, std::string>, std::string> printed;
  std::ifstream page(STELE_SOURCE_DIR "/docs/operators.md");
  std::vector<std::string> head;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("|")) {
      head.clear();
      continue;
    }
    const std::vector<std::string> cells = CellsOf(line);
    if (head.empty()) head = cells;
    if (head[0] != "state" || !States().contains(cells[0])) continue;
    for (size_t i = 1; i < cells.size() && i < head.size(); ++i)
      EXPECT_TRUE(printed.try_emplace({cells[0], head[i]}, cells[i]).second)
          << cells[0] << ", " << head[i] << " stands twice";
  }
  return printed;
}

TEST(EveryCommand, IsTakenOrRefusedInEveryStateAsThePageForOperatorsSays) {
  const auto printed = Printed();
  EXPECT_EQ(printed.size(), States().size() * Commands().size());
  for (const auto& [name, make] : States()) {
    for (const auto& [command, ask] : Commands()) {
      State state = make();
      const std::optional<Rejection> rejection = state.flow.Do(ask(state));
      const std::string outcome =
          rejection ? std::to_string(static_cast<int>(rejection->code)) : "yes";
      const auto cell = printed.find({name, command});
      EXPECT_EQ(cell == printed.end() ? "no cell" : cell->second, outcome)
          << command << " when " << name << (rejection ? ": " + rejection->message : "");
    }
  }
}

}  // namespace
}  // namespace stele::test
