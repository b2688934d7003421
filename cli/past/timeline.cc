// `stele timeline`: the runs of an instance over time.
#include <fmt/format.h>

#include <fstream>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/past/gantt_text.h"
#include "cli/past/past.h"
#include "cli/text.h"
#include "replay/gantt.h"
#include "replay/gantt_svg.h"

namespace stele::cli {

namespace {

constexpr std::string_view kStandardOutput = "-";

Status WriteTo(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return {};
  return Fail(ErrorCode::kIo, fmt::format("Expected to write {} but could not", Clean(path)));
}

}  // namespace

int ShowTimeline(const Arguments& arguments, const Terminal& terminal) {
  const std::string path = arguments.Get("--svg");
  const bool json = arguments.Has("--json");
  if (json && path == kStandardOutput)
    return Refuse(terminal, {ErrorCode::kUsage,
                             "Expected a file for --svg beside --json, as both would be written to "
                             "standard output, but found \"-\""});
  const auto limit =
      GivenNumber(arguments, "--limit", 1, static_cast<int64_t>(replay::kMaxGanttLines));
  if (!limit.has_value()) return Refuse(terminal, limit.error());
  const auto past = OpenPast(arguments);
  if (!past.has_value()) return Refuse(terminal, past.error());
  const auto document =
      (*past)->Timeline(static_cast<size_t>(limit->value_or(replay::kGanttLines)));
  if (!document.has_value()) return Refuse(terminal, document.error());
  if (json) terminal.Print(CleanJson(ToPrettyJson(*document)) + "\n");
  const replay::Gantt gantt = replay::GanttFromJson(*document);
  if (path == kStandardOutput) {
    terminal.Print(CleanXml(replay::GanttToSvg(gantt)));
  } else if (!path.empty()) {
    const Status written = WriteTo(path, replay::GanttToSvg(gantt));
    if (!written.has_value()) return Refuse(terminal, written.error());
    if (!json)
      terminal.Print(fmt::format("{} shows instance {}\n", Clean(path), gantt.instance.value));
  } else if (!json) {
    terminal.Print(GanttText(gantt, terminal.width(), terminal));
  }
  return kExitDone;
}

}  // namespace stele::cli
