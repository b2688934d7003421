// What is left of a write of several pieces.
#pragma once

#include <kj/array.h>

#include <algorithm>
#include <cstddef>

namespace stele::server {

using Pieces = kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>>;

// Refers to its writer's memory, to the list of pieces, too.
class PiecesLeft {
 public:
  // `first` goes before `rest`.
  PiecesLeft(kj::ArrayPtr<const kj::byte> first, Pieces rest) : first_(first), rest_(rest) {
    SkipEmpty();
  }

  bool empty() const { return first_.size() == 0; }
  // The next piece, then those behind it.
  kj::ArrayPtr<const kj::byte> first() const { return first_; }
  Pieces rest() const { return rest_; }
  void Skip(size_t size) {
    while (size > 0) {
      const size_t part = std::min(size, first_.size());
      first_ = first_.slice(part, first_.size());
      size -= part;
      SkipEmpty();
    }
  }

  // Appends as much of it as there is room for, and skips that.
  template <class Bytes>
  void MoveTo(Bytes& bytes, size_t room) {
    while (!empty() && room > 0) {
      const size_t size = std::min(first_.size(), room);
      const auto* from = reinterpret_cast<const typename Bytes::value_type*>(first_.begin());
      bytes.insert(bytes.end(), from, from + size);
      room -= size;
      Skip(size);
    }
  }

 private:
  void SkipEmpty() {
    while (first_.size() == 0 && rest_.size() > 0) {
      first_ = rest_[0];
      rest_ = rest_.slice(1, rest_.size());
    }
  }

  kj::ArrayPtr<const kj::byte> first_;
  Pieces rest_;
};

}  // namespace stele::server
