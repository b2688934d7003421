#include "engine/model/segment.h"

#include <algorithm>

#include "base/check.h"

namespace stele::model {

void Scratch::Clear(size_t words) {
  words = std::max(words, kFirstWords);
  const bool too_small = size_ < words;
  const bool too_large = size_ > kRetainedWords && words <= kRetainedWords;
  if (too_small || too_large) {
    words_.reset(static_cast<uint64_t*>(std::calloc(words, sizeof(uint64_t))));
    CHECK(words_ != nullptr, "no memory for {} words", words);
    size_ = words;
  } else {
    std::memset(words_.get(), 0, used_ * sizeof(uint64_t));
  }
  used_ = 0;
}

kj::ArrayPtr<capnp::word> SegmentBuilder::allocateSegment(unsigned minimum_words) {
  Scratch* scratch = &scratch_;
  if (given_ || scratch_.size() < minimum_words) {
    scratch = &overflow_.emplace_back();
    scratch->Clear(minimum_words);
  }
  given_ = true;
  return {reinterpret_cast<capnp::word*>(scratch->words()), scratch->size()};
}

size_t WordsOf(SegmentBuilder& builder) {
  size_t words = 0;
  for (const auto& segment : builder.getSegmentsForOutput()) words += segment.size();
  return words;
}

Error DamagedSegment(std::string_view what, std::string_view found) {
  return {ErrorCode::kStoreCorrupt, fmt::format("Expected {} but found {}", what, found)};
}

}  // namespace stele::model
