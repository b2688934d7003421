// Messages from outside. A message with an id is published once: one that comes again is answered
// with the first, and one that is another message under the same id is refused.
#include <fmt/format.h>

#include "engine/decide/limits.h"
#include "engine/runtime/keys.h"
#include "engine/runtime/shard.h"

namespace stele::runtime {

namespace {

// The message that the log has at that place; nothing: it was erased or purged.
Result<std::optional<model::MessagePublished>> ReadMessage(const eventstore::EventStore& store,
                                                           ShardId shard,
                                                           const MessagePlace& place) {
  auto cursor = store.Read(shard, place.position);
  if (!cursor.has_value()) return std::unexpected(cursor.error());
  auto record = (*cursor)->Next();
  if (!record.has_value()) return std::unexpected(record.error());
  if (!record->has_value())
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected a record at position {} but found the end of the log",
                            place.position.value));
  // Cut out with the instance that published it, or not to be read any more.
  if ((*record)->position != place.position || (*record)->erased) return std::nullopt;
  Result<std::vector<model::Event>> events = model::Decode((*record)->body);
  if (!events.has_value()) return std::unexpected(events.error());
  uint32_t ordinal = 0;
  for (model::Event& event : *events)
    if (auto* message = std::get_if<model::MessagePublished>(&event))
      if (ordinal++ == place.ordinal) return std::move(*message);
  return Fail(
      ErrorCode::kStoreCorrupt,
      fmt::format("Expected a message at position {} but found none", place.position.value));
}

bool IsSame(const Payload& a, const Payload& b) {
  if (a.text() == b.text()) return true;
  return a.has_value() && b.has_value() && a.value() == b.value();
}

// In what the second message is another one than the first; empty: it is the same.
std::string DifferenceOf(const model::MessagePublished& first,
                         const model::MessagePublished& second) {
  if (first.name != second.name)
    return fmt::format("the name \"{}\" but found \"{}\"", first.name, second.name);
  if (first.key != second.key)
    return fmt::format("the key \"{}\" but found \"{}\"", first.key, second.key);
  return IsSame(first.payload, second.payload) ? "" : "its payload but found another one";
}

}  // namespace

void Shard::AnswerKnown(const MessagePlace& first, const model::MessagePublished& message,
                        const Answer& answer) const {
  const auto known = ReadMessage(*parts_.store, options_.shard, first);
  if (!known.has_value()) return answer(std::unexpected(known.error()));
  const std::string difference = known->has_value() ? DifferenceOf(**known, message) : "";
  if (difference.empty()) return answer(first.position);
  answer(Fail(ErrorCode::kDuplicateKey,
              fmt::format("Expected the message with the id \"{}\" of position {} again, with {}",
                          message.message_id, first.position.value, difference)));
}

void Shard::Publish(model::MessagePublished message, model::Asker asker, Answer answer) {
  if (RefuseStopped(answer)) return;
  if (message.name.empty())
    return answer(Fail(ErrorCode::kInvalidInput, "Expected the name of a message but found none"));
  if (auto refused = RefuseKeys(message)) return answer(std::unexpected(*refused));
  if (message.payload.text().size() > options_.max_payload_bytes)
    return answer(Fail(ErrorCode::kLimitExceeded,
                       fmt::format("Expected at most {} bytes of payload but found {} "
                                   "(max_payload_bytes)",
                                   options_.max_payload_bytes, message.payload.text().size())));
  // A command waits for room in the inbox; a message is recorded at once.
  if (BytesInFlight() >= options_.max_bytes_in_flight)
    return answer(Fail(ErrorCode::kBackPressure,
                       fmt::format("Expected at most {} bytes on their way to the disk but found "
                                   "as many; try again later",
                                   options_.max_bytes_in_flight)));
  if (!message.message_id.empty()) {
    const auto first = board_.FirstWithId(message.message_id);
    if (!first.has_value()) return answer(std::unexpected(first.error()));
    if (first->has_value())
      // The first may be on its way to the disk.
      return WhenDurable([this, first = **first, message = std::move(message),
                          answer = std::move(answer)](const Result<Position>& durable) {
        if (!durable.has_value()) return answer(durable);
        AnswerKnown(first, message, answer);
      });
  }
  if (!message.expires) message.expires = ReadClock().Plus(decide::kMessageTimeToLiveUs);
  const std::string name = message.name;
  const std::string key = message.key;
  RecordOfRegistry(std::move(message), asker, std::move(answer));
  Route(name, key);
}

}  // namespace stele::runtime
