// `stele history`: every event of an instance.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/recorded.h"
#include "cli/text.h"
#include "engine/model/codec.h"
#include "engine/model/event_json.h"
#include "replay/to_json.h"

namespace stele::cli {

namespace {

constexpr size_t kShownBytes = 200;

std::string Details(const Object& event) {
  std::string details;
  for (const Member& member : event) {
    if (member.key == "event") continue;
    std::string value = Inline(member.value);
    if (value.size() > kShownBytes) value = Cut(value, kShownBytes);
    details += fmt::format("{}{}={}", details.empty() ? "" : " ", member.key, value);
  }
  return details;
}

}  // namespace

int ShowHistory(const Arguments& arguments, const Terminal& terminal) {
  std::string lines;
  std::vector<std::vector<std::string>> rows{{"SEQ", "TIME", "EVENT", "DETAILS"}};
  const bool json = arguments.Has("--json");
  const auto add = [&](const replay::HistoryEntry& entry,
                       const definition::Definition& definition) {
    if (!json) {
      std::string shown = Details(model::EventToJson(entry.event, &definition).as_object());
      if (entry.erased) shown += shown.empty() ? "erased" : " (erased)";
      if (!entry.actor.empty())
        shown += fmt::format("{}by={}", shown.empty() ? "" : " ", Clean(entry.actor));
      if (!entry.source.empty())
        shown += fmt::format("{}from=\"{}\"", shown.empty() ? "" : " ", Clean(entry.source));
      rows.push_back({fmt::format("{}", entry.seq.value), Time(entry.record.time),
                      std::string(model::EventName(entry.event)), shown});
      return;
    }
    lines += CleanJson(ToJson(replay::ToJson(entry, &definition))) + "\n";
  };
  const auto recorded = ReadRecorded(arguments, add);
  if (!recorded.has_value()) return Refuse(terminal, recorded.error());
  terminal.Print(json ? lines : Table(terminal, rows));
  return kExitDone;
}

}  // namespace stele::cli
