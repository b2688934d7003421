#include "engine/model/event_size.h"

#include "engine/model/instance.h"

namespace stele::model {
namespace {

// An event's fields of fixed size, with the pointers to the others.
constexpr size_t kFixedBytes = 128;

size_t TextsOf(const std::string& text) {
  return text.size();
}
size_t TextsOf(const Payload& payload) {
  return payload.text().size();
}
size_t TextsOf(const NamedPayload& named) {
  return named.name.size() + named.value.text().size();
}
size_t TextsOf(const SecretUse& use) {
  return use.pointer.size() + use.name.size();
}
size_t TextsOf(const Wait& wait) {
  return wait.event.size() + wait.name.size() + wait.key.size();
}
size_t TextsOf(const ViewRow& row) {
  return row.view.size() + row.key.size() + row.value.size();
}
size_t TextsOf(const ForkedState& state) {
  if (!state.has_value()) return 0;
  const MemoryUse use = MemoryOf(*state);
  return use.structure + use.payloads;
}
template <class Fixed>
size_t TextsOf(const Fixed&) {
  return 0;
}
template <class T>
size_t TextsOf(const std::vector<T>& list) {
  size_t bytes = list.size() * sizeof(T);
  for (const T& one : list) bytes += TextsOf(one);
  return bytes;
}

}  // namespace

#define STELE_ADD_FIELD(member, Accessor) +TextsOf(event.member)
#define STELE_BYTES_OF(Type, name, WHICH)                    \
  size_t BytesOf(const Type& event) {                        \
    return kFixedBytes STELE_FIELDS_##Type(STELE_ADD_FIELD); \
  }
STELE_EVENTS(STELE_BYTES_OF)
#undef STELE_BYTES_OF
#undef STELE_ADD_FIELD

}  // namespace stele::model
