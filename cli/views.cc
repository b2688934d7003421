#include "cli/views.h"

#include <fmt/format.h>

#include <charconv>

#include "cli/open_data.h"
#include "cli/text.h"
#include "engine/definition/moment.h"
#include "projections/all_views.h"
#include "replay/moment.h"

namespace stele::cli {

namespace {

// Digits are a position, all else a time.
Result<Position> PositionOf(const eventstore::EventStore& store, const std::string& word) {
  uint64_t position = 0;
  const char* const end = word.data() + word.size();
  const auto [rest, failed] = std::from_chars(word.data(), end, position);
  if (rest == end && failed == std::errc()) return Position(position);
  auto time = definition::ParseTime(word);
  if (!time.has_value()) time = definition::ParseTime(word + "Z");
  if (time.has_value()) return replay::PositionAt(store, kShard, *time);
  return Fail(ErrorCode::kUsage, fmt::format("Expected a position, or a time such as "
                                             "2026-11-21T09:30:00Z, as --as-of but found \"{}\"",
                                             word));
}

}  // namespace

namespace {

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

}  // namespace

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

Result<AskedView> AskView(const Arguments& arguments, const Terminal& terminal,
                          std::string_view view) {
  auto store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  AskedView asked;
  if (!arguments.Has("--as-of")) {
    asked.current = projections::CurrentView::Find(**store, kShard, ViewsPath(arguments),
                                                   projections::AllViews(), view);
    if (asked.current != nullptr) {
      asked.views.store = *std::move(store);
      asked.reader = std::make_unique<projections::ViewReader>(asked.current->Read());
      return asked;
    }
  }
  auto views = OpenViewsOf(*std::move(store), arguments, terminal);
  if (!views.has_value()) return std::unexpected(views.error());
  asked.views = *std::move(views);
  projections::Projector& projector = *asked.views.projector;
  if (!arguments.Has("--as-of")) {
    const Status caught_up = projector.CatchUp(ShowProgress(terminal, "reading the log"));
    EndProgress(terminal);
    if (!caught_up.has_value()) return std::unexpected(caught_up.error());
    auto reader = projector.Read(view);
    if (!reader.has_value()) return std::unexpected(reader.error());
    asked.reader = std::make_unique<projections::ViewReader>(*std::move(reader));
    return asked;
  }
  const Result<Position> position = PositionOf(*asked.views.store, arguments.Get("--as-of"));
  if (!position.has_value()) return std::unexpected(position.error());
  auto then = projector.AsOf(view, *position, ShowProgress(terminal, "going back"));
  EndProgress(terminal);
  if (!then.has_value()) return std::unexpected(then.error());
  asked.then = *std::move(then);
  asked.reader = std::make_unique<projections::ViewReader>(asked.then->Read());
  if (!arguments.Has("--json"))
    terminal.PrintNote(fmt::format("as of position {}; {} read for it", position->value,
                                   asked.then->records_read() == 0
                                       ? "nothing was"
                                       : Count(asked.then->records_read(), "record") + " were"));
  return asked;
}

}  // namespace stele::cli
