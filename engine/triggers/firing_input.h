// What a firing sees and what it starts its workflow with. Pure.
#pragma once

#include <string>

#include "base/error.h"
#include "base/payload.h"
#include "base/value.h"
#include "engine/expression/expression.h"
#include "engine/triggers/trigger_config.h"

namespace stele::triggers {

// The members of an object as the roots of expressions. The object outlives this.
class RootsEnvironment final : public expression::Environment {
 public:
  explicit RootsEnvironment(const Object& roots) : roots_(roots) {}
  Found Lookup(std::span<const std::string> path) const override {
    const Value* root = roots_.Find(path[0]);
    return {root, root == nullptr ? size_t{0} : size_t{1}};
  }

 private:
  const Object& roots_;
};

// Empty when all of them hold; else a sentence's end that says which does not, and why.
std::string WhyConditionsFail(const TriggerConfig& config, const Object& roots);

// The input, when it is no larger and no deeper than an instance's may be; else kLimitExceeded.
Result<Payload> Bounded(Payload input);

// The rendered `input`, or `otherwise` (an object as it is, null as {}, the rest as {"payload": …})
// when there is none. kUnknownReference for a secret, which must not reach the log; kLimitExceeded
// when it is larger than an instance's input may be.
Result<Payload> InputOf(const TriggerConfig& config, const Object& roots, const Value& otherwise);

// "2026-03-29T01:00:00Z", with six digits of a second where there are any. ParseMoment reads it.
std::string MomentText(int64_t time_us);

}  // namespace stele::triggers
