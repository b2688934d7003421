#include "projections/views/statistics_window.h"

#include <algorithm>

namespace stele::projections {

namespace {

constexpr Resolution kFinestFirst[] = {Resolution::kMinute, Resolution::kHour, Resolution::kDay};
constexpr Resolution kCoarsestFirst[] = {Resolution::kDay, Resolution::kHour, Resolution::kMinute};

int64_t FirstKept(Resolution resolution, TimeUs latest) {
  return std::max<int64_t>(SlotOf(latest, resolution) - SlotsKept(resolution) + 1, 0);
}

bool IsKept(int64_t at, Resolution resolution, TimeUs latest) {
  return SlotOf(TimeUs(at), resolution) >= FirstKept(resolution, latest);
}

int64_t Floor(int64_t at, Resolution resolution) {
  return SlotOf(TimeUs(at), resolution) * SlotUs(resolution);
}

int64_t Ceiling(int64_t at, Resolution resolution) {
  return Floor(at + SlotUs(resolution) - 1, resolution);
}

// Whether what is kept tells [from, to) from what is behind: slots of that resolution from the last
// border of a coarser one on, and so on.
bool CanEndAt(int64_t from, int64_t to, Resolution resolution, TimeUs latest) {
  if (resolution == Resolution::kDay || to <= from) return true;
  const auto coarser = static_cast<Resolution>(static_cast<uint8_t>(resolution) + 1);
  const int64_t border = Floor(to, coarser);
  if (border < to && !IsKept(std::max(border, from), resolution, latest)) return false;
  return CanEndAt(from, border, coarser, latest);
}

}  // namespace

Stretch Around(TimeUs from, TimeUs to, TimeUs latest, Resolution resolution) {
  Stretch stretch{resolution, SlotOf(from, resolution), SlotOf(latest, resolution) + 1};
  if (to) stretch.end = SlotOf(TimeUs(to.value - 1), resolution) + 1;
  stretch.first = std::max(stretch.first, FirstKept(resolution, latest));
  stretch.end = std::max(stretch.end, stretch.first);
  return stretch;
}

Window WindowOf(TimeUs from, TimeUs to, TimeUs latest) {
  Window window;
  int64_t begin = FirstKept(Resolution::kDay, latest) * SlotUs(Resolution::kDay);
  window.resolution = Resolution::kDay;
  for (const Resolution resolution : kFinestFirst) {
    if (!IsKept(from.value, resolution, latest)) continue;
    begin = Floor(from.value, resolution);
    window.resolution = resolution;
    break;
  }
  const int64_t last = Ceiling(latest.value + 1, Resolution::kMinute);
  const int64_t asked = to ? std::min(to.value, last) : last;
  int64_t end = begin;
  for (const Resolution resolution : kFinestFirst) {
    end = std::max(Ceiling(asked, resolution), begin);
    if (!CanEndAt(begin, end, resolution, latest)) continue;
    window.resolution = std::max(window.resolution, resolution);
    break;
  }
  window.from = TimeUs(begin);
  window.to = TimeUs(end);
  for (int64_t at = begin; at < end;) {
    for (const Resolution resolution : kCoarsestFirst) {
      const int64_t next = at + SlotUs(resolution);
      const bool fits =
          Floor(at, resolution) == at && next <= end && IsKept(at, resolution, latest);
      if (!fits && resolution != Resolution::kMinute) continue;
      const int64_t number = SlotOf(TimeUs(at), resolution);
      if (!window.stretches.empty() && window.stretches.back().resolution == resolution) {
        window.stretches.back().end = number + 1;
      } else {
        window.stretches.push_back({resolution, number, number + 1});
      }
      at = next;
      break;
    }
  }
  return window;
}

}  // namespace stele::projections
