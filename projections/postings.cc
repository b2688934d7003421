#include "projections/postings.h"

#include <fmt/format.h>

#include <algorithm>

#include "projections/keys.h"

namespace stele::projections {

namespace {

const Numbers kNone;

// Of more blocks a term is not called rare.
constexpr size_t kFewBlocks = 4;

bool HasNoneIn(const std::map<uint64_t, Numbers>& blocks, uint64_t first, uint64_t last) {
  const auto found = blocks.lower_bound(first);
  return found == blocks.end() || found->first > last;
}

class TermPostings final : public Postings {
 public:
  TermPostings(KeyCursor keys, std::string term, uint8_t block_bits, Direction direction,
               bool may_be_rare)
      : keys_(std::move(keys)),
        term_(std::move(term)),
        block_bits_(block_bits),
        direction_(direction) {
    if (may_be_rare) TakeFew();
    if (all_known_) return;
    stands_ = keys_.valid();
    if (stands_) first_ = at_ = BlockOfKey();
    if (!stands_) Know(0, UINT64_MAX);
  }

  const Numbers& In(uint64_t block) override {
    if (const auto known = few_.find(block); known != few_.end()) return known->second;
    if (LacksKnowingly(block, block)) return kNone;
    if (!stands_ || at_ != block) Seek(block);
    if (!stands_ || at_ != block) return kNone;
    if (!decoded_) Decode();
    return numbers_;
  }

  bool LacksKnowingly(uint64_t first, uint64_t last) const override {
    if (all_known_) return HasNoneIn(few_, first, last);
    return last < first_ || (first >= gap_low_ && last <= gap_high_);
  }

  bool HasNone() const override {
    return all_known_ ? few_.empty() : gap_low_ == 0 && gap_high_ == UINT64_MAX;
  }

  std::optional<std::vector<uint64_t>> FewBlocks() override {
    if (!all_known_) return std::nullopt;
    std::vector<uint64_t> blocks;
    for (const auto& [block, numbers] : few_) blocks.push_back(block);
    return blocks;
  }

  Status status() const override {
    STELE_RETURN_IF_ERROR(failure_);
    return keys_.status();
  }

 private:
  void Know(uint64_t low, uint64_t high) {
    gap_low_ = low;
    gap_high_ = high;
  }
  uint64_t BlockOfKey() const { return KeyReader(keys_.key().substr(term_.size())).Number(); }

  void TakeFew() {
    for (; keys_.valid() && few_.size() < kFewBlocks; keys_.Next()) {
      at_ = BlockOfKey();
      Decode();
      few_[at_] = std::move(numbers_);
    }
    decoded_ = false;
    all_known_ = !keys_.valid();
    if (all_known_) return;
    few_.clear();
    keys_.Seek(term_);
  }

  // To the block, or to the next one that has some.
  void Seek(uint64_t block) {
    const std::string key = term_ + KeyWriter(0).Number(block).Take().substr(1);
    decoded_ = false;
    if (direction_ == Direction::kDescending) {
      keys_.SeekBack(key);
    } else {
      keys_.Seek(key);
    }
    stands_ = keys_.valid();
    if (stands_) at_ = BlockOfKey();
    if (direction_ == Direction::kDescending) {
      Know(stands_ ? at_ + 1 : 0, block);
    } else {
      Know(block, stands_ ? at_ - 1 : UINT64_MAX);
    }
    if (stands_ && at_ == block) Know(1, 0);
  }

  void Decode() {
    decoded_ = true;
    if (DecodeNumbers(keys_.value(), at_ << block_bits_, &numbers_)) return;
    numbers_.clear();
    failure_ = Fail(ErrorCode::kStoreCorrupt,
                    fmt::format("Expected the rows of a term but found {} bytes that are none; "
                                "rebuild the view",
                                keys_.value().size()));
  }

