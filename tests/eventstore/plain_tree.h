// RFC 9162, 2.1.1, 2.1.3.1 and 2.1.4.1, as they are written there: what the log's tree is compared
// with.
#pragma once

#include <openssl/evp.h>

#include <bit>
#include <string>
#include <vector>

#include "eventstore/hash.h"

namespace stele::eventstore {

inline Hash Digest(const std::string& bytes) {
  Hash hash;
  EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
  return hash;
}

inline Hash LeafOf(const std::string& data) {
  return Digest(std::string(1, '\0') + data);
}

inline std::vector<Hash> SomeLeaves(uint64_t count) {
  std::vector<Hash> leaves;
  for (uint64_t i = 0; i < count; ++i) leaves.push_back(LeafOf(std::to_string(i)));
  return leaves;
}

// MTH(D[begin:end])
inline Hash PlainRoot(const std::vector<Hash>& leaves, uint64_t begin, uint64_t end) {
  if (begin == end) return Digest("");
  if (end - begin == 1) return leaves[begin];
  const uint64_t middle = begin + std::bit_floor(end - begin - 1);
  std::string node(1, '\x01');
  for (const Hash& half : {PlainRoot(leaves, begin, middle), PlainRoot(leaves, middle, end)})
    node.append(half.begin(), half.end());
  return Digest(node);
}

// PATH(index, D[begin:end])
inline std::vector<Hash> PlainPath(const std::vector<Hash>& leaves, uint64_t index, uint64_t begin,
                                   uint64_t end) {
  if (end - begin == 1) return {};
  const uint64_t middle = begin + std::bit_floor(end - begin - 1);
  const bool left = index < middle;
  auto path = PlainPath(leaves, index, left ? begin : middle, left ? middle : end);
  path.push_back(left ? PlainRoot(leaves, middle, end) : PlainRoot(leaves, begin, middle));
  return path;
}

// SUBPROOF(m, D[begin:end], known), m counted from `begin`
inline std::vector<Hash> PlainSubproof(const std::vector<Hash>& leaves, uint64_t m, uint64_t begin,
                                       uint64_t end, bool known) {
  if (m == end - begin) {
    if (known) return {};
    return {PlainRoot(leaves, begin, end)};
  }
  const uint64_t half = std::bit_floor(end - begin - 1), middle = begin + half;
  if (m <= half) {
    auto path = PlainSubproof(leaves, m, begin, middle, known);
    path.push_back(PlainRoot(leaves, middle, end));
    return path;
  }
  auto path = PlainSubproof(leaves, m - half, middle, end, false);
  path.push_back(PlainRoot(leaves, begin, middle));
  return path;
}

inline std::vector<Hash> PlainConsistency(const std::vector<Hash>& leaves, uint64_t older,
                                          uint64_t size) {
  return PlainSubproof(leaves, older, 0, size, true);
}

}  // namespace stele::eventstore
