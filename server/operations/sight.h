// Which definitions somebody may see: what is asked of many of them at once leaves the others out,
// as if there were none.
//
// Thread: any; a value, as of the moment at which the desk gave it.
#pragma once

#include <string_view>
#include <utility>

#include "projections/hidden.h"

namespace stele::server {

class Sight {
 public:
  // Of who sees all.
  Sight() = default;
  // Null: all.
  explicit Sight(projections::Hidden hidden) : hidden_(std::move(hidden)) {}

  bool sees_all() const { return hidden_ == nullptr; }
  bool Sees(std::string_view definition) const { return !projections::Hides(hidden_, definition); }
  const projections::Hidden& hidden() const { return hidden_; }

 private:
  projections::Hidden hidden_;
};

}  // namespace stele::server
