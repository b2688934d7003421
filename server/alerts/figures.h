// The figures that a rule's condition sees, by the names that docs/alerts.md lists.
//
// Thread: any.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/value.h"
#include "projections/views/read_statistics.h"

namespace stele::server::alerts {

// What was counted in a window that ends `now`. What cannot be told is not there: a rate when
// nothing has ended, a duration when nothing has completed.
Object FiguresOf(const projections::Statistics& statistics, TimeUs now);

// All that there are, with a value such as they have.
Object SampleFigures();
// Their names, in the order of the page.
std::vector<std::string> FigureNames();

}  // namespace stele::server::alerts
