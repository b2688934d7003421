// Definitions that an answer tells nothing of: who asks may not see them.
//
// Thread: any.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace stele::projections {

using HiddenNames = std::set<std::string, std::less<>>;
// Null: whoever asks sees all.
using Hidden = std::shared_ptr<const HiddenNames>;

inline bool Hides(const Hidden& hidden, std::string_view definition) {
  return hidden != nullptr && hidden->contains(definition);
}

}  // namespace stele::projections
