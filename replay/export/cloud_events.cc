#include "replay/export/cloud_events.h"

#include <fmt/format.h>

#include <iterator>

#include "base/json.h"
#include "engine/model/codec.h"
#include "replay/export/event_text.h"
#include "replay/export/time_text.h"

namespace stele::replay {
namespace {

// A string as attributes may have it: without control characters, and never empty.
void AddText(std::string_view key, std::string_view text, std::string& out) {
  if (text.empty()) return;
  std::string allowed;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, too.
    const bool c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    allowed += c1 || byte < 0x20 || byte == 0x7F ? ' ' : text[i];
  }
  out += key;
  WriteJsonString(allowed, out);
}

template <class Integer>
void AddDigits(std::string_view key, Integer value, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}\"{}\"", key, value);
}

void AddExtensions(const ExportedRecord& exported, uint64_t ordinal, std::string& out) {
  const eventstore::RecordHeader& header = exported.record.header;
  AddDigits(",\"position\":", exported.record.position.value, out);
  fmt::format_to(std::back_inserter(out), ",\"ordinal\":{}", ordinal);
  AddDigits(",\"seq\":", header.first_seq.value + ordinal, out);
  AddDigits(",\"instance\":", header.instance.value, out);
  AddText(",\"actor\":", header.actor, out);
  AddText(",\"requestsource\":", header.source, out);
  if (header.causation) AddDigits(",\"causation\":", header.causation.value, out);
  if (exported.definition != nullptr) {
    AddText(",\"definition\":", exported.definition->name, out);
    fmt::format_to(std::back_inserter(out), ",\"definitionversion\":{}",
                   exported.definition->version);
  }
  if (exported.record.erased) out += ",\"erased\":true";
}

}  // namespace

Result<uint64_t> CloudEvents::Write(const ExportedRecord& exported, std::string& out) {
  const eventstore::RecordView& record = exported.record;
  uint64_t ordinal = 0;
  const Status read = model::DecodeEach(record.body, [&](const model::Event& event) {
    fmt::format_to(std::back_inserter(out), "{{\"specversion\":\"1.0\",\"id\":\"{}-{}-{}\"",
                   record.shard.value, record.position.value, ordinal);
    AddText(",\"source\":", source_, out);
    fmt::format_to(std::back_inserter(out), ",\"type\":\"dev.stele.{}\",\"subject\":\"{}\"",
                   model::EventName(event),
                   record.header.instance
                       ? fmt::format("instances/{}", record.header.instance.value)
                       : "registry");
    out += ",\"time\":\"";
    WriteTime(record.header.time, out);
    out += "\",\"datacontenttype\":\"application/json\"";
    AddExtensions(exported, ordinal, out);
    out += ",\"data\":";
    WriteEventData(event, out);
    if (exported.definition != nullptr) {
      // Into the object that was just written.
      const bool empty = out.ends_with("{}");
      out.pop_back();
      const size_t key = out.size();
      out += empty ? "\"ids\":" : ",\"ids\":";
      if (!WriteEventIds(event, *exported.definition->definition, out)) out.resize(key);
      out += '}';
    }
    out += "}\n";
    ++ordinal;
  });
  if (!read.has_value()) return std::unexpected(read.error());
  return ordinal;
}

}  // namespace stele::replay
