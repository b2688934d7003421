#include "projections/pace.h"

#include <algorithm>

namespace stele::projections {

bool Pace::MayStart() const {
  if (max_lag_records_ == 0 || projector_.failure().has_value()) return true;
  return std::ranges::none_of(projector_.States(), [&](const ViewState& state) {
    return state.serves && !state.building && state.lag > max_lag_records_;
  });
}

}  // namespace stele::projections
