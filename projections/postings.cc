#include "projections/postings.h"

#include <algorithm>

namespace stele::projections {

namespace {

class TermPostings final : public Postings {
 public:
  TermPostings(KeyCursor keys, std::string prefix, Direction direction)
      : keys_(std::move(keys)),
        prefix_(std::move(prefix)),
        direction_(direction),
        // The cursor begins at the first key.
        stands_(direction == Direction::kNewestFirst) {}

  void Seek(std::string_view place) override {
    // It has come to the end, or is as far already.
    if (!keys_.valid() || (stands_ && !ComesBefore(direction_, this->place(), place))) return;
    stands_ = true;
    const std::string key = prefix_ + std::string(place);
    if (direction_ == Direction::kNewestFirst) {
      keys_.Seek(key);
    } else {
      keys_.SeekBack(key);
    }
  }
  void Next() override {
    if (direction_ == Direction::kNewestFirst) {
      keys_.Next();
    } else {
      keys_.Previous();
    }
  }
  bool valid() const override { return keys_.valid(); }
  std::string_view place() const override { return keys_.key().substr(prefix_.size()); }
  Status status() const override { return keys_.status(); }

 private:
  KeyCursor keys_;
  std::string prefix_;
  Direction direction_;
  bool stands_;
};

class Union final : public Postings {
 public:
  Union(std::vector<std::unique_ptr<Postings>> parts, Direction direction)
      : parts_(std::move(parts)), direction_(direction) {}

  void Seek(std::string_view place) override {
    for (const auto& part : parts_) part->Seek(place);
    FindFirst();
  }
  void Next() override {
    const std::string place(first_->place());
    for (const auto& part : parts_)
      if (part->valid() && part->place() == place) part->Next();
    FindFirst();
  }
  bool valid() const override { return first_ != nullptr; }
  std::string_view place() const override { return first_->place(); }
  Status status() const override {
    for (const auto& part : parts_) STELE_RETURN_IF_ERROR(part->status());
    return {};
  }

 private:
  void FindFirst() {
    first_ = nullptr;
    for (const auto& part : parts_) {
      if (!part->valid()) continue;
      if (first_ == nullptr || ComesBefore(direction_, part->place(), first_->place()))
        first_ = part.get();
    }
  }

  std::vector<std::unique_ptr<Postings>> parts_;
  Direction direction_;
  Postings* first_ = nullptr;
};

class Places final : public Postings {
 public:
  Places(std::vector<std::string> places, Direction direction)
      : places_(std::move(places)), direction_(direction) {
    std::ranges::sort(places_, [&](const std::string& a, const std::string& b) {
      return ComesBefore(direction_, a, b);
    });
  }

  void Seek(std::string_view place) override {
    at_ = 0;
    while (valid() && ComesBefore(direction_, places_[at_], place)) ++at_;
  }
  void Next() override { ++at_; }
  bool valid() const override { return at_ < places_.size(); }
  std::string_view place() const override { return places_[at_]; }
  Status status() const override { return {}; }

 private:
  std::vector<std::string> places_;
  Direction direction_;
  size_t at_ = 0;
};

}  // namespace

std::unique_ptr<Postings> PostingsOf(const ViewReader& reader, const std::string& prefix,
                                     Direction direction) {
  return std::make_unique<TermPostings>(reader.Keys(prefix), prefix, direction);
}

std::unique_ptr<Postings> AnyOf(std::vector<std::unique_ptr<Postings>> parts, Direction direction) {
  if (parts.size() == 1) return std::move(parts[0]);
  return std::make_unique<Union>(std::move(parts), direction);
}

std::unique_ptr<Postings> PostingsAt(std::vector<std::string> places, Direction direction) {
  return std::make_unique<Places>(std::move(places), direction);
}

Status Intersection::status() const {
  for (const auto& part : parts_) STELE_RETURN_IF_ERROR(part->status());
  return {};
}

}  // namespace stele::projections
