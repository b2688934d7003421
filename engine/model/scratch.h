// Memory in which a Cap'n Proto message is built as one segment, used again for the next one.
// Knows no Cap'n Proto, so that codec.h need not include it; segment.h builds messages in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace stele::model {

// Zeroed words that grow when a message did not fit.
class Scratch {
 public:
  // What an encoder keeps from one message to the next.
  static constexpr size_t kFirstWords = 1024;
  static constexpr size_t kRetainedWords = size_t{1} << 17;  // 1 MiB

  // Makes all words zero again, at least `words` of them. Ends the life of what was built before.
  void Clear(size_t words = kFirstWords);
  void NoteUsed(size_t words) { used_ = words; }

  uint64_t* words() { return words_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(uint64_t* words) const { std::free(words); }
  };
  std::unique_ptr<uint64_t, Free> words_;
  size_t size_ = 0;
  size_t used_ = 0;  // words from the start that may not be zero
};

}  // namespace stele::model
