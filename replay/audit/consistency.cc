#include "replay/audit/consistency.h"

#include <fmt/format.h>

#include "eventstore/tree_proof.h"
#include "eventstore/tree_reader.h"
#include "replay/audit/document.h"

namespace stele::replay {
namespace {

constexpr std::string_view kFormat = "stele-consistency-proof";
constexpr uint64_t kVersion = 1;

// That the log is what the head was signed over.
Status CheckHead(eventstore::TreeReader& tree, const eventstore::TreeHead& head) {
  const auto root = tree.Root(head.size);
  if (!root.has_value()) return std::unexpected(root.error());
  if (*root == head.root) return {};
  return Fail(ErrorCode::kBadProof,
              fmt::format("Expected the first {} records of the log to have the root {}, for which "
                          "{} was signed, but found {}: something before that head was changed",
                          head.size, eventstore::HashText(head.root), head.origin,
                          eventstore::HashText(*root)));
}

}  // namespace

Result<Growth> ProveGrowth(const eventstore::EventStore& store, ShardId shard,
                           const std::string& older, const std::string& newer) {
  const auto old_head = eventstore::ParseHead(older);
  if (!old_head.has_value()) return std::unexpected(old_head.error());
  const auto new_head = eventstore::ParseHead(newer);
  if (!new_head.has_value()) return std::unexpected(new_head.error());
  const uint64_t from = old_head->head.size, size = new_head->head.size;
  const auto tree = store.Tree(shard);
  STELE_RETURN_IF_ERROR(CheckHead(*tree, old_head->head));
  STELE_RETURN_IF_ERROR(CheckHead(*tree, new_head->head));
  if (from > size)
    return Fail(ErrorCode::kBadProof,
                fmt::format("Expected the older head first but found one over {} records and one "
                            "over {}",
                            from, size));
  Growth growth{older, newer, {}};
  if (from == 0) return growth;
  auto path = tree->ConsistencyPath(from, size);
  if (!path.has_value()) return std::unexpected(path.error());
  growth.path = *std::move(path);
  return growth;
}

Result<Growth> ProveGrowthUntilNow(eventstore::EventStore& store, ShardId shard,
                                   const std::string& older) {
  if (store.head_verifier() != nullptr) STELE_RETURN_IF_ERROR(store.SignHead(shard));
  const auto newest = store.Tree(shard)->NewestHead();
  if (!newest.has_value()) return std::unexpected(newest.error());
  if (newest->has_value()) return ProveGrowth(store, shard, older, **newest);
  return Fail(ErrorCode::kUnknownHead, "Expected a signed head of the log but found none");
}

Value ToJson(const Growth& growth) {
  return Object{{"format", std::string(kFormat)},
                {"version", static_cast<int64_t>(kVersion)},
                {"older", growth.older},
                {"newer", growth.newer},
                {"path", HashTexts(growth.path)}};
}

bool IsGrowth(const Value& document) {
  const Value* format = document.Find("format");
  return format != nullptr && format->is_string() && format->as_string() == kFormat;
}

Result<Growth> ParseGrowth(const Value& document) {
  MemberReader members(document, "the proof");
  const std::string format = members.Text("format");
  const uint64_t version = members.Number("version");
  Growth growth{members.Text("older"), members.Text("newer"), members.Hashes("path")};
  STELE_RETURN_IF_ERROR(members.Finish());
  if (format == kFormat && version == kVersion) return growth;
  return Fail(ErrorCode::kBadProof,
              fmt::format("Expected a proof of the format {} {} but found {} {}", kFormat, kVersion,
                          format, version));
}

Result<CheckedGrowth> CheckGrowthOfHeads(const Growth& growth) {
  const auto older = eventstore::ParseHead(growth.older);
  if (!older.has_value()) return std::unexpected(older.error());
  const auto newer = eventstore::ParseHead(growth.newer);
  if (!newer.has_value()) return std::unexpected(newer.error());
  CheckedGrowth checked{
      .older = older->head, .newer = newer->head, .older_key = {}, .newer_key = {}};
  if (eventstore::IsConsistent(checked.older.size, checked.older.root, checked.newer.size,
                               checked.newer.root, growth.path))
    return checked;
  return Fail(
      ErrorCode::kBadProof,
      fmt::format("Expected a log of {} records that begins with those that the head over {} "
                  "was signed for but found that the proof does not lead from the one root "
                  "to the other",
                  checked.newer.size, checked.older.size));
}

Result<CheckedGrowth> CheckGrowth(const Growth& growth,
                                  const std::vector<eventstore::NoteVerifier>& keys) {
  auto checked = CheckGrowthOfHeads(growth);
  if (!checked.has_value()) return checked;
  const auto older = eventstore::SignerOf(*eventstore::ParseHead(growth.older), keys);
  if (!older.has_value()) return std::unexpected(older.error());
  const auto newer = eventstore::SignerOf(*eventstore::ParseHead(growth.newer), keys);
  if (!newer.has_value()) return std::unexpected(newer.error());
  checked->older_key = (*older)->Title();
  checked->newer_key = (*newer)->Title();
  // Behind the names of the keys, which may be two, stands which shard it is.
  const auto shard = [](const eventstore::TreeHead& head, const eventstore::NoteVerifier& key) {
    return std::string_view(head.origin).substr(key.name().size());
  };
  if (shard(checked->older, **older) == shard(checked->newer, **newer)) return checked;
  return Fail(ErrorCode::kBadProof, fmt::format("Expected two heads of one log but found {} and {}",
                                                checked->older.origin, checked->newer.origin));
}

}  // namespace stele::replay
