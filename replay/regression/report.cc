#include "replay/regression/report.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace stele::replay {

namespace {

int64_t Number(uint64_t value) {
  return static_cast<int64_t>(value);
}

Value OrNull(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

void KeepFirst(std::vector<DifferencePlace>& places) {
  std::ranges::stable_sort(places, {}, &DifferencePlace::position);
  if (places.size() > kShownInstances) places.resize(kShownInstances);
}

Object ToJson(const DifferencePlace& place) {
  return Object{{"instance", Number(place.instance.value)},
                {"seq", Number(place.seq.value)},
                {"position", Number(place.position.value)},
                {"recorded", OrNull(place.recorded)},
                {"now", OrNull(place.now)}};
}

Object ToJson(const RankedGroup& ranked) {
  const auto& [key, group] = ranked;
  Array first;
  for (const DifferencePlace& place : group.first) first.emplace_back(ToJson(place));
  return Object{{"kind", DifferenceKindName(key.kind)},
                {"step", OrNull(key.step)},
                {"recorded", key.recorded},
                {"now", key.now},
                {"member", OrNull(key.member)},
                {"instances", Number(group.instances)},
                {"first", std::move(first)}};
}

}  // namespace

std::string_view DifferenceKindName(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::kConsequence:
      return "consequence";
    case DifferenceKind::kRefused:
      return "refused";
    case DifferenceKind::kGone:
      return "gone";
    case DifferenceKind::kAsked:
      return "asked";
  }
  return "";
}

void RegressionReport::Add(const DifferenceKey& key, DifferencePlace place) {
  DifferenceGroup& group = groups[key];
  ++group.instances;
  group.first.push_back(std::move(place));
  KeepFirst(group.first);
}

void RegressionReport::Merge(RegressionReport other) {
  records += other.records;
  events += other.events;
  instances += other.instances;
  same += other.same;
  different += other.different;
  asked += other.asked;
  erased += other.erased;
  for (auto& [key, found] : other.groups) {
    DifferenceGroup& group = groups[key];
    group.instances += found.instances;
    std::ranges::move(found.first, std::back_inserter(group.first));
    KeepFirst(group.first);
  }
}

std::vector<const RankedGroup*> Ranked(const RegressionReport& report) {
  std::vector<const RankedGroup*> ranked;
  for (const RankedGroup& group : report.groups) ranked.push_back(&group);
  std::ranges::stable_sort(ranked, std::ranges::greater(),
                           [](const RankedGroup* group) { return group->second.instances; });
  return ranked;
}

Object ToJson(const RegressionReport& report) {
  Array differences;
  for (const RankedGroup* group : Ranked(report)) differences.emplace_back(ToJson(*group));
  return Object{{"records", Number(report.records)},     {"events", Number(report.events)},
                {"instances", Number(report.instances)}, {"same", Number(report.same)},
                {"different", Number(report.different)}, {"asked", Number(report.asked)},
                {"erased", Number(report.erased)},       {"differences", std::move(differences)}};
}

}  // namespace stele::replay
