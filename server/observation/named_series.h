// Series by names that others choose: so many have their own, the rest is kOtherSeries together.
#pragma once

#include <map>
#include <string>

#include "server/observation/limits.h"

namespace stele::server {

// Where to count what has that name: those that come first have places of their own.
template <class Row>
Row& SeriesOf(std::map<std::string, Row>& rows, const std::string& name) {
  const bool has_place = rows.contains(name) || rows.size() + 1 < kMaxNamedSeries;
  return rows[has_place ? name : std::string(kOtherSeries)];
}

}  // namespace stele::server
