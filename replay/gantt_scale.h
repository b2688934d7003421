// The scale of a chart over time.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stele::replay {

// Round moments within so many microseconds, 0 the first, at most `most` of them: every 1, 2 or 5
// of a unit up to seconds, then what clocks and calendars have. REQUIRES: span > 0, most > 1.
std::vector<int64_t> TicksOf(int64_t span_us, size_t most);

// "0", "250 µs", "1.5 ms", "12 s", "3 min 20 s", "2 h", "5 d 6 h": of the two largest units.
std::string SpanText(int64_t span_us);

}  // namespace stele::replay
