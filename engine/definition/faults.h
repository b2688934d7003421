// Collects what is wrong with a file, so that all of it is told at once.
#pragma once

#include <string>
#include <vector>

#include "base/nearest.h"
#include "engine/definition/load.h"

namespace stele::definition {

class Faults {
 public:
  // Beyond kMaxFaults they are dropped.
  void Add(ErrorCode code, Place place, std::string message);
  bool empty() const { return faults_.empty(); }
  size_t size() const { return faults_.size(); }
  // Whatever is added now is dropped.
  bool full() const;
  // As Nearest, for the message of a fault of this file; empty once looking has cost much or
  // nothing more will be told.
  std::string Suggest(std::string_view word, const std::vector<std::string>& known);
  // Sorted by place, without repetitions.
  std::vector<Fault> Take();

 private:
  std::vector<Fault> faults_;
  size_t compared_ = 0;  // pairs of bytes, by Suggest
};

// `text` in double quotes, cut to a length that fits a message.
std::string Quote(std::string_view text);

// "\"a\", \"b\" and \"c\""
std::string QuoteList(const std::vector<std::string>& words, std::string_view last = "and");

using stele::Nearest;

}  // namespace stele::definition
