// Included before everything else by what links stele_schemas. KJ 0.9.2 leaves "text" == StringPtr
// to C++20's reversed comparison, which clang (by P2468) does not consider for a type that has its
// own operator!=; without these two its headers do not compile there.
#pragma once

#if defined(__clang__) && __cplusplus >= 202002L
#include <kj/string.h>

namespace kj {
inline bool operator==(const char* a, const StringPtr& b) {
  return b == StringPtr(a);
}
inline bool operator!=(const char* a, const StringPtr& b) {
  return b != StringPtr(a);
}
}  // namespace kj
#endif