  KeyCursor keys_;
  std::string term_;
  uint8_t block_bits_;
  Direction direction_;
  bool stands_ = false;
  bool decoded_ = false;  // the block where it stands
  uint64_t at_ = 0;
  uint64_t first_ = 0;  // the first that has some
  Numbers numbers_;
  // These and what is between them are known to have none.
  uint64_t gap_low_ = 1;
  uint64_t gap_high_ = 0;
  bool all_known_ = false;
  std::map<uint64_t, Numbers> few_;
  Status failure_;
};

class Union final : public Postings {
 public:
  explicit Union(std::vector<std::unique_ptr<Postings>> parts) : parts_(std::move(parts)) {}

  const Numbers& In(uint64_t block) override {
    numbers_.clear();
    for (const auto& part : parts_) {
      const Numbers& more = part->In(block);
      if (more.empty()) continue;
      Numbers both;
      std::ranges::set_union(numbers_, more, std::back_inserter(both));
      numbers_ = std::move(both);
    }
    return numbers_;
  }
  bool LacksKnowingly(uint64_t first, uint64_t last) const override {
    return std::ranges::all_of(parts_,
                               [&](const auto& part) { return part->LacksKnowingly(first, last); });
  }
  bool HasNone() const override {
    return std::ranges::all_of(parts_, [](const auto& part) { return part->HasNone(); });
  }
  Status status() const override {
    for (const auto& part : parts_) STELE_RETURN_IF_ERROR(part->status());
    return {};
  }

 private:
  std::vector<std::unique_ptr<Postings>> parts_;
  Numbers numbers_;
};

class Given final : public Postings {
 public:
  Given(Numbers numbers, uint8_t block_bits) {
    std::ranges::sort(numbers);
    for (const uint64_t number : numbers) {
      Numbers& block = blocks_[number >> block_bits];
      if (block.empty() || block.back() != number) block.push_back(number);
    }
  }

  const Numbers& In(uint64_t block) override {
    const auto found = blocks_.find(block);
    return found == blocks_.end() ? kNone : found->second;
  }
  bool LacksKnowingly(uint64_t first, uint64_t last) const override {
    return HasNoneIn(blocks_, first, last);
  }
  bool HasNone() const override { return blocks_.empty(); }
  std::optional<std::vector<uint64_t>> FewBlocks() override {
    std::vector<uint64_t> blocks;
    for (const auto& [block, numbers] : blocks_) blocks.push_back(block);
    return blocks;
  }
  Status status() const override { return {}; }

 private:
  std::map<uint64_t, Numbers> blocks_;
};

}  // namespace

std::unique_ptr<Postings> PostingsOf(const ViewReader& reader, const std::string& term,
                                     uint8_t block_bits, Direction direction) {
  return std::make_unique<TermPostings>(reader.Keys(term), term, block_bits, direction, false);
}

std::unique_ptr<Postings> RarePostingsOf(const ViewReader& reader, const std::string& term,
                                         uint8_t block_bits, Direction direction) {
  return std::make_unique<TermPostings>(reader.Keys(term), term, block_bits, direction, true);
}

std::unique_ptr<Postings> AnyOf(std::vector<std::unique_ptr<Postings>> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  return std::make_unique<Union>(std::move(parts));
}

std::unique_ptr<Postings> PostingsAt(Numbers numbers, uint8_t block_bits) {
  return std::make_unique<Given>(std::move(numbers), block_bits);
}

Numbers CommonIn(uint64_t block, const std::vector<Postings*>& parts) {
  for (const Postings* part : parts)
    if (part->LacksKnowingly(block, block)) return {};
  Numbers common = parts[0]->In(block);
  for (size_t i = 1; i < parts.size() && !common.empty(); ++i) {
    Numbers both;
    std::ranges::set_intersection(common, parts[i]->In(block), std::back_inserter(both));
    common = std::move(both);
  }
  return common;
}

}  // namespace stele::projections
