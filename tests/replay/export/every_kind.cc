// Prints the export of a log with events of every kind, several of each, with and without what they
// may lack: for tests that check lines and events with other people's programs.
#include <cstdio>
#include <string_view>

#include "replay/export/cloud_events.h"
#include "tests/engine/model/random_values.h"
#include "tests/replay/export/exported.h"

namespace stele::replay {
namespace {

void Fill(eventstore::EventStore& store) {
  model::RecordEncoder encoder;
  for (size_t kind = 0; kind < model::kEventKinds; ++kind)
    for (const uint32_t absent : {0u, 50u, 100u}) {
      model::RandomValues values(kind + 1, absent);
      const std::vector<model::Event> events{values.MakeEvent(kind), values.MakeEvent(kind)};
      eventstore::Batch batch;
      batch.Add({.instance = InstanceId(kind + 1),
                 .first_seq = Seq(1),
                 .event_count = 2,
                 .time = TimeUs(static_cast<int64_t>(kind) * 1'000'000),
                 .causation = Position(absent),
                 .actor = absent == 0 ? "an\u0007na" : "",
                 .source = absent == 0 ? "rest 10.0.0.7" : ""},
                encoder.Encode(events));
      if (!store.Append(kShard, store.NextPosition(kShard), batch).has_value()) std::exit(1);
    }
}

int Print(std::string_view format) {
  eventstore::MemoryStore store;
  Fill(store);
  if (format == "cloudevents") {
    const auto text = TextOf(store, [] { return std::make_unique<CloudEvents>("/stele"); }, {});
    if (!text.has_value()) return 1;
    std::fwrite(text->data(), 1, text->size(), stdout);
    return 0;
  }
  const auto lines = ExportLines(store, {.whole = format == "whole"});
  if (!lines.has_value()) return 1;
  for (const std::string& line : *lines) std::printf("%s\n", line.c_str());
  return 0;
}

}  // namespace
}  // namespace stele::replay

int main(int count, char** words) {
  return stele::replay::Print(count > 1 ? words[1] : "whole");
}
