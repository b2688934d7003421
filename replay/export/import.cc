#include "replay/export/import.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/base64.h"
#include "eventstore/format.h"
#include "eventstore/limits.h"
#include "replay/export/event_text.h"
#include "replay/export/json_lines.h"

namespace stele::replay {
namespace {

// What a sentence shows of a text.
std::string Shown(std::string_view text) {
  constexpr size_t kMost = 80;
  if (text.empty()) return "nothing";
  return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "…";
}

// Members that say the same in all lines of a record.
constexpr std::string_view kOfRecord[] = {"position",  "instance",   "time",    "actor", "source",
                                          "causation", "definition", "version", "erased"};

}  // namespace

std::unexpected<Error> JsonLinesImport::Wrong(const std::string& expected, const std::string& found,
                                              ErrorCode code) const {
  return Fail(code, fmt::format("Expected {} in line {} but found {}", expected, line_, found));
}

std::string_view JsonLinesImport::Member(std::string_view key) const {
  for (const JsonMember& member : members_)
    if (member.key == key) return member.value;
  return {};
}

Status JsonLinesImport::TakeNumber(std::string_view key, uint64_t* number) const {
  const std::string_view literal = Member(key);
  *number = 0;
  if (literal.empty()) return {};
  const auto taken = UnsignedOf(literal);
  if (!taken) return Wrong(fmt::format("a number as \"{}\"", key), Shown(literal));
  *number = *taken;
  return {};
}

Status JsonLinesImport::TakeHash(std::string_view literal, eventstore::Hash* hash) const {
  const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
  bool fits = literal.size() == 2 * hash->size() + 2;
  for (size_t i = 0; fits && i < hash->size(); ++i) {
    const char high = literal[1 + 2 * i], low = literal[2 + 2 * i];
    fits = std::string_view("0123456789abcdef").contains(high) &&
           std::string_view("0123456789abcdef").contains(low);
    (*hash)[i] = static_cast<uint8_t>(digit(high) * 16 + digit(low));
  }
  if (fits) return {};
  return Wrong("a hash of 64 hexadecimal digits", Shown(literal));
}

Status JsonLinesImport::Take(std::string_view line) {
  ++line_;
  std::string expected, found;
  if (ended_) return Wrong("no line behind the export's last one", Shown(line));
  if (!CheckLine(line, &text_, &expected, &found)) return Wrong(expected, Shown(found));
  if (!TakeMembers(text_, &members_)) return Wrong("a JSON object", Shown(text_));
  if (!begun_) return TakeHead();
  if (!Member("end").empty()) return TakeEnd();
  if (!Member("purged").empty())
    return Wrong("a record",
                 fmt::format("that {} were purged: their hashes are left of them, of which no "
                             "import makes a log; use \"stele backup\" and \"stele restore\"",
                             Member("purged")),
                 ErrorCode::kUnsupported);
  return TakeEvent();
}

Status JsonLinesImport::TakeHead() {
  if (Member("export") != "\"stele\"")
    return Wrong("the first line of an export of Stele", Shown(text_));
  if (Member("format") != fmt::format("{}", kJsonLinesFormat))
    return Wrong(fmt::format("format {}", kJsonLinesFormat), Shown(Member("format")),
                 ErrorCode::kUnsupported);
  if (Member("whole") != "true")
    return Wrong("an export of the whole log",
                 fmt::format("a part of it: {}", Shown(Member("partial"))),
                 ErrorCode::kUnsupported);
  if (Member("shard") != "0")
    return Wrong("shard 0", Shown(Member("shard")), ErrorCode::kUnsupported);
  sealed_ = Member("sealed") == "true";
  if (sealed_ && !seals_)
    return Wrong("a log in clear, or a key to seal payloads with (--settings)",
                 "that they were sealed in the log that it is of", ErrorCode::kMasterKey);
  begun_ = true;
  return {};
}

Status JsonLinesImport::TakeEvent() {
  const bool begins = awaited_ == 0;
  STELE_RETURN_IF_ERROR(begins ? BeginRecord() : CheckGoesOn());
  const auto name = StringOf(Member("event"));
  if (!name) return Wrong("the name of an event", Shown(Member("event")));
  const std::string_view data = Member("data");
  if (has_body_) {
    // What the body holds is compared with it when all lines are there.
    data_.emplace_back(fmt::format("{} {}", *name, data));
  } else {
    auto event = ReadEventData(*name, data);
    if (!event.has_value())
      return Fail(ErrorCode::kBackupDamaged,
                  fmt::format("line {}: {}", line_, event.error().message));
    events_.push_back(*std::move(event));
  }
  if (--awaited_ > 0) return {};
  return EndRecord();
}

Status JsonLinesImport::BeginRecord() {
  uint64_t position = 0, ordinal = 0, seq = 0, instance = 0, causation = 0;
  STELE_RETURN_IF_ERROR(TakeNumber("position", &position));
  STELE_RETURN_IF_ERROR(TakeNumber("ordinal", &ordinal));
  const uint64_t next = tail_.next.value + batch_.count();
  if (position != next || ordinal != 0)
    return Wrong(fmt::format("event 0 of position {}", next),
                 fmt::format("event {} of position {}", ordinal, position));
  if (Member("erased") == "true")
    return Wrong("a record with its payloads",
                 "that they were erased, which no import can make again; use \"stele backup\" and "
                 "\"stele restore\"",
                 ErrorCode::kUnsupported);
  STELE_RETURN_IF_ERROR(TakeNumber("seq", &seq));
  STELE_RETURN_IF_ERROR(TakeNumber("instance", &instance));
  STELE_RETURN_IF_ERROR(TakeNumber("causation", &causation));
  const auto time = SignedOf(Member("time"));
  if (!time) return Wrong("a number as \"time\"", Shown(Member("time")));
  actor_ = StringOf(Member("actor")).value_or(std::string());
  source_ = StringOf(Member("source")).value_or(std::string());
  first_.clear();
  for (const std::string_view key : kOfRecord) first_.append(Member(key)).append(",");

  const std::string_view block = Member("block");
  ends_block_ = !block.empty();
  if (ends_block_) STELE_RETURN_IF_ERROR(TakeHash(block, &block_hash_));
  Members record;
  if (!TakeMembers(Member("record"), &record))
    return Wrong("\"record\" in the first line of a record", Shown(Member("record")));
  const Members line = std::exchange(members_, std::move(record));
  STELE_RETURN_IF_ERROR(TakeNumber("events", &awaited_));
  STELE_RETURN_IF_ERROR(TakeHash(Member("hash"), &leaf_));
  clear_ = leaf_;
  if (const auto clear = Member("clear"); !clear.empty()) {
    // Else any record could take the place of one that was never sealed, and its hash stay.
    if (!sealed_) return Wrong("no hash as \"clear\", for the log was not sealed", Shown(clear));
    STELE_RETURN_IF_ERROR(TakeHash(clear, &clear_));
  }
  const auto body = StringOf(Member("body"));
  has_body_ = body.has_value();
  body_ = DecodeBase64(body.value_or("")).value_or("");
  members_ = line;
  if (awaited_ == 0 || awaited_ > UINT32_MAX) return Wrong("a record with events", "none");
  header_ = {.instance = InstanceId(instance),
             .first_seq = Seq(seq),
             .event_count = static_cast<uint32_t>(awaited_),
             .time = TimeUs(*time),
             .causation = Position(causation),
             .actor = {},
             .source = {}};
  events_.clear();
  data_.clear();
  return {};
}

Status JsonLinesImport::CheckGoesOn() {
  const uint64_t position = tail_.next.value + batch_.count();
  const uint64_t at = header_.event_count - awaited_;
  uint64_t ordinal = 0, seq = 0, given = 0;
  STELE_RETURN_IF_ERROR(TakeNumber("position", &given));
  STELE_RETURN_IF_ERROR(TakeNumber("ordinal", &ordinal));
  STELE_RETURN_IF_ERROR(TakeNumber("seq", &seq));
  if (given != position || ordinal != at)
    return Wrong(fmt::format("event {} of position {}", at, position),
                 fmt::format("event {} of position {}", ordinal, given));
  std::string said;
  for (const std::string_view key : kOfRecord) said.append(Member(key)).append(",");
  if (said != first_ || seq != header_.first_seq.value + at)
    return Wrong(fmt::format("what the first line of position {} says, and seq {},", position,
                             header_.first_seq.value + at),
                 fmt::format("{} and seq {}", Shown(said), seq));
  return {};
}

Status JsonLinesImport::CheckEvents(std::string_view body) const {
  const auto events = model::Decode(body);
  if (!events.has_value()) return Wrong("a record's body", events.error().message);
  if (events->size() != data_.size())
    return Wrong(fmt::format("a body with {} events", data_.size()),
                 fmt::format("{}", events->size()));
  for (size_t i = 0; i < data_.size(); ++i) {
    std::string data(model::EventName((*events)[i]));
    data += ' ';
    WriteEventData((*events)[i], data);
    if (data != data_[i])
      return Wrong(fmt::format("event {} as its body has it: {}", i, Shown(data)), Shown(data_[i]));
  }
  return {};
}

Status JsonLinesImport::AddRecord(std::string_view body) {
  const Position position(tail_.next.value + batch_.count());
  header_.actor = actor_;
  header_.source = source_;
  const bool fits = body.size() % eventstore::kFrameAlignment == 0 &&
                    actor_.size() <= eventstore::kMaxActorBytes &&
                    source_.size() <= eventstore::kMaxSourceBytes &&
                    body.size() <= eventstore::kMaxRecordBytes / 2 &&
                    batch_.bytes() + body.size() <= eventstore::kMaxBlockBytes &&
                    batch_.count() < eventstore::kMaxBlockRecords;
  if (!fits) return Wrong("a record and a block within their limits", "a larger one");
  batch_.Add(header_, body);
  const eventstore::Hash hash =
      eventstore::LeafHash(position, batch_.frames().substr(batch_.offsets().back()));
  if (hash != clear_)
    return Wrong(fmt::format("the record at position {} with hash {}", position.value,
                             eventstore::ToHex(clear_)),
                 fmt::format("one with {}", eventstore::ToHex(hash)));
  leaves_.push_back(leaf_);
  ++report_.counts.records;
  report_.counts.events += header_.event_count;
  return {};
}

Status JsonLinesImport::EndRecord() {
  if (has_body_) {
    // A copy that is aligned as bodies are.
    std::vector<uint64_t> aligned((body_.size() + 7) / 8);
    std::memcpy(aligned.data(), body_.data(), body_.size());
    const std::string_view body(reinterpret_cast<const char*>(aligned.data()), body_.size());
    STELE_RETURN_IF_ERROR(CheckEvents(body));
    STELE_RETURN_IF_ERROR(AddRecord(body));
  } else {
    STELE_RETURN_IF_ERROR(AddRecord(encoder_.Encode(events_)));
  }
  return ends_block_ ? EndBlock() : Status();
}

Status JsonLinesImport::EndBlock() {
  eventstore::RecordTree tree(batch_.count());
  for (const eventstore::Hash& leaf : leaves_) tree.AddLeaf(leaf);
  const eventstore::Hash link = eventstore::LinkHash(
      {eventstore::kFormatVersion, ShardId(0), tail_.next, batch_.count(), tail_.hash},
      tree.Root());
  if (link != block_hash_)
    return Wrong(fmt::format("a block with hash {}", eventstore::ToHex(link)),
                 eventstore::ToHex(block_hash_));
  const auto end = log_.Add(batch_);
  if (!end.has_value()) return std::unexpected(end.error());
  tail_ = {end->next, link};
  report_.imported = end->hash;
  report_.exported = link;
  batch_.Clear();
  leaves_.clear();
  return {};
}

Status JsonLinesImport::TakeEnd() {
  const uint64_t position = tail_.next.value + batch_.count();
  if (awaited_ != 0 || batch_.count() != 0)
    return Wrong(fmt::format("the rest of the block with position {}",
                             awaited_ != 0 ? position : position - 1),
                 "the export's last line");
  Members end;
  if (!TakeMembers(Member("end"), &end)) return Wrong("an object as \"end\"", Shown(Member("end")));
  members_ = std::move(end);
  uint64_t records = 0, events = 0;
  STELE_RETURN_IF_ERROR(TakeNumber("records", &records));
  STELE_RETURN_IF_ERROR(TakeNumber("events", &events));
  eventstore::Hash hash{};
  if (const auto given = Member("hash"); !given.empty())
    STELE_RETURN_IF_ERROR(TakeHash(given, &hash));
  const ExportCounts& counts = report_.counts;
  if (records != counts.records || events != counts.events || hash != tail_.hash)
    return Wrong(fmt::format("{} records with {} events and hash {}", counts.records, counts.events,
                             eventstore::ToHex(tail_.hash)),
                 fmt::format("{} records with {} events and hash {}", records, events,
                             eventstore::ToHex(hash)));
  ended_ = true;
  return {};
}

Result<ImportReport> JsonLinesImport::Finish() {
  if (ended_) return report_;
  ++line_;
  return Wrong("the export's last line", "the end of the file");
}

}  // namespace stele::replay
