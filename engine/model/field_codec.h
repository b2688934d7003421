// How one field of the model becomes one field of a Cap'n Proto struct and back, by its type. The
// tables of event_fields.h and snapshot.cc are expanded with the two macros at the end.
// Internal to this folder.
#pragma once

#include <capnp/list.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/payload.h"
#include "engine/model/names.h"
#include "schemas/record.capnp.h"
#include "schemas/snapshot.capnp.h"

namespace stele::model {

// The first thing in a message that the schema allows and this build cannot take.
struct Fault {
  enum class Kind : uint8_t { kNone, kUnknownEnum, kEmptyPayload, kOutOfOrder } kind = Kind::kNone;
  std::string_view field;
  uint32_t number = 0;
};
// The error of a fault; `what` ("a record") was read.
Error ErrorOf(const Fault& fault, std::string_view what);

// --- Writing. Absent and empty values stay null pointers: CountOf is 0 for them.

inline uint32_t CountOf(const std::string& text) {
  return static_cast<uint32_t>(text.size());
}
inline uint32_t CountOf(const Payload& payload) {
  const size_t size = payload.text().size();
  CHECK(size != 0 || !payload.has_value(), "a payload is present but holds no text");
  return static_cast<uint32_t>(size);
}
template <class T>
uint32_t CountOf(const std::vector<T>& list) {
  return static_cast<uint32_t>(list.size());
}

template <class Tag, class Integer>
Integer WireOf(StrongInteger<Tag, Integer> v) {
  return v.value;
}
template <class Scalar>
  requires std::is_arithmetic_v<Scalar> || std::is_enum_v<Scalar>
Scalar WireOf(Scalar v) {
  return v;
}

// These come from other namespaces, where the lists below would not find their Put and Take.
#define STELE_DECLARE_STRUCT_CODEC(Type) \
  template <class Value, class Builder>  \
    requires std::is_same_v<Value, Type> \
  void Put(const Value& v, Builder b);   \
  template <class Value, class Reader>   \
    requires std::is_same_v<Value, Type> \
  void Take(Value& v, Reader r, Fault& fault);
STELE_DECLARE_STRUCT_CODEC(SecretUse)
STELE_DECLARE_STRUCT_CODEC(InstanceRange)
#undef STELE_DECLARE_STRUCT_CODEC
template <class T>
inline constexpr bool kIsIndex = std::is_same_v<T, StepIndex> ||
                                 std::is_same_v<T, TransitionIndex> || std::is_same_v<T, BodyIndex>;

// snapshot.cc: a whole instance.
void PutState(const Instance& instance, schema::Instance::Builder b);
ForkedState TakeState(schema::Instance::Reader r, Fault& fault);

inline void Fill(capnp::Text::Builder out, const std::string& text) {
  std::memcpy(out.begin(), text.data(), text.size());
}
inline void Fill(capnp::Data::Builder out, const std::string& bytes) {
  std::memcpy(out.begin(), bytes.data(), bytes.size());
}
inline void Fill(capnp::Text::Builder out, const Payload& payload) {
  std::memcpy(out.begin(), payload.text().data(), payload.text().size());
}
inline void Fill(capnp::List<capnp::Text>::Builder out, const std::vector<std::string>& texts) {
  for (uint32_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].empty()) Fill(out.init(i, static_cast<uint32_t>(texts[i].size())), texts[i]);
  }
}
template <class Index>
  requires kIsIndex<Index>
void Fill(capnp::List<uint32_t>::Builder out, const std::vector<Index>& indices) {
  for (uint32_t i = 0; i < indices.size(); ++i) out.set(i, indices[i].value);
}
template <class List, class T>
void Fill(List out, const std::vector<T>& structs) {
  for (uint32_t i = 0; i < structs.size(); ++i) Put(structs[i], out[i]);
}

// --- Reading. Every field is set, so that the value may have been used before.

template <class Tag, class Integer>
void Take(StrongInteger<Tag, Integer>& v, Integer wire, std::string_view, Fault&) {
  v.value = wire;
}
template <class Scalar>
  requires std::is_arithmetic_v<Scalar>
void Take(Scalar& v, Scalar wire, std::string_view, Fault&) {
  v = wire;
}
template <class Enum, class Wire>
  requires std::is_enum_v<Enum>
void Take(Enum& v, Wire wire, std::string_view field, Fault& fault) {
  const auto number = static_cast<uint16_t>(wire);
  const Names names = NamesOf(Enum{});
  if (number >= names.size() || names[number].empty()) [[unlikely]] {
    fault = {Fault::Kind::kUnknownEnum, field, number};
    return;
  }
  v = static_cast<Enum>(number);
}
inline void Take(std::string& v, capnp::Text::Reader wire, std::string_view, Fault&) {
  v.assign(wire.begin(), wire.size());
}
inline void Take(std::string& v, capnp::Data::Reader wire, std::string_view, Fault&) {
  v.assign(reinterpret_cast<const char*>(wire.begin()), wire.size());
}
inline void Take(std::vector<std::string>& v, capnp::List<capnp::Text>::Reader wire,
                 std::string_view, Fault&) {
  v.resize(wire.size());
  for (uint32_t i = 0; i < wire.size(); ++i) {
    const capnp::Text::Reader text = wire[i];
    v[i].assign(text.begin(), text.size());
  }
}
template <class Index>
  requires kIsIndex<Index>
