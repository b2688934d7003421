// The debugger as a full-screen terminal program: panes with the graph, the events, the values and
// the watches, a line for the event, one for what was answered, and keys. What keys do are commands
// (commands.h); `:` takes any of them.
//
// Thread: the main one.
#pragma once

#include <array>
#include <string>

#include "cli/debug/commands.h"
#include "cli/debug/pane.h"
#include "cli/debug/prompt.h"
#include "cli/debug/screen.h"
#include "replay/debugger/debugger.h"

namespace stele::cli {

class DebugProgram {
 public:
  // REQUIRES: all of it outlives the program.
  DebugProgram(Screen& screen, replay::Debugger& debugger, DebugCommands& commands);

  // Until somebody quits.
  void Run();

 private:
  enum Place : size_t { kGraph, kEvents, kValues, kWatches, kPlaces };

  // What stands where the debugger has come to.
  void Look();
  void LookFor(const Error& error);
  void FollowLog();

  void Draw();
  void DrawPanes(size_t rows);
  void DrawTitle();
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
  std::array<Pane, kPlaces> panes_;
  Place focus_ = kEvents;
  bool zoomed_ = false;
  Pane overlay_{""};
  bool has_overlay_ = false;
  Prompt prompt_;
  bool is_asking_ = false;
  Line title_;
  Line event_;
  Line message_;
  bool goes_along_ = false;  // to the end, when events come
  bool is_cut_off_ = false;  // the log could not be read on
};

}  // namespace stele::cli
