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

// What of `changes` begins with `prefix`, over what is in `into` already.
void Overlay(const NoteChanges& changes, std::string_view prefix, NoteChanges& into) {
  for (auto at = changes.lower_bound(prefix); at != changes.end() && at->first.starts_with(prefix);
       ++at)
    into[at->first] = at->second;
}

}  // namespace

Result<std::optional<std::string>> Notes::Get(std::string_view key) const {
  for (const NoteChanges* changes : {&recent_, &writing_})
    if (const auto found = changes->find(key); found != changes->end()) return found->second;
  return store_.GetNote(shard_, key);
}

Status Notes::Scan(std::string_view prefix,
                   const std::function<bool(std::string_view, std::string_view)>& visit) const {
  NoteChanges changes;
  Overlay(writing_, prefix, changes);
  Overlay(recent_, prefix, changes);
  auto change = changes.begin();
  bool goes_on = true;
  // Visits the changes before `key`; without one, all that are left.
  const auto catch_up = [&](std::optional<std::string_view> key) {
    for (; goes_on && change != changes.end() && (!key || change->first < *key); ++change)
      if (change->second.has_value()) goes_on = visit(change->first, *change->second);
  };
  STELE_RETURN_IF_ERROR(
      store_.ForEachNote(shard_, prefix, prefix, [&](std::string_view key, std::string_view value) {
        catch_up(key);
        if (!goes_on) return false;
        // The change of that very note stands in its place.
        if (change == changes.end() || change->first != key) goes_on = visit(key, value);
        return goes_on;
      }));
  catch_up(std::nullopt);
  return {};
}

const NoteChanges& Notes::BeginWriting() {
  // A checkpoint that failed left its changes: the newer ones win.
  for (auto& [key, value] : recent_) writing_[key] = std::move(value);
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
