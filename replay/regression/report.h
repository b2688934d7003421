// What a regression replay has found: how many instances go the same way, and where the others part
// from their histories, grouped by what differs first.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/value.h"

namespace stele::replay {

// Instances that a group names: those that part first.
inline constexpr size_t kShownInstances = 3;

enum class DifferenceKind : uint8_t {
  kConsequence,  // something else follows
  kRefused,      // the cause is refused
  kGone,         // of a step that the definition does not have
  kAsked,        // the history goes on, but an executor would be handed something else
};
// "consequence", "refused", "gone", "asked"
std::string_view DifferenceKindName(DifferenceKind kind);

// What differs, the same for every instance of the group.
struct DifferenceKey {
  DifferenceKind kind = DifferenceKind::kConsequence;
  std::string step;      // the id; empty: of the instance
  std::string recorded;  // the event's name, "nothing" behind the record's end
  std::string now;       // the same; "refused", "no such step"
  std::string member;    // in which events of one name differ
  auto operator<=>(const DifferenceKey&) const = default;
};

struct DifferencePlace {
  InstanceId instance;
  Seq seq;
  Position position;
  std::string recorded;  // the event as JSON, cut; empty: there is none
  std::string now;       // the same, or why it is refused
};

struct DifferenceGroup {
  uint64_t instances = 0;
  std::vector<DifferencePlace> first;  // by position, kShownInstances at most
};

struct RegressionReport {
  uint64_t records = 0;  // of instances that were decided again
  uint64_t events = 0;
  uint64_t instances = 0;
  uint64_t same = 0;
  uint64_t different = 0;  // they part from their history
  uint64_t asked = 0;      // they do not, but a task would be handed something else
  uint64_t erased = 0;     // nobody can read any more what they were decided on
  std::map<DifferenceKey, DifferenceGroup> groups;

  bool all_same() const { return different == 0 && asked == 0; }
  void Add(const DifferenceKey& key, DifferencePlace place);
  // What another thread has found in other instances.
  void Merge(RegressionReport other);
};

// The largest groups first.
using RankedGroup = std::pair<const DifferenceKey, DifferenceGroup>;
std::vector<const RankedGroup*> Ranked(const RegressionReport& report);

// {records, events, instances, same, different, asked, erased, differences: [{kind, step, recorded,
// now, member, instances, first: [{instance, seq, position, recorded, now}]}]}
Object ToJson(const RegressionReport& report);

}  // namespace stele::replay
