#include "replay/export/json_lines.h"

#include <fmt/format.h>

#include <iterator>

#include "base/base64.h"
#include "base/json.h"
#include "eventstore/format.h"
#include "eventstore/sha256.h"
#include "replay/export/event_text.h"

namespace stele::replay {
namespace {

constexpr std::string_view kCheckKey = ",\"check\":\"";
// Behind the text that it is of: the key, the digits, a quote, a brace.
constexpr size_t kCheckBytes = kCheckKey.size() + kCheckDigits + 2;

std::string_view Bytes(const eventstore::Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

void WriteCheck(std::string_view text, std::string& out) {
  WriteHex(Bytes(eventstore::Sha256(text)).substr(0, kCheckDigits / 2), out);
}

template <class Integer>
void Add(std::string_view key, Integer value, std::string& out) {
  const fmt::format_int digits(value);
  out += key;
  out.append(digits.data(), digits.size());
}

void AddText(std::string_view key, std::string_view text, std::string& out) {
  out += key;
  WriteJsonString(text, out);
}

void AddHash(std::string_view key, const eventstore::Hash& hash, std::string& out) {
  out += key;
  out += '"';
  WriteHex(Bytes(hash), out);
  out += '"';
}

// What all lines of a record have in common, up to the ordinal; and from the instance on.
void WriteAbout(const ExportedRecord& exported, std::string& out) {
  const eventstore::RecordHeader& header = exported.record.header;
  Add(",\"instance\":", header.instance.value, out);
  Add(",\"time\":", header.time.value, out);
  if (!header.actor.empty()) AddText(",\"actor\":", header.actor, out);
  if (!header.source.empty()) AddText(",\"source\":", header.source, out);
  if (header.causation) Add(",\"causation\":", header.causation.value, out);
  if (exported.definition != nullptr) {
    AddText(",\"definition\":", exported.definition->name, out);
    Add(",\"version\":", exported.definition->version, out);
  }
  if (exported.record.erased) out += ",\"erased\":true";
}

}  // namespace

void EndLine(size_t begin, std::string& out) {
  eventstore::Hash hash = eventstore::Sha256(std::string_view(out).substr(begin));
  out += kCheckKey;
  WriteHex(Bytes(hash).substr(0, kCheckDigits / 2), out);
  out += "\"}\n";
}

bool CheckLine(std::string_view line, std::string* without, std::string* expected,
               std::string* found) {
  if (line.size() <= kCheckBytes ||
      line.substr(line.size() - kCheckBytes, kCheckKey.size()) != kCheckKey ||
      !line.ends_with("\"}")) {
    *expected = "a \"check\" at its end";
    *found = line.substr(line.size() - std::min<size_t>(line.size(), 40));
    return false;
  }
  const std::string_view text = line.substr(0, line.size() - kCheckBytes);
  std::string check;
  WriteCheck(text, check);
  const std::string_view given = line.substr(line.size() - kCheckDigits - 2, kCheckDigits);
  *without = text;
  *without += '}';
  if (check == given) return true;
  *expected = fmt::format("the text with check {}", given);
  *found = fmt::format("one with {}", check);
  return false;
}

void WriteHead(const ExportHead& head, std::string& out) {
  const size_t begin = out.size();
  Add("{\"export\":\"stele\",\"format\":", kJsonLinesFormat, out);
  Add(",\"shard\":", head.shard.value, out);
  out += head.partial.empty() ? ",\"whole\":true" : ",\"whole\":false";
  if (!head.partial.empty()) AddText(",\"partial\":", head.partial, out);
  if (head.sealed) out += ",\"sealed\":true";
  EndLine(begin, out);
}

void WriteEnd(const ExportCounts& counts, const eventstore::Hash* hash, std::string& out) {
  const size_t begin = out.size();
  Add("{\"end\":{\"records\":", counts.records, out);
  Add(",\"events\":", counts.events, out);
  if (counts.purged != 0) Add(",\"purged\":", counts.purged, out);
  if (hash != nullptr) AddHash(",\"hash\":", *hash, out);
  out += '}';
  EndLine(begin, out);
}

void JsonLines::WriteRecord(const ExportedRecord& exported, size_t events, bool exact,
                            std::string& out) {
  const eventstore::RecordView& record = exported.record;
  Add(",\"record\":{\"events\":", events, out);
  AddHash(",\"hash\":", *exported.leaf, out);
  if (exported.was_sealed) {
    frame_.clear();
    eventstore::AppendFrame(record.header, record.body, &frame_);
    AddHash(",\"clear\":", eventstore::LeafHash(record.position, frame_), out);
  }
  if (!exact) AddText(",\"body\":", Base64(record.body), out);
  out += '}';
  if (exported.block != nullptr) AddHash(",\"block\":", *exported.block, out);
}

Result<uint64_t> JsonLines::Write(const ExportedRecord& exported, std::string& out) {
  const eventstore::RecordView& record = exported.record;
  auto events = model::Decode(record.body);
  if (!events.has_value()) return std::unexpected(std::move(events).error());
  // The first line tells of all, so that what it says is known before it is written.
  const size_t begin = out.size();
  line_.clear();
  bool exact = !whole_ || encoder_.Encode(*events) == record.body;
  size_t first_end = 0;
  for (size_t ordinal = 0; ordinal < events->size(); ++ordinal) {
    const model::Event& event = (*events)[ordinal];
    const size_t line = line_.size();
    Add("{\"position\":", record.position.value, line_);
    Add(",\"ordinal\":", ordinal, line_);
    Add(",\"seq\":", record.header.first_seq.value + ordinal, line_);
    WriteAbout(exported, line_);
    AddText(",\"event\":", model::EventName(event), line_);
    line_ += ",\"data\":";
    exact &= WriteEventData(event, line_);
    if (exported.definition != nullptr) {
      const size_t key = line_.size();
      line_ += ",\"ids\":";
      if (!WriteEventIds(event, *exported.definition->definition, line_)) line_.resize(key);
    }
    if (ordinal == 0 && whole_) {
      first_end = line_.size();
    } else {
      EndLine(line, line_);
    }
  }
  if (!whole_) {
    out += line_;
    return events->size();
  }
  out.append(line_, 0, first_end);
  WriteRecord(exported, events->size(), exact, out);
  EndLine(begin, out);
  out.append(line_, first_end);
  return events->size();
}

void JsonLines::WritePurged(const PurgedRecords& purged, std::string& out) {
  const size_t begin = out.size();
  Add("{\"position\":", purged.first.value, out);
  Add(",\"purged\":", purged.node.records, out);
  AddHash(",\"hash\":", purged.node.hash, out);
  if (purged.block != nullptr) AddHash(",\"block\":", *purged.block, out);
  EndLine(begin, out);
}

}  // namespace stele::replay
