// The APIs that `api_id` of a node names: those that the file lists, by id.
#pragma once

#include <map>
#include <string>

#include "engine/definition/dialects/foreign.h"

namespace stele::definition {

class Apis {
 public:
  // `list`: `apis` of the file, a list of {id, url, …} or a mapping by id; null: none. `variables`:
  // those of the file, one of which may be `apis`, the same.
  Apis(const Node* list, const Node* variables, Lowering& lowering);

  // Puts the API's url, method and headers into the configuration of an API_CALL, in place of
  // `api_id`. An API that the file does not list
  // is left to a worker: then the configuration stays as it is, and the result is the type of the
  // step, "api:<id>", which the check before a start reports unless something answers for it.
  std::string Complete(Node& config, Lowering& lowering) const;

 private:
  void Add(const Node& node, Lowering& lowering);
  std::map<std::string, Node, std::less<>> by_id_;
};

// `parameters` of an HTTP call are its query or, where the method has a body, that.
void MoveParameters(Node& config);

}  // namespace stele::definition
