// The debugger as a full-screen terminal program: panes with the graph, the events, the values and
// the watches, a line for the event, one for what was answered, and keys. What keys do are commands
// (commands.h); `:` takes any of them.
//
// Thread: the main one.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "cli/debug/commands.h"
#include "cli/debug/pane.h"
#include "cli/debug/prompt.h"
#include "cli/debug/screen.h"
#include "replay/debugger/debugger.h"

namespace stele::cli {

class DebugProgram {
 public:
  // To a server that was lost.
  using ConnectAgain = std::function<Status()>;

  // REQUIRES: all of it outlives the program.
  DebugProgram(Screen& screen, replay::Debugger& debugger, DebugCommands& commands,
               ConnectAgain connect_again);

  // Until somebody quits.
  void Run();

 private:
  enum Place : size_t { kGraph, kEvents, kValues, kWatches, kPlaces };

  // What stands where the debugger has come to.
  void Look();
  void LookAtTitle();
  void LookFor(const Error& error);
  void FollowLog();
  // The log cannot be read on; `error` says why.
  void CutOff(const Error& error);
  // What `f` does.
  void GoAlong();

  void Draw();
  void DrawPanes(size_t rows);
  void Open(std::string title, Lines lines);

  void Take(const Key& key);
  void TakeInOverlay(const Key& key);
  bool TakeMove(const Key& key);
  void TakeCharacter(char character);
  void Act();
  void Ask(std::string text);
  void RunCommand(const std::string& command);

  Screen& screen_;
  replay::Debugger& debugger_;
  DebugCommands& commands_;
  const ConnectAgain connect_again_;
  std::array<Pane, kPlaces> panes_;
  Place focus_ = kEvents;
  bool zoomed_ = false;
  Pane overlay_{""};
  bool has_overlay_ = false;
  Prompt prompt_;
  bool is_asking_ = false;
  // The title, as far as it says what was read: whose history, and how it is there; where.
  std::string whose_;
  std::string where_;
  Line event_;
  Line message_;
  bool goes_along_ = false;  // to the end, when events come
  // The log could not be read on, as the title says it: what was read stays, and nothing more is
  // tried until somebody wants it. Empty: it could.
  std::string_view cut_off_;
};

}  // namespace stele::cli
