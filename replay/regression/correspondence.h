// What of one definition is what of another: steps by their ids, bodies by the steps that run them.
//
// Thread: any; immutable. REQUIRES: both definitions outlive it.
#pragma once

#include <vector>

#include "engine/definition/definition.h"

namespace stele::replay {

class Correspondence {
 public:
  Correspondence(const definition::Definition& from, const definition::Definition& to);

  const definition::Definition& from() const { return from_; }
  const definition::Definition& to() const { return to_; }
  // kNoIndex: there is no such one.
  StepIndex To(StepIndex step) const;
  BodyIndex To(BodyIndex body) const;
  bool HasFrom(StepIndex of_to) const;
  // Whether a step of `from` hands its executor the same as that of `to`, as far as the definitions
  // say it: the type, and a configuration in which nothing is rendered.
  bool AsksAlike(StepIndex step) const;
  // Whether the root declares a variable of that name in exactly one of them.
  bool IsOfOne(std::string_view variable) const;

 private:
  const definition::Definition& from_;
  const definition::Definition& to_;
  std::vector<StepIndex> steps_;
  std::vector<BodyIndex> bodies_;
  std::vector<bool> asks_alike_;
  std::vector<bool> has_from_;  // by the steps of `to`
};

}  // namespace stele::replay
