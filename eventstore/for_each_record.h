// Reading a cursor to its end.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "eventstore/event_store.h"

namespace stele::eventstore {

// Calls take(record) for each record of the cursor: a Status, or a Result<bool>, which is false
// when no more are wanted. The first error ends it.
template <class Take>
Status ForEachRecord(Result<std::unique_ptr<Cursor>> cursor, Take take) {
  if (!cursor.has_value()) return std::unexpected(std::move(cursor).error());
  for (;;) {
    Result<std::optional<RecordView>> record = (*cursor)->Next();
    if (!record.has_value()) return std::unexpected(std::move(record).error());
    if (!record->has_value()) return {};
    const auto taken = take(**record);
    if (!taken.has_value()) return std::unexpected(taken.error());
    if constexpr (!std::is_same_v<decltype(taken), const Status>)
      if (!*taken) return {};
  }
}

}  // namespace stele::eventstore
