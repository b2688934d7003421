#include "engine/runtime/notes.h"

#include <algorithm>

#include "base/check.h"

namespace stele::runtime {

namespace {

template <class Number>
std::string BigEndian(Number number) {
  std::string bytes(sizeof number, '\0');
  for (size_t i = sizeof number; i-- > 0; number = static_cast<Number>(number >> 8))
    bytes[i] = static_cast<char>(number & 0xFF);
  return bytes;
}

template <class Number>
Number TakeBigEndian(std::string_view& key) {
  CHECK(key.size() >= sizeof(Number), "a note's key of {} bytes is cut off", key.size());
  Number number = 0;
  for (size_t i = 0; i < sizeof number; ++i)
    number = static_cast<Number>(number << 8) | static_cast<uint8_t>(key[i]);
  key.remove_prefix(sizeof number);
  return number;
}

// The changes that begin with a prefix, in order; of two of one key the newer one.
class ChangeCursor {
 public:
  ChangeCursor(const NoteChanges& newer, const NoteChanges& older, std::string_view prefix)
      : prefix_(prefix),
        newer_(newer.lower_bound(prefix)),
        newer_end_(newer.end()),
        older_(older.lower_bound(prefix)),
        older_end_(older.end()) {
    Find();
  }

  // Null at the end.
  const NoteChanges::value_type* get() const { return change_; }
  void Next() {
    const std::string& key = change_->first;
    if (older_ != older_end_ && older_->first == key) ++older_;
    if (newer_ != newer_end_ && newer_->first == key) ++newer_;
    Find();
  }

 private:
  using Place = NoteChanges::const_iterator;
  bool IsIn(Place at, Place end) const { return at != end && at->first.starts_with(prefix_); }
  void Find() {
    const bool newer = IsIn(newer_, newer_end_);
    const bool older = IsIn(older_, older_end_);
    change_ = newer && (!older || newer_->first <= older_->first) ? &*newer_
              : older                                             ? &*older_
                                                                  : nullptr;
  }

  std::string_view prefix_;
  Place newer_, newer_end_, older_, older_end_;
  const NoteChanges::value_type* change_ = nullptr;
};

}  // namespace

Result<std::optional<std::string>> Notes::Get(std::string_view key) const {
  for (const NoteChanges* changes : {&recent_, &writing_})
    if (const auto found = changes->find(key); found != changes->end()) return found->second.value;
  return store_.GetNote(shard_, key);
}

Status Notes::Scan(std::string_view prefix,
                   const std::function<bool(std::string_view, std::string_view)>& visit) const {
  ChangeCursor changes(recent_, writing_, prefix);
  bool goes_on = true;
  // Visits the changes before `key`; without one, all that are left.
  const auto catch_up = [&](std::optional<std::string_view> key) {
    for (; goes_on && changes.get() != nullptr; changes.Next()) {
      const auto& [changed, change] = *changes.get();
      if (key.has_value() && changed >= *key) return;
      if (change.value.has_value()) goes_on = visit(changed, *change.value);
    }
  };
  STELE_RETURN_IF_ERROR(
      store_.ForEachNote(shard_, prefix, prefix, [&](std::string_view key, std::string_view value) {
        catch_up(key);
        if (!goes_on) return false;
        // The change of that very note stands in its place.
        if (changes.get() == nullptr || changes.get()->first != key) goes_on = visit(key, value);
        return goes_on;
      }));
  catch_up(std::nullopt);
  return {};
}

void Notes::Erase(std::string key) {
  const auto found = recent_.find(key);
  if (found != recent_.end() && found->second.is_new && !writing_.contains(key)) {
    recent_.erase(found);
  } else {
    recent_.insert_or_assign(std::move(key), NoteChange());
  }
}

const NoteChanges& Notes::BeginWriting() {
  // A checkpoint that failed left its changes: the newer ones win.
  for (auto& [key, change] : recent_) writing_[key] = std::move(change);
  recent_.clear();
  return writing_;
}

std::string KeyPart(std::string_view text) {
  return KeyPart(static_cast<uint32_t>(text.size())).append(text);
}

std::string KeyPart(uint64_t number) {
  return BigEndian(number);
}

std::string KeyPart(uint32_t number) {
  return BigEndian(number);
}

uint64_t TakeNumber64(std::string_view& key) {
  return TakeBigEndian<uint64_t>(key);
}

uint32_t TakeNumber32(std::string_view& key) {
  return TakeBigEndian<uint32_t>(key);
}

std::string_view TakeText(std::string_view& key) {
  const uint32_t size = TakeNumber32(key);
  CHECK(size <= key.size(), "a note's key is cut off");
  const std::string_view text = key.substr(0, size);
  key.remove_prefix(size);
  return text;
}

}  // namespace stele::runtime
