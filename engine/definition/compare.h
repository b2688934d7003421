// Two definitions side by side: whether they run alike, and what differs for people to read.
#pragma once

#include <string>
#include <vector>

#include "base/value.h"
#include "engine/definition/definition.h"

namespace stele::definition {

struct Difference {
  enum class Kind : uint8_t { kAdded, kRemoved, kChanged };

  Kind kind = Kind::kChanged;
  std::string subject;  // "the definition", "step \"a\"", "the body of \"a\"", "the root"
  std::string member;   // kChanged: "config.url", "transitions[0].condition"
  Value before;         // kChanged: null when it was not there
  Value after;          // kChanged: null when it is there no more
  bool operator==(const Difference&) const = default;
};

// What differs from `a` to `b`: the definition's own members, then steps in the order of their ids.
// Steps are the same when their ids are; places do not count.
std::vector<Difference> DiffDefinitions(const Definition& a, const Definition& b);

// "step \"a\": retry.max_attempts was 3, is 5"
std::string DescribeDifference(const Difference& difference);

// Whether they are the same executable graph: ids, kinds, configurations, transitions, conditions,
// policies, variables. Names, texts for people, tags, triggers, notation and places do not count.
// Tells the first difference in `why`, which may be null.
bool SameGraph(const Definition& a, const Definition& b, std::string* why);

}  // namespace stele::definition
