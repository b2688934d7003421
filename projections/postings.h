// The places of rows (table.h) that hold something, in the order of a search: what terms are joined
// from.
//
// Thread: one at a time, the reader's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "projections/view_store.h"

namespace stele::projections {

enum class Direction : uint8_t {
  kNewestFirst,  // places ascend
  kOldestFirst,
};
// Whether `a` comes before `b`.
inline bool ComesBefore(Direction direction, std::string_view a, std::string_view b) {
  return direction == Direction::kNewestFirst ? a < b : b < a;
}

class Postings {
 public:
  virtual ~Postings() = default;

  // To the first place that does not come before this one. REQUIRES: nor did an earlier call ask
  // for what comes behind it.
  virtual void Seek(std::string_view place) = 0;
  // REQUIRES: valid().
  virtual void Next() = 0;
  virtual bool valid() const = 0;
  // REQUIRES: valid(). Good until the next call.
  virtual std::string_view place() const = 0;
  // What went wrong when it is not valid.
  virtual Status status() const = 0;
};

// Of the index keys with that prefix. At no place until Seek. REQUIRES: the reader outlives it.
std::unique_ptr<Postings> PostingsOf(const ViewReader& reader, const std::string& prefix,
                                     Direction direction);
// Those that are in one of them.
std::unique_ptr<Postings> AnyOf(std::vector<std::unique_ptr<Postings>> parts, Direction direction);
// These, in any order.
std::unique_ptr<Postings> PostingsAt(std::vector<std::string> places, Direction direction);

// Those that are in all of them: goes from place to place by seeking in each, so that its cost is
// that of the rarest times their number. REQUIRES: there is one.
class Intersection {
 public:
  Intersection(std::vector<std::unique_ptr<Postings>> parts, Direction direction)
      : parts_(std::move(parts)), direction_(direction) {}

  // To the first common place that does not come before this one. False: there is none (at_end), or
  // `may_go_on` has said no: then nothing is left before place().
  template <class MayGoOn>
  bool Seek(std::string place, MayGoOn may_go_on);
  // To the next one. REQUIRES: it stands at one.
  template <class MayGoOn>
  bool Next(MayGoOn may_go_on);
  const std::string& place() const { return place_; }
  bool at_end() const { return at_end_; }
  Status status() const;

 private:
  std::vector<std::unique_ptr<Postings>> parts_;
  Direction direction_;
  std::string place_;
  bool at_end_ = false;
};

template <class MayGoOn>
bool Intersection::Seek(std::string place, MayGoOn may_go_on) {
  place_ = std::move(place);
  for (size_t agreed = 0, at = 0; agreed < parts_.size(); at = (at + 1) % parts_.size()) {
    Postings& part = *parts_[at];
    if (!may_go_on()) return false;
    part.Seek(place_);
    if (!part.valid()) return at_end_ = true, false;
    agreed = part.place() == place_ ? agreed + 1 : 1;
    place_ = part.place();
  }
  return true;
}

template <class MayGoOn>
bool Intersection::Next(MayGoOn may_go_on) {
  parts_[0]->Next();
  if (!parts_[0]->valid()) return at_end_ = true, false;
  return Seek(std::string(parts_[0]->place()), may_go_on);
}

}  // namespace stele::projections
