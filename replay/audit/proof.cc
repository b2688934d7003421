#include "replay/audit/proof.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "eventstore/for_each_record.h"
#include "eventstore/little_endian.h"
#include "eventstore/tree_reader.h"
#include "replay/audit/document.h"

namespace stele::replay {
namespace {

constexpr std::string_view kFormat = "stele-proof";
constexpr uint64_t kVersion = 1;

// The positions of the instance's records, or of the one that holds the event.
Result<std::vector<Position>> PositionsOf(const eventstore::EventStore& store, ShardId shard,
                                          InstanceId instance, std::optional<Seq> event) {
  std::vector<Position> positions;
  const auto take = [&](const eventstore::RecordView& record) -> Result<bool> {
    if (event && record.header.first_seq > *event) return false;
    positions.push_back(record.position);
    return !event.has_value();
  };
  STELE_RETURN_IF_ERROR(
      eventstore::ForEachRecord(store.ReadInstance(shard, instance, event.value_or(Seq(1))), take));
  if (!positions.empty()) return positions;
  return Fail(
      ErrorCode::kUnknownInstance,
      event ? fmt::format("Expected an event {} of instance {} but found none", event->value,
                          instance.value)
            : fmt::format("Expected an instance but found none with number {}", instance.value));
}

}  // namespace

Result<MadeProof> MakeProof(const eventstore::EventStore& store, ShardId shard, InstanceId instance,
                            std::optional<Seq> event, size_t most_bytes) {
  const auto positions = PositionsOf(store, shard, instance, event);
  if (!positions.has_value()) return std::unexpected(positions.error());
  const auto tree = store.Tree(shard);
  const auto note = tree->NewestHead();
  if (!note.has_value()) return std::unexpected(note.error());
  if (!note->has_value())
    return Fail(ErrorCode::kUnknownHead,
                "Expected a signed head of the log to prove records under but found none; "
                "\"audit\" in settings.json names the key that signs (docs/audit.md)");
  const auto head = eventstore::ParseHead(**note);
  if (!head.has_value()) return std::unexpected(head.error());
  const uint64_t size = head->head.size;
  size_t bytes = 0;
  MadeProof made{.proof = {**note, instance, event, {}}, .covered = size, .left_out = 0};
  for (const Position position : *positions) {
    if (position.value > size) {
      ++made.left_out;
      continue;
    }
    auto frame = tree->Frame(position);
    if (!frame.has_value()) return std::unexpected(frame.error());
    if (!frame->has_value())
      return Fail(ErrorCode::kInstanceErased,
                  fmt::format("Expected the record at position {} but found that it was cut out of "
                              "the log",
                              position.value));
    auto path = tree->InclusionPath(position.value - 1, size);
    if (!path.has_value()) return std::unexpected(path.error());
    bytes += (*frame)->size() + path->size() * sizeof(eventstore::Hash);
    if (bytes > most_bytes)
      return Fail(ErrorCode::kLimitExceeded,
                  fmt::format("Expected at most {} bytes of records and hashes in one proof but "
                              "found more up to position {}; ask for one event's, or a server's "
                              "data directory, which gives more",
                              most_bytes, position.value));
    made.proof.records.push_back({position, **std::move(frame), *std::move(path)});
  }
  if (!made.proof.records.empty()) return made;
  return Fail(ErrorCode::kUnknownHead,
              fmt::format("Expected a signed head over position {} but found that the newest is "
                          "over {} records; the next one comes when enough is recorded, or when "
                          "whoever has the log open ends",
                          positions->front().value, size));
}

Result<MadeProof> MakeCurrentProof(eventstore::EventStore& store, ShardId shard,
                                   InstanceId instance, std::optional<Seq> event,
                                   size_t most_bytes) {
  auto made = MakeProof(store, shard, instance, event, most_bytes);
  const bool wanting =
      made.has_value() ? made->left_out > 0 : made.error().code == ErrorCode::kUnknownHead;
  if (!wanting || store.head_verifier() == nullptr) return made;
  STELE_RETURN_IF_ERROR(store.SignHead(shard));
  return MakeProof(store, shard, instance, event, most_bytes);
}

Value ToJson(const Proof& proof) {
  Object document{{"format", std::string(kFormat)},
                  {"version", static_cast<int64_t>(kVersion)},
                  {"head", proof.head},
                  {"instance", static_cast<int64_t>(proof.instance.value)}};
  if (proof.event) document.Set("event", static_cast<int64_t>(proof.event->value));
  Array records;
  for (const ProvedRecord& record : proof.records)
    records.push_back(Object{{"position", static_cast<int64_t>(record.position.value)},
                             {"frame", Base64(record.frame)},
                             {"path", HashTexts(record.path)}});
  document.Set("records", std::move(records));
  return document;
}

Result<Proof> ParseProof(const Value& document) {
  MemberReader members(document, "the proof");
  const std::string format = members.Text("format");
  const uint64_t version = members.Number("version");
  Proof proof{.head = members.Text("head"),
              .instance = InstanceId(members.Number("instance")),
              .event = {},
              .records = {}};
  if (members.Has("event")) proof.event = Seq(members.Number("event"));
  for (const Value& item : members.Items("records")) {
    MemberReader record(item, "a record of the proof");
    proof.records.push_back(
        {Position(record.Number("position")), record.Bytes("frame"), record.Hashes("path")});
    STELE_RETURN_IF_ERROR(record.Finish());
  }
  STELE_RETURN_IF_ERROR(members.Finish());
  if (format == kFormat && version == kVersion) return proof;
  return Fail(ErrorCode::kBadProof,
              fmt::format("Expected a proof of the format {} {} but found {} {}", kFormat, kVersion,
                          format, version));
}

std::string ToTlogProof(const Proof& proof) {
  const ProvedRecord& record = proof.records.front();
  char position[8];
  eventstore::StoreLittle(record.position.value, position);
  std::string text = fmt::format("c2sp.org/tlog-proof@v1\nextra {}\nindex {}\n",
                                 Base64(std::string(position, sizeof position) + record.frame),
                                 record.position.value - 1);
  for (const eventstore::Hash& hash : record.path) text += eventstore::HashText(hash) + "\n";
  return text + "\n" + proof.head;
}

}  // namespace stele::replay
