// Builds the document tree from events, for both syntaxes, and holds it to the limits.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/definition/document.h"

namespace stele::definition {

class TreeBuilder {
 public:
  // Thrown by every call once a limit is passed or the tree cannot be built; caught in the file
  // that drives the builder, which adds it to the faults.
  struct Refused {
    Fault fault;
  };

  TreeBuilder(Faults& faults, ErrorCode syntax_code) : faults_(faults), syntax_code_(syntax_code) {}

  // `anchor` is 0 for none.
  void Scalar(Node node, size_t anchor = 0);
  void Begin(Node::Kind kind, Place place, size_t anchor = 0);
  void End();
  void Alias(size_t anchor, Place place);
  // JSON names its keys apart from values; YAML gives them as scalars.
  void Key(std::string key, Place place);

  bool done() const { return open_.empty() && has_root_; }
  size_t depth() const { return open_.size(); }
  Node TakeRoot() { return std::move(root_); }

 private:
  struct Open {
    Node node;
    size_t anchor = 0;
    bool has_key = false;
    std::string key;
    Place key_place;
    std::set<std::string> keys;
    std::vector<Node> merged;  // of `<<`
  };

  void Count(const Node& node);
  void Remember(size_t anchor, const Node& node);
  void Add(Node node);
  void Merge(Open& map, const Node& source);

  Faults& faults_;
  const ErrorCode syntax_code_;
  std::vector<Open> open_;
  std::map<size_t, Node> anchors_;
  Node root_;
  bool has_root_ = false;
  size_t nodes_ = 0;
  size_t bytes_ = 0;
  size_t aliases_ = 0;
};

}  // namespace stele::definition
