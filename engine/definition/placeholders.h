// Parameters and the placeholders that they fill, for templates.cc.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/definition/templates.h"

namespace stele::definition {

struct PlacedParameter {
  Parameter parameter;
  std::optional<Node> initial{};
  Place place{};
};

// A list of declarations, or a mapping of names to declarations or defaults.
std::vector<PlacedParameter> ReadParameters(const Node& node, Faults& faults);

// The values of parameters, by name. One with a place keeps it when it is put in.
using Values = std::map<std::string, Node, std::less<>>;

// The values of the parameters: what `given` holds, else the defaults. `given` may be null; faults
// about what is missing stand at `place`, or at the parameter where that is unknown.
Values BindValues(const std::vector<PlacedParameter>& parameters, const Node* given, Place place,
                  Faults& faults);

// How much expansion may still add to a file.
class Budget {
 public:
  // False, with one fault at `place`, when it is used up.
  bool Spend(const Node& added, Place place, Faults& faults);
  bool exhausted() const { return exhausted_; }

 private:
  size_t nodes_ = 0;
  size_t bytes_ = 0;
  bool exhausted_ = false;
};

// Puts values into every string of the tree, the first of `scopes` that knows a name counts.
void FillPlaceholders(Node& node, const std::vector<const Values*>& scopes, Budget& budget,
                      Faults& faults);

// Everything in it stands at `place` from now on.
void PlaceAll(Node& node, Place place);

}  // namespace stele::definition
