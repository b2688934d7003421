// How large an event becomes, to bound what one cause may write.
#pragma once

#include <cstddef>

#include "engine/model/event.h"
#include "engine/model/event_fields.h"

namespace stele::model {

// About the bytes of the event in a record: its texts as they are, the rest roughly.
#define STELE_BYTES_OF(Type, name, WHICH) size_t BytesOf(const Type& event);
STELE_EVENTS(STELE_BYTES_OF)
#undef STELE_BYTES_OF

}  // namespace stele::model
