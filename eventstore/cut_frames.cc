#include "eventstore/cut_frames.h"

#include <algorithm>
#include <bit>

#include "eventstore/format.h"

namespace stele::eventstore {
namespace {

// The frames of a block while records are cut out of it: what is gone is kept as the fewest nodes
// of its tree.
class Remains {
 public:
  explicit Remains(std::string* frames) : frames_(*frames) { frames_.clear(); }

  void Keep(std::string_view frame) {
    Flush();
    frames_.append(frame);
    next_ += 1;
  }
  void Cut(TreeNode node) {
    next_ += node.records;
    while (!gone_.empty() && AreHalves(gone_.back(), node, next_ - node.records)) {
      node = {2 * node.records, NodeHash(gone_.back().hash, node.hash)};
      gone_.pop_back();
    }
    gone_.push_back(node);
  }
  void Finish() {
    // Nothing is left: the root says all.
    if (frames_.empty())
      while (gone_.size() > 1) {
        const TreeNode right = gone_.back();
        gone_.pop_back();
        TreeNode& left = gone_.back();
        left = {left.records + right.records, NodeHash(left.hash, right.hash)};
      }
    Flush();
  }

 private:
  // `right` begins behind so many records.
  static bool AreHalves(const TreeNode& left, const TreeNode& right, uint64_t begin) {
    return left.records == right.records && std::has_single_bit(left.records) &&
           (begin - left.records) % (2 * uint64_t{left.records}) == 0;
  }
  void Flush() {
    for (const TreeNode& node : gone_) AppendCutFrame(node, &frames_);
    gone_.clear();
  }

  std::string& frames_;
  std::vector<TreeNode> gone_;  // behind the last record that is kept
  uint64_t next_ = 0;           // records so far
};

}  // namespace

Result<uint64_t> CutFrames(BlockReader& reader, const std::vector<InstanceId>& instances,
                           std::string* frames, std::vector<CutLeaf>* leaves) {
  uint64_t cut = 0;
  RecordView view;
  Error error{};
  Remains remains(frames);
  while (!reader.AtEnd()) {
    if (!reader.Next(&view, &error)) return std::unexpected(std::move(error));
    if (reader.cut() > 0) {
      remains.Cut(reader.Node());
    } else if (std::ranges::binary_search(instances, view.header.instance)) {
      const TreeNode node = reader.Node();
      remains.Cut(node);
      if (leaves != nullptr) leaves->push_back({view.position, node.hash});
      ++cut;
    } else {
      remains.Keep(reader.frame());
    }
  }
  remains.Finish();
  return cut;
}

void MakePlainBlock(BlockHeader header, std::string_view frames, std::string* block) {
  header.flags = kCompressionNone;
  header.raw_bytes = header.stored_bytes = static_cast<uint32_t>(frames.size());
  block->assign(kBlockHeaderBytes, '\0');
  *block += frames;
  EncodeBlockHeader(header, block);
}

}  // namespace stele::eventstore
