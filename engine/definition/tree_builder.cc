#include "engine/definition/tree_builder.h"

#include <fmt/format.h>

#include "engine/definition/limits.h"

namespace stele::definition {
namespace {

[[noreturn]] void Refuse(ErrorCode code, Place place, std::string message) {
  throw TreeBuilder::Refused{{code, std::move(message), place}};
}

constexpr std::string_view kMergeKey = "<<";

}  // namespace

void TreeBuilder::Count(const Node& node) {
  if (++nodes_ > kMaxNodes)
    Refuse(ErrorCode::kLimitExceeded, node.place,
           fmt::format("Expected at most {} values in a file, its aliases expanded, but found more",
                       kMaxNodes));
  bytes_ += node.is_string() ? node.scalar.as_string().size() : 0;
  if (bytes_ > kMaxExpandedBytes)
    Refuse(ErrorCode::kLimitExceeded, node.place,
           fmt::format("Expected at most {} bytes of strings, aliases expanded, but found more",
                       kMaxExpandedBytes));
  if (node.is_string() && node.scalar.as_string().size() > kMaxStringBytes)
    Refuse(ErrorCode::kLimitExceeded, node.place,
           fmt::format("Expected a string of at most {} bytes but found {}", kMaxStringBytes,
                       node.scalar.as_string().size()));
  for (const Node& item : node.items) Count(item);
  for (const Entry& entry : node.entries) Count(entry.value);
}

void TreeBuilder::Scalar(Node node, size_t anchor) {
  Count(node);
  if (anchor != 0) Remember(anchor, node);
  Add(std::move(node));
}

// The copy counts as well: anchors in each other would multiply what is kept.
void TreeBuilder::Remember(size_t anchor, const Node& node) {
  Count(node);
  anchors_[anchor] = node;
}

void TreeBuilder::Begin(Node::Kind kind, Place place, size_t anchor) {
  if (open_.size() >= kMaxDepth)
    Refuse(ErrorCode::kLimitExceeded, place,
           fmt::format("Expected lists and mappings in each other at most {} deep but found more",
                       kMaxDepth));
  if (!open_.empty() && open_.back().node.is_map() && !open_.back().has_key)
    Refuse(syntax_code_, place, "Expected a name as a key but found a list or mapping");
  Open open;
  open.node.kind = kind;
  open.node.place = place;
  open.anchor = anchor;
  Count(open.node);
  open_.push_back(std::move(open));
}

void TreeBuilder::End() {
  Open open = std::move(open_.back());
  open_.pop_back();
  for (const Node& source : open.merged) Merge(open, source);
  if (open.anchor != 0) Remember(open.anchor, open.node);
  Add(std::move(open.node));
}

void TreeBuilder::Alias(size_t anchor, Place place) {
  if (++aliases_ > kMaxAliases)
    Refuse(ErrorCode::kLimitExceeded, place,
           fmt::format("Expected at most {} aliases in a file but found more", kMaxAliases));
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end())
    Refuse(syntax_code_, place,
           "Expected an alias of something that ended before it but found one inside itself");
  Count(found->second);
  Add(found->second);
}

void TreeBuilder::Key(std::string key, Place place) {
  Open& map = open_.back();
  map.has_key = true;
  map.key = std::move(key);
  map.key_place = place;
  if (map.keys.size() >= kMaxKeys)
    Refuse(ErrorCode::kLimitExceeded, place,
           fmt::format("Expected at most {} keys in a mapping but found more", kMaxKeys));
}

void TreeBuilder::Add(Node node) {
  if (open_.empty()) {
    root_ = std::move(node);
    has_root_ = true;
    return;
  }
  Open& open = open_.back();
  if (open.node.is_list()) {
    open.node.items.push_back(std::move(node));
    return;
  }
  if (!open.has_key) {
    if (!node.is_scalar())
      Refuse(syntax_code_, node.place, "Expected a name as a key but found a list or mapping");
    Key(node.is_string() ? node.scalar.as_string() : node.raw, node.place);
    return;
  }
  open.has_key = false;
  const bool merges = open.key == kMergeKey && syntax_code_ == ErrorCode::kInvalidYaml;
  if (merges ? !open.merged.empty() : !open.keys.insert(open.key).second) {
    faults_.Add(
        syntax_code_, open.key_place,
        fmt::format("Expected each key once in a mapping but found {} again", Quote(open.key)));
    return;
  }
  if (merges) {
    open.merged.push_back(std::move(node));
    return;
  }
  open.node.entries.push_back({std::move(open.key), open.key_place, std::move(node)});
}

// What the map has itself wins; then the source that came first.
void TreeBuilder::Merge(Open& map, const Node& source) {
  if (source.is_list()) {
    for (const Node& item : source.items) {
      if (!item.is_map())
        Refuse(syntax_code_, item.place, "Expected a mapping to merge but found " + Describe(item));
      Merge(map, item);
    }
    return;
  }
  if (!source.is_map())
    Refuse(syntax_code_, source.place, "Expected a mapping to merge but found " + Describe(source));
  for (const Entry& entry : source.entries) {
    if (!map.keys.insert(entry.key).second) continue;
    if (map.keys.size() > kMaxKeys)
      Refuse(ErrorCode::kLimitExceeded, entry.place,
             fmt::format("Expected at most {} keys in a mapping but found more", kMaxKeys));
    map.node.entries.push_back(entry);
  }
}

}  // namespace stele::definition
