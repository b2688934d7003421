// The views of a data directory that nobody else has open.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "eventstore/event_store.h"
#include "projections/current_view.h"
#include "projections/projector.h"

namespace stele::cli {

struct OpenedViews {
  std::unique_ptr<eventstore::EventStore> store;
  std::unique_ptr<projections::Projector> projector;
};

// As they are in the directory, to bring them up to the log. Notes that they were damaged.
Result<OpenedViews> OpenViews(const Arguments& arguments, const Terminal& terminal);
Result<OpenedViews> OpenViewsOf(std::unique_ptr<eventstore::EventStore> store,
                                const Arguments& arguments, const Terminal& terminal);
// The directory of all views.
std::string ViewsPath(const Arguments& arguments);

// Counts up on a terminal what takes long; nothing elsewhere.
projections::Progress ShowProgress(const Terminal& terminal, std::string_view what);
// Takes away what it has shown.
void EndProgress(const Terminal& terminal);

// What a view answers with: as it is now, or as of --as-of.
struct AskedView {
  OpenedViews views;                                  // the projector is null: nothing was written
  std::unique_ptr<projections::CurrentView> current;  // null: the projector or `then` answers
  std::shared_ptr<const projections::ScratchView> then;  // null: now
  std::unique_ptr<projections::ViewReader> reader;
  TimeUs now;          // until when what is open has lasted: now, or the moment of --as-of
  std::string course;  // of the log and of the moment (projections::SearchRequest)
};
// Brings it up to the end of the log, or builds it as of --as-of, and notes what that cost.
Result<AskedView> AskView(const Arguments& arguments, const Terminal& terminal,
                          std::string_view view);

}  // namespace stele::cli
