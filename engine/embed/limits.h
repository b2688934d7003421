// How much an engine inside a program keeps. Options has what a program may set.
#pragma once

#include <cstddef>

namespace stele::embed {

// Instances whose definition a subscription remembers, 16 bytes each; of others it is looked up.
inline constexpr size_t kKnownInstances = 65'536;

}  // namespace stele::embed
