// Checking a proof without the log.
#include <fmt/format.h>

#include "engine/model/codec.h"
#include "engine/model/event_json.h"
#include "eventstore/format.h"
#include "eventstore/tree_proof.h"
#include "replay/audit/proof.h"
#include "replay/export/blanked_body.h"

namespace stele::replay {
namespace {

std::unexpected<Error> Bad(const std::string& expected, const std::string& found) {
  return Fail(ErrorCode::kBadProof, fmt::format("Expected {} but found {}", expected, found));
}

Status CheckPath(const ProvedRecord& record, const eventstore::TreeHead& head) {
  const uint64_t position = record.position.value;
  if (position == 0 || position > head.size)
    return Bad(fmt::format("a position from 1 to {}, what the head is over", head.size),
               fmt::format("{}", position));
  const auto root = eventstore::RootByInclusion(
      position - 1, head.size, eventstore::LeafHash(record.position, record.frame), record.path);
  if (root == head.root) return {};
  return Bad(fmt::format("a record that the log has at position {}", position),
             "that its bytes and its path do not lead to the signed root");
}

Result<CheckedRecord> Decode(const ProvedRecord& record, InstanceId instance) {
  eventstore::RecordView view;
  size_t size = 0;
  Error error{};
  if (!eventstore::DecodeFrame(record.frame, ShardId(0), record.position, &view, &size, &error))
    return Fail(ErrorCode::kBadProof, error.message);
  if (size != record.frame.size())
    return Bad("a frame and nothing behind it",
               fmt::format("{} bytes", record.frame.size() - size));
  const eventstore::RecordHeader& header = view.header;
  if (header.instance != instance)
    return Bad(fmt::format("records of instance {}", instance.value),
               fmt::format("one of instance {} at position {}", header.instance.value,
                           record.position.value));
  CheckedRecord checked{.position = record.position,
                        .time = header.time,
                        .first = header.first_seq,
                        .last = header.first_seq.Plus(header.event_count - 1),
                        .actor = std::string(header.actor),
                        .source = std::string(header.source),
                        .sealed = !view.seal.empty(),
                        .events = {}};
  BlankedBody without_payloads;
  if (checked.sealed)
    if (const Status blanked = without_payloads.Blank(view); !blanked.has_value())
      return Fail(ErrorCode::kBadProof, blanked.error().message);
  auto events = model::Decode(view.body);
  if (!events.has_value()) return Fail(ErrorCode::kBadProof, events.error().message);
  if (events->size() != header.event_count)
    return Bad(fmt::format("{} events at position {}", header.event_count, record.position.value),
               fmt::format("{}", events->size()));
  for (const model::Event& event : *events) checked.events.push_back(model::EventToJson(event));
  return checked;
}

// That it is the next one of the instance.
Status CheckOrder(const CheckedProof& proof, const CheckedRecord& record) {
  if (proof.event) {
    if (proof.records.empty() && record.first <= *proof.event && *proof.event <= record.last)
      return {};
    return Bad(fmt::format("the record with event {} alone", proof.event->value),
               fmt::format("one with events {} to {}", record.first.value, record.last.value));
  }
  const Seq next = proof.records.empty() ? Seq(1) : proof.records.back().last.Next();
  if (record.first != next)
    return Bad(fmt::format("event {} of instance {} next", next.value, proof.instance.value),
               fmt::format("event {}", record.first.value));
  if (proof.records.empty() || record.position > proof.records.back().position) return {};
  return Bad(fmt::format("positions that rise behind {}", proof.records.back().position.value),
             fmt::format("{}", record.position.value));
}

}  // namespace

Result<CheckedProof> CheckProof(const Proof& proof,
                                const std::vector<eventstore::NoteVerifier>& keys) {
  const auto head = eventstore::ParseHead(proof.head);
  if (!head.has_value()) return std::unexpected(head.error());
  const auto signer = eventstore::SignerOf(*head, keys);
  if (!signer.has_value()) return std::unexpected(signer.error());
  CheckedProof checked{.head = head->head,
                       .key = (*signer)->Title(),
                       .instance = proof.instance,
                       .event = proof.event,
                       .records = {}};
  for (const ProvedRecord& record : proof.records) {
    STELE_RETURN_IF_ERROR(CheckPath(record, head->head));
    auto decoded = Decode(record, proof.instance);
    if (!decoded.has_value()) return std::unexpected(decoded.error());
    STELE_RETURN_IF_ERROR(CheckOrder(checked, *decoded));
    checked.records.push_back(*std::move(decoded));
  }
  if (checked.records.empty()) return Bad("a record at least", "none");
  return checked;
}

}  // namespace stele::replay
