#include "cli/views.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "cli/open_data.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "projections/all_views.h"
#include "replay/moment.h"

namespace stele::cli {

std::string ViewsPath(const Arguments& arguments) {
  return arguments.Get("--data", kDefaultData) + "/views";
}

Result<OpenedViews> OpenViewsOf(std::unique_ptr<eventstore::EventStore> store,
                                const Arguments& arguments, const Terminal& terminal) {
  auto projector =
      projections::Projector::Open(*store, kShard, ViewsPath(arguments), projections::AllViews());
  if (!projector.has_value()) return std::unexpected(projector.error());
  if (!(*projector)->repaired().empty())
    terminal.PrintNote("the views are built anew: " + (*projector)->repaired());
  return OpenedViews{std::move(store), *std::move(projector)};
}

Result<OpenedViews> OpenViews(const Arguments& arguments, const Terminal& terminal) {
  auto store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  return OpenViewsOf(*std::move(store), arguments, terminal);
}

projections::Progress ShowProgress(const Terminal& terminal, std::string_view what) {
  if (!terminal.is_interactive()) return nullptr;
  return [&terminal, what = std::string(what)](uint64_t records, uint64_t total) {
    terminal.Print(fmt::format("\r\x1b[K{}: record {} of {}", what, records, total));
  };
}

void EndProgress(const Terminal& terminal) {
  if (terminal.is_interactive()) terminal.Print("\r\x1b[K");
}

namespace {

// Which data directory a cursor is of: when its log begins.
Result<std::string> LogText(const eventstore::EventStore& store) {
  const Result<TimeUs> begin = replay::TimeAt(store, kShard, Position(1));
  if (!begin.has_value()) return std::unexpected(begin.error());
  return fmt::format("in the data of {}", begin->value);
}

// An answer needs views that know the whole log, and those that do not are written.
Error CannotKeepUp(const Arguments& arguments, Error error) {
  if (error.code != ErrorCode::kIo && error.code != ErrorCode::kStoreWriteFailed) return error;
  error.message += fmt::format(
      "; the views are behind the log or have to be built for this, in {}: make room there, or ask "
      "a copy of the data directory that may be written (\"stele status\" and \"stele history\" "
      "need no views)",
      ViewsPath(arguments));
  return error;
}

// The views, brought up to the log.
Status AskNow(const Arguments& arguments, const Terminal& terminal, std::string_view view,
              AskedView& asked) {
  projections::Projector& projector = *asked.views.projector;
  const Status caught_up = projector.CatchUp(ShowProgress(terminal, "reading the log"));
  EndProgress(terminal);
  STELE_RETURN_IF_ERROR(caught_up);
  auto reader = projector.Read(view);
  if (!reader.has_value()) return std::unexpected(reader.error());
  asked.reader = std::make_unique<projections::ViewReader>(*std::move(reader));
  return {};
}

// The position of --as-of, and what it says about the answer.
Result<Position> PositionOf(const Arguments& arguments, const eventstore::EventStore& store,
                            AskedView& asked) {
  const Result<GivenPoint> given = GivenPointOf(arguments, "--as-of");
  if (!given.has_value()) return std::unexpected(given.error());
  Result<Position> position = given->position;
  Result<TimeUs> time = given->time;
  if (given->is_position) {
    time = replay::TimeAt(store, kShard, *position);
  } else {
    position = replay::PositionAt(store, kShard, *time);
  }
  if (!position.has_value()) return std::unexpected(position.error());
  if (!time.has_value()) return std::unexpected(time.error());
  if (*time) asked.now = std::min(asked.now, *time);
  asked.course += fmt::format(", as of {}", position->value);
  return position;
}

// One that was asked for before, read alone; null when it has to be built.
std::unique_ptr<projections::ScratchView> FindThen(const Arguments& arguments,
                                                   const eventstore::EventStore& store,
                                                   std::string_view view, Position position) {
  for (const projections::MakeView& make : projections::AllViews()) {
    const auto kind = make();
    if (kind->name() != view) continue;
    // Whoever builds it says what is wrong.
    const auto directory =
        projections::AsOfDirectory(ViewsPath(arguments), store, kShard, *kind, position);
    if (!directory.has_value()) return nullptr;
    return projections::ScratchView::Find(store, kShard, *directory, make, position);
  }
  return nullptr;
}

// The view as of --as-of.
Status AskThen(const Arguments& arguments, const Terminal& terminal, std::string_view view,
               std::unique_ptr<eventstore::EventStore> store, AskedView& asked) {
  const Result<Position> position = PositionOf(arguments, *store, asked);
  if (!position.has_value()) return std::unexpected(position.error());
  asked.then = FindThen(arguments, *store, view, *position);
  uint64_t records_read = 0;
  if (asked.then != nullptr) {
    asked.views.store = std::move(store);
  } else {
    auto views = OpenViewsOf(std::move(store), arguments, terminal);
    if (!views.has_value()) return std::unexpected(views.error());
    asked.views = *std::move(views);
    auto then = asked.views.projector->AsOf(view, *position, ShowProgress(terminal, "going back"));
    EndProgress(terminal);
    if (!then.has_value()) return std::unexpected(then.error());
    asked.then = *std::move(then);
    records_read = asked.then->records_read();
  }
  asked.reader = std::make_unique<projections::ViewReader>(asked.then->Read());
  if (!arguments.Has("--json"))
    terminal.PrintNote(fmt::format("as of position {}; {} {} read for it", position->value,
                                   records_read == 0 ? "nothing" : Count(records_read, "record"),
                                   records_read <= 1 ? "was" : "were"));
  return {};
}

}  // namespace

Result<AskedView> AskView(const Arguments& arguments, const Terminal& terminal,
                          std::string_view view) {
  auto store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  AskedView asked;
  asked.now = SystemClock().Now();
  auto log = LogText(**store);
  if (!log.has_value()) return std::unexpected(log.error());
  asked.course = *std::move(log);
  if (arguments.Has("--as-of")) {
    const Status done = AskThen(arguments, terminal, view, *std::move(store), asked);
    if (!done.has_value()) return std::unexpected(CannotKeepUp(arguments, done.error()));
    return asked;
  }
  asked.current = projections::CurrentView::Find(**store, kShard, ViewsPath(arguments),
                                                 projections::AllViews(), view);
  if (asked.current != nullptr) {
    asked.views.store = *std::move(store);
    asked.reader = std::make_unique<projections::ViewReader>(asked.current->Read());
    return asked;
  }
  auto views = OpenViewsOf(*std::move(store), arguments, terminal);
  if (!views.has_value()) return std::unexpected(CannotKeepUp(arguments, views.error()));
  asked.views = *std::move(views);
  const Status done = AskNow(arguments, terminal, view, asked);
  if (!done.has_value()) return std::unexpected(CannotKeepUp(arguments, done.error()));
  return asked;
}

}  // namespace stele::cli
