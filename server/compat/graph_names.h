// What the graphs are called as definitions, and which graph a definition is of: told of each graph
// once, so that nobody reads all of them for it.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/registry.h"

namespace stele::server::compat {

class GraphNames {
 public:
  // REQUIRES: it outlives this.
  explicit GraphNames(const model::Registry& registry) : registry_(registry) {}

  // By number, that of the first is 1; empty: of one that cannot be read. Good until the next call.
  const std::vector<std::string>& All();
  std::optional<uint64_t> NumberOf(std::string_view definition);
  // `wanted`, or with a number behind it: no definition and no graph has it.
  std::string Free(const std::string& wanted);

 private:
  void TakeUp();

  const model::Registry& registry_;
  std::vector<std::string> definitions_;
  std::map<std::string, uint64_t, std::less<>> numbers_;
  std::map<std::string, uint64_t>
      tried_;  // behind a name that was wanted: up to there none is free
};

}  // namespace stele::server::compat
