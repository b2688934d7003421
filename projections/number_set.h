// Numbers of rows in a block (table.h), as bytes: the distances between them, or a bit for each
// number, whichever is shorter. The same set gives the same bytes, whatever it grew from.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::projections {

using Numbers = std::vector<uint64_t>;  // ascending, none twice

// REQUIRES: there is one, and none is below `base`.
std::string EncodeNumbers(std::span<const uint64_t> numbers, uint64_t base);

// False: the bytes are no set.
bool DecodeNumbers(std::string_view bytes, uint64_t base, Numbers* numbers);

// Seven bits a byte, the lowest first; the last byte is below 0x80.
void AppendVarint(std::string& bytes, uint64_t value);
// False: there is none at the beginning of `bytes`, which it takes off otherwise.
bool TakeVarint(std::string_view& bytes, uint64_t* value);

}  // namespace stele::projections
