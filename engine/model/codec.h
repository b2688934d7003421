// Events to a record's body and back: the only reader and writer of schemas/record.capnp.
//
// A body is one Cap'n Proto segment, unpacked, without a segment table, its root a schema::Record;
// always a multiple of 8 bytes. Bodies come from a disk and are not trusted: damage is an Error,
// never a crash, and the memory that decoding takes is bounded by the body's size.
//
// Thread: an encoder belongs to one thread at a time; the functions may be called from any.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "engine/model/event.h"
#include "engine/model/scratch.h"

namespace stele::model {

// The highest Record.format that this build reads, and the one that it writes.
inline constexpr uint16_t kRecordFormat = 1;

class RecordEncoder {
 public:
  // The body; good until the next call. REQUIRES: no payload is an empty text, and no text is
  // longer than 512 MiB (base/json.h refuses JSON long before).
  std::string_view Encode(std::span<const Event> events);

 private:
  Scratch scratch_;
};

// All events of a body. kStoreCorrupt: no record, or a damaged one. kStoreUnknownFormat: a record
// format, event or enum number that this build does not know; the message names it.
Result<std::vector<Event>> Decode(std::string_view body);

namespace internal {
using EventSink = ::stele::Status (*)(void* context, Event& event);
::stele::Status DecodeInto(std::string_view body, EventSink sink, void* context);
}  // namespace internal

// Calls visit(Event&) for each event of the body, in order, with one Event that is used again: no
// allocation but for the texts of payloads and long strings. `visit` may take from the event what
// it wants, and returns nothing or a Status, whose error ends the walk and is returned. What was
// visited before an error stays visited.
template <class Visit>
::stele::Status DecodeEach(std::string_view body, Visit&& visit) {
  using Function = std::remove_reference_t<Visit>;
  return internal::DecodeInto(
      body,
      [](void* context, Event& event) -> ::stele::Status {
        Function& call = *static_cast<Function*>(context);
        if constexpr (std::is_void_v<std::invoke_result_t<Function&, Event&>>) {
          call(event);
          return {};
        } else {
          return call(event);
        }
      },
      const_cast<void*>(static_cast<const void*>(&visit)));
}

// "step_activated", …
std::string_view EventName(const Event& event);
// By the alternative's index in the variant. REQUIRES: index < kEventKinds.
inline constexpr size_t kEventKinds = std::variant_size_v<Event>;
std::string_view EventNameAt(size_t index);
// The event's number in schemas/record.capnp: stable for ever, unlike the variant's index.
uint16_t EventNumber(const Event& event);

}  // namespace stele::model
