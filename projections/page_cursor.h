// Where a page of a search ended, as text that somebody keeps until he asks for the next one.
// Opaque: hexadecimal, so that it is a word in any command and any address.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"

namespace stele::projections {

struct PageCursor {
  std::string place;    // table.h
  bool behind = false;  // the next page begins behind the place, not at it
  TimeUs now;           // of the first page: what durations in the query count from
};

// `search` is the canonical text of all that must be the same on every page.
std::string WriteCursor(const PageCursor& cursor, std::string_view search);

// kInvalidInput: it is damaged, or that of another search.
Result<PageCursor> ReadCursor(std::string_view text, std::string_view search);

}  // namespace stele::projections