void Take(std::vector<Index>& v, capnp::List<uint32_t>::Reader wire, std::string_view, Fault&) {
  v.resize(wire.size());
  for (uint32_t i = 0; i < wire.size(); ++i) v[i].value = wire[i];
}

template <class T, class List>
void Take(std::vector<T>& v, List wire, std::string_view, Fault& fault) {
  v.resize(wire.size());
  for (uint32_t i = 0; i < wire.size(); ++i) Take(v[i], wire[i], fault);
}

template <class T>
std::unique_ptr<T> MakeFor(const std::unique_ptr<T>&) {
  return std::make_unique<T>();
}

// An absent payload is a null pointer; an empty text is no JSON and was never written.
inline Payload PayloadOf(capnp::Text::Reader wire) {
  return wire.size() == 0 ? Payload() : Payload::FromText({wire.begin(), wire.size()});
}

}  // namespace stele::model

// In a template whose `v` is the value and whose `b` is its Builder.
#define STELE_PUT(member, Accessor)                                              \
  if constexpr (std::is_same_v<decltype(v.member), ForkedState>) {               \
    if (v.member.has_value()) PutState(*v.member, b.init##Accessor());           \
  } else if constexpr (requires { b.init##Accessor(0u); }) {                     \
    if (const uint32_t n = CountOf(v.member); n != 0) {                          \
      Fill(b.init##Accessor(n), v.member);                                       \
    }                                                                            \
  } else if constexpr (requires { b.init##Accessor(); }) {                       \
    if (v.member != nullptr) Put(*v.member, b.init##Accessor());                 \
  } else {                                                                       \
    b.set##Accessor(static_cast<decltype(b.get##Accessor())>(WireOf(v.member))); \
  }

// In a template whose `v` is the value, `r` its Reader and `fault` a Fault&.
#define STELE_TAKE(member, Accessor)                                                    \
  if constexpr (std::is_same_v<decltype(v.member), Payload>) {                          \
    v.member = PayloadOf(r.get##Accessor());                                            \
    if (!v.member.has_value() && r.has##Accessor()) [[unlikely]] {                      \
      fault = {Fault::Kind::kEmptyPayload, #member, 0};                                 \
    }                                                                                   \
  } else if constexpr (std::is_same_v<decltype(v.member), ForkedState>) {               \
    v.member = r.has##Accessor() ? TakeState(r.get##Accessor(), fault) : ForkedState(); \
  } else if constexpr (requires { v.member.get(); }) {                                  \
    v.member = nullptr;                                                                 \
    if (r.has##Accessor()) {                                                            \
      v.member = MakeFor(v.member);                                                     \
      Take(*v.member, r.get##Accessor(), fault);                                        \
    }                                                                                   \
  } else {                                                                              \
    Take(v.member, r.get##Accessor(), #member, fault);                                  \
  }

#define STELE_FIELDS_NamedPayload(F) F(name, Name) F(value, Value)
#define STELE_FIELDS_SecretUse(F) F(pointer, Pointer) F(offset, Offset) F(name, Name)
#define STELE_FIELDS_Wait(F) F(event, Event) F(kind, Kind) F(name, Name) F(key, Key) F(due, Due)
#define STELE_FIELDS_InstanceRange(F) F(first, First) F(last, Last)
#define STELE_FIELDS_MessagePlace(F) F(position, Position) F(ordinal, Ordinal)
#define STELE_FIELDS_ViewRow(F) F(view, View) F(version, Version) F(key, Key) F(value, Value)

// Put and Take of a struct from its table STELE_FIELDS_<Type>. Templates over the value, too, so
// that the branch for another type of field is never looked at.
#define STELE_STRUCT_CODEC(Type)                \
  template <class Value, class Builder>         \
    requires std::is_same_v<Value, Type>        \
  void Put(const Value& v, Builder b) {         \
    STELE_FIELDS_##Type(STELE_PUT)              \
  }                                             \
  template <class Value, class Reader>          \
    requires std::is_same_v<Value, Type>        \
  void Take(Value& v, Reader r, Fault& fault) { \
    STELE_FIELDS_##Type(STELE_TAKE)             \
  }

namespace stele::model {

STELE_STRUCT_CODEC(NamedPayload)
STELE_STRUCT_CODEC(SecretUse)
STELE_STRUCT_CODEC(Wait)
STELE_STRUCT_CODEC(InstanceRange)
STELE_STRUCT_CODEC(ViewRow)
STELE_STRUCT_CODEC(MessagePlace)

}  // namespace stele::model
