#include "replay/audit/document.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/repeated_member.h"
#include "eventstore/signed_head.h"
#include "replay/audit/proof.h"

namespace stele::replay {

namespace {

constexpr std::string_view kTlogProof = "c2sp.org/tlog-proof@";

}  // namespace

Result<Value> ParseDocument(std::string_view text, std::string_view name) {
  if (text.starts_with(kTlogProof))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected {} as JSON but found one in the form of c2sp.org/tlog-proof, "
                            "which is for other tools",
                            name));
  Result<Value> parsed = ParseJson(text, nullptr, {.bytes = kMaxProofTextBytes});
  if (!parsed.has_value())
    return Fail(parsed.error().code,
                fmt::format("Expected {} as JSON but found: {}", name, parsed.error().message));
  if (!parsed->is_object())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected {}, an object of JSON, but found {}", name,
                            KindName(parsed->kind())));
  if (const Value* format = parsed->Find("format"); format == nullptr || !format->is_string())
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("Expected {}, which says its \"format\", but found another document", name));
  if (const std::string twice = RepeatedMemberOf(text); !twice.empty())
    return Fail(ErrorCode::kBadProof,
                fmt::format("Expected each member of {} once but found \"{}\" twice", name, twice));
  return parsed;
}

const Value* MemberReader::Take(std::string_view member, std::string_view kind) {
  taken_.push_back(member);
  const Value* value = object_.Find(member);
  if (value == nullptr) Wrong(member, kind);
  return value;
}

void MemberReader::Wrong(std::string_view member, std::string_view kind) {
  if (!status_.has_value()) return;
  const Value* value = object_.Find(member);
  status_ = Fail(ErrorCode::kBadProof,
                 fmt::format("Expected {} as \"{}\" of {} but found {}", kind, member, name_,
                             value == nullptr ? "none" : "something else"));
}

std::string MemberReader::Text(std::string_view member) {
  const Value* value = Take(member, "a text");
  if (value != nullptr && value->is_string()) return value->as_string();
  Wrong(member, "a text");
  return "";
}

uint64_t MemberReader::Number(std::string_view member) {
  const Value* value = Take(member, "a whole number");
  if (value != nullptr && value->is_int() && value->as_int() >= 0)
    return static_cast<uint64_t>(value->as_int());
  Wrong(member, "a whole number");
  return 0;
}

std::string MemberReader::Bytes(std::string_view member) {
  const Value* value = Take(member, "base64");
  if (value != nullptr && value->is_string())
    if (auto bytes = eventstore::DecodeExactBase64(value->as_string())) return *std::move(bytes);
  Wrong(member, "base64");
  return "";
}

const Array& MemberReader::Items(std::string_view member) {
  static const Array kNone;
  const Value* value = Take(member, "an array");
  if (value != nullptr && value->is_array()) return value->as_array();
  Wrong(member, "an array");
  return kNone;
}

std::vector<eventstore::Hash> MemberReader::Hashes(std::string_view member) {
  constexpr std::string_view kKind = "an array of hashes of 32 bytes in base64";
  std::vector<eventstore::Hash> hashes;
  for (const Value& item : Items(member)) {
    const auto hash = item.is_string() ? eventstore::ParseHash(item.as_string()) : std::nullopt;
    if (!hash.has_value()) {
      Wrong(member, kKind);
      return {};
    }
    hashes.push_back(*hash);
  }
  return hashes;
}

Status MemberReader::Finish() const {
  if (!status_.has_value()) return status_;
  if (!object_.is_object())
    return Fail(ErrorCode::kBadProof,
                fmt::format("Expected {}, an object, but found something else", name_));
  for (const Member& member : object_.as_object())
    if (std::ranges::find(taken_, member.key) == taken_.end())
      return Fail(ErrorCode::kBadProof,
                  fmt::format("Expected no member \"{}\" of {} but found one", member.key, name_));
  return {};
}

Array HashTexts(const std::vector<eventstore::Hash>& hashes) {
  Array texts;
  for (const eventstore::Hash& hash : hashes) texts.emplace_back(eventstore::HashText(hash));
  return texts;
}

}  // namespace stele::replay
