#include "replay/audit/account_changes.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "engine/model/codec.h"

namespace stele::replay {

namespace {

std::string TextIn(const Value& document, std::string_view member) {
  const Value* found = document.Find(member);
  return found != nullptr && found->is_string() ? found->as_string() : std::string();
}

// What people call the members of an account's document. What follows from others is not told.
constexpr std::pair<std::string_view, std::string_view> kChanges[] = {
    {"name", "owner"},
    {"groups", "groups"},
    {"password_hash", "password"},
    {"hash", "secret"},
    {"tokens_valid_from_us", "tokens called in"},
    {"expires_us", "expiry"}};

// "role (before: viewer), password"; empty: nothing of that.
std::string Difference(const Value& before, const Value& after) {
  std::string text;
  const auto add = [&](std::string_view what) {
    text.append(text.empty() ? "" : ", ").append(what);
  };
  const auto differs = [&](std::string_view member) {
    const Value* old = before.Find(member);
    const Value* now = after.Find(member);
    return old == nullptr || now == nullptr ? old != now : !(*old == *now);
  };
  if (differs("role")) add(fmt::format("role (before: {})", TextIn(before, "role")));
  for (const auto& [member, what] : kChanges)
    if (differs(member)) add(what);
  const Value* disabled = after.Find("disabled");
  if (differs("disabled"))
    add(disabled != nullptr && *disabled == Value(true) ? "disabled" : "enabled");
  return text;
}

}  // namespace

Status AccountChanges::ReadTo(Position position) {
  while (next_.has_value() && next_->position < position) {
    if (!next_->erased)
      STELE_RETURN_IF_ERROR(model::DecodeEach(next_->body, [&](const model::Event& event) {
        const auto* changed = std::get_if<model::SettingChanged>(&event);
        if (changed == nullptr || !IsOfAccount(changed->name)) return;
        if (changed->document.empty()) {
          accounts_.erase(changed->name);
        } else {
          accounts_[changed->name] = changed->document;
        }
      }));
    auto next = cursor_->Next();
    if (!next.has_value()) return std::unexpected(next.error());
    next_ = *next;
  }
  return {};
}

Status AccountChanges::Tell(Deed& deed) {
  if (cursor_ == nullptr) {
    from_begin_ = deed.seq.value <= kAccountRecords;
    const Seq from(from_begin_ ? 1 : deed.seq.value - kAccountRecords);
    auto cursor = store_.ReadInstance(shard_, InstanceId(), from);
    if (!cursor.has_value()) return std::unexpected(cursor.error());
    cursor_ = *std::move(cursor);
    auto next = cursor_->Next();
    if (!next.has_value()) return std::unexpected(next.error());
    next_ = *next;
  }
  STELE_RETURN_IF_ERROR(ReadTo(deed.position));
  const auto known = accounts_.find(deed.about_account);
  const std::string before = known == accounts_.end() ? std::string() : known->second;
  STELE_RETURN_IF_ERROR(ReadTo(deed.position.Next()));
  const auto found = accounts_.find(deed.about_account);
  const bool removed = found == accounts_.end();
  if (before.empty()) {
    if (!removed && from_begin_) deed.action = "create";
    return {};
  }
  const auto old = ParseJson(before, nullptr, kWrittenJson);
  if (!old.has_value()) return {};
  if (removed) {
    // A key is its owner's; a user is named already.
    if (const std::string owner = TextIn(*old, "name"); !owner.empty())
      deed.target += " of " + owner;
    return {};
  }
  deed.action = "change";
  const auto now = ParseJson(found->second, nullptr, kWrittenJson);
  if (!now.has_value()) return {};
  if (const std::string changes = Difference(*old, *now); !changes.empty())
    deed.target += "; changed: " + changes;
  return {};
}

}  // namespace stele::replay
