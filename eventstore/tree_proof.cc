#include "eventstore/tree_proof.h"

#include <bit>

#include "eventstore/log_tree.h"
#include "eventstore/record_tree.h"

namespace stele::eventstore {

std::optional<Hash> RootByInclusion(uint64_t index, uint64_t size, const Hash& leaf,
                                    std::span<const Hash> path) {
  if (index >= size) return std::nullopt;
  uint64_t number = index, last = size - 1;
  Hash root = leaf;
  for (const Hash& beside : path) {
    if (last == 0) return std::nullopt;
    if (number % 2 == 1 || number == last) {
      root = NodeHash(beside, root);
      // Levels at which the node has nobody to its right.
      while (number % 2 == 0 && number != 0) {
        number >>= 1;
        last >>= 1;
      }
    } else {
      root = NodeHash(root, beside);
    }
    number >>= 1;
    last >>= 1;
  }
  if (last != 0) return std::nullopt;
  return root;
}

bool IsConsistent(uint64_t old_size, const Hash& old_root, uint64_t size, const Hash& root,
                  std::span<const Hash> path) {
  if (old_size > size) return false;
  if (old_size == 0) return path.empty() && old_root == LogFrontier().Root();
  if (old_size == size) return path.empty() && old_root == root;
  uint64_t number = old_size - 1, last = size - 1;
  while (number % 2 == 1) {
    number >>= 1;
    last >>= 1;
  }
  // An older tree that is one complete node begins the path itself.
  const bool given = !std::has_single_bit(old_size);
  if (given && path.empty()) return false;
  Hash older = given ? path.front() : old_root;
  Hash newer = older;
  for (const Hash& beside : path.subspan(given ? 1 : 0)) {
    if (last == 0) return false;
    if (number % 2 == 1 || number == last) {
      older = NodeHash(beside, older);
      newer = NodeHash(beside, newer);
      while (number % 2 == 0 && number != 0) {
        number >>= 1;
        last >>= 1;
      }
    } else {
      newer = NodeHash(newer, beside);
    }
    number >>= 1;
    last >>= 1;
  }
  return last == 0 && older == old_root && newer == root;
}

}  // namespace stele::eventstore
