#include "engine/model/codec.h"

#include <capnp/schema.h>
#include <fmt/format.h>

#include <type_traits>

#include "base/check.h"
#include "engine/model/event_fields.h"
#include "engine/model/field_codec.h"
#include "engine/model/segment.h"

namespace stele::model {
namespace {

constexpr std::string_view kWhat = "a record";

struct EventRow {
  std::string_view name;
  uint16_t number;
};
#define STELE_EVENT_ROW(Type, name, WHICH) {name, static_cast<uint16_t>(schema::Event::WHICH)},
constexpr EventRow kRows[] = {STELE_EVENTS(STELE_EVENT_ROW)};
#undef STELE_EVENT_ROW

// The rows stand in the order of the variant.
template <class... Types>
struct TypeList {};
#define STELE_EVENT_TYPE(Type, name, WHICH) , Type
template <class Ignored, class... Types>
std::variant<Types...> VariantOf(TypeList<Ignored, Types...>);
static_assert(
    std::is_same_v<decltype(VariantOf(TypeList<void STELE_EVENTS(STELE_EVENT_TYPE)>{})), Event>);
#undef STELE_EVENT_TYPE

#define STELE_EVENT_CODEC(Type, name, WHICH) STELE_STRUCT_CODEC(Type)
STELE_EVENTS(STELE_EVENT_CODEC)
#undef STELE_EVENT_CODEC

// Fails to compile when event.h and the table of fields differ in number.
struct Anything {
  template <class T>
  operator T() const;
};
template <class Type, class... Members>
constexpr size_t MembersOf() {
  if constexpr (requires { Type{Members()..., Anything()}; }) {
    return MembersOf<Type, Members..., Anything>();
  } else {
    return sizeof...(Members);
  }
}
#define STELE_COUNT_FIELD(member, Accessor) +1
#define STELE_CHECK_FIELDS(Type, name, WHICH) \
  static_assert(MembersOf<Type>() == 0 STELE_FIELDS_##Type(STELE_COUNT_FIELD), #Type);
STELE_EVENTS(STELE_CHECK_FIELDS)
#undef STELE_CHECK_FIELDS
#undef STELE_COUNT_FIELD

#define STELE_PUT_EVENT(Type, name, WHICH)                            \
  inline void PutEvent(const Type& event, schema::Event::Builder b) { \
    Put(event, b.init##Type());                                       \
  }
STELE_EVENTS(STELE_PUT_EVENT)
#undef STELE_PUT_EVENT

// The value of `event` as a Type, whatever it held before.
template <class Type>
Type& As(Event& event) {
  Type* held = std::get_if<Type>(&event);
  return held != nullptr ? *held : event.emplace<Type>();
}

// An event that is in the schema but not in this build, or in neither.
Error UnknownEvent(uint16_t number) {
  for (const capnp::StructSchema::Field field :
       capnp::Schema::from<schema::Event>().getUnionFields()) {
    if (field.getProto().getDiscriminantValue() != number) continue;
    return {ErrorCode::kStoreUnknownFormat,
            fmt::format("Expected an event that this build reads but found number {} ({})", number,
                        field.getProto().getName().cStr())};
  }
  return {ErrorCode::kStoreUnknownFormat,
          fmt::format("Expected an event that this build reads but found number {}", number)};
}

// False when the number is unknown.
bool TakeEvent(Event& event, schema::Event::Reader r, Fault& fault) {
  switch (r.which()) {
#define STELE_TAKE_EVENT(Type, name, WHICH)      \
  case schema::Event::WHICH:                     \
    Take(As<Type>(event), r.get##Type(), fault); \
    return true;
    STELE_EVENTS(STELE_TAKE_EVENT)
#undef STELE_TAKE_EVENT
    // Numbers that are fixed but that this build neither writes nor reads.
    case schema::Event::CHILD_ENDED:
    case schema::Event::USER_CHANGED:
    case schema::Event::LEASE_GRANTED:
    case schema::Event::LEASE_EXPIRED:
    case schema::Event::SINGLE_STEP_SET:
      return false;
  }
  return false;
}

::stele::Status TakeChecked(Event& event, schema::Event::Reader r) {
  Fault fault;
  if (!TakeEvent(event, r, fault)) [[unlikely]] {
    return std::unexpected(UnknownEvent(static_cast<uint16_t>(r.which())));
  }
  if (fault.kind != Fault::Kind::kNone) [[unlikely]] {
    return std::unexpected(ErrorOf(fault, EventName(event)));
  }
  return {};
}

// read(List(Event)) -> Status, once the format is known to be one of ours.
template <class Read>
::stele::Status ReadRecord(std::string_view body, Read read) {
  return ReadSegment(body, kWhat, [&](capnp::MessageReader& message) -> ::stele::Status {
    const auto record = message.getRoot<schema::Record>();
    if (record.getFormat() != kRecordFormat) [[unlikely]] {
      return Fail(ErrorCode::kStoreUnknownFormat,
                  fmt::format("Expected a record of format {} but found format {}", kRecordFormat,
                              record.getFormat()));
    }
    return read(record.getEvents());
  });
}

}  // namespace

std::string_view RecordEncoder::Encode(std::span<const Event> events) {
  return BuildSegment(scratch_, Scratch::kFirstWords, [&](capnp::MessageBuilder& message) {
    auto record = message.initRoot<schema::Record>();
    record.setFormat(kRecordFormat);
    auto list = record.initEvents(static_cast<uint32_t>(events.size()));
    for (uint32_t i = 0; i < events.size(); ++i) {
      std::visit([b = list[i]](const auto& event) { PutEvent(event, b); }, events[i]);
    }
  });
}

Result<std::vector<Event>> Decode(std::string_view body) {
  std::vector<Event> events;
  STELE_RETURN_IF_ERROR(ReadRecord(body, [&](auto list) -> ::stele::Status {
    // Not reserved from the count alone: elements without bytes cost a hostile body next to
    // nothing.
    for (const auto r : list) STELE_RETURN_IF_ERROR(TakeChecked(events.emplace_back(), r));
    return {};
  }));
  return events;
}

namespace internal {

::stele::Status DecodeInto(std::string_view body, EventSink sink, void* context) {
  return ReadRecord(body, [&](auto list) -> ::stele::Status {
    Event event;
    for (const auto r : list) {
      STELE_RETURN_IF_ERROR(TakeChecked(event, r));
      STELE_RETURN_IF_ERROR(sink(context, event));
    }
    return {};
  });
}

}  // namespace internal

std::string_view EventName(const Event& event) {
  return EventNameAt(event.index());
}

std::string_view EventNameAt(size_t index) {
  CHECK(index < kEventKinds, "event kind {}", index);
  return kRows[index].name;
}

uint16_t EventNumber(const Event& event) {
  CHECK(!event.valueless_by_exception(), "an event without a value");
  return kRows[event.index()].number;
}

}  // namespace stele::model
