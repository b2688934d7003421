#include "projections/number_set.h"

#include "base/check.h"

namespace stele::projections {

namespace {

enum Form : char { kDistances = 0, kBits = 1 };

// More bits than this are no shorter than distances of the numbers that a block has.
constexpr uint64_t kMaxBits = 1 << 16;

std::string Distances(std::span<const uint64_t> numbers, uint64_t base) {
  std::string bytes(1, kDistances);
  uint64_t last = base;
  for (const uint64_t number : numbers) {
    AppendVarint(bytes, number - last);
    last = number;
  }
  return bytes;
}

std::string Bits(std::span<const uint64_t> numbers, uint64_t base) {
  std::string bytes((numbers.back() - base) / 8 + 2, '\0');
  bytes[0] = kBits;
  for (const uint64_t number : numbers) {
    char& byte = bytes[(number - base) / 8 + 1];
    byte = static_cast<char>(byte | 1 << (number - base) % 8);
  }
  return bytes;
}

}  // namespace

void AppendVarint(std::string& bytes, uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
}

bool TakeVarint(std::string_view& bytes, uint64_t* value) {
  *value = 0;
  for (size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    *value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if (byte >= 0x80) continue;
    bytes.remove_prefix(i + 1);
    return true;
  }
  return false;
}

std::string EncodeNumbers(std::span<const uint64_t> numbers, uint64_t base) {
  CHECK(!numbers.empty() && numbers.front() >= base, "a block without numbers has no bytes");
  const uint64_t bits = numbers.back() - base;
  // A distance takes a byte at least.
  if (bits < kMaxBits && bits / 8 + 1 < numbers.size()) return Bits(numbers, base);
  return Distances(numbers, base);
}

bool DecodeNumbers(std::string_view bytes, uint64_t base, Numbers* numbers) {
  numbers->clear();
  if (bytes.size() < 2) return false;
  const char form = bytes.front();
  bytes.remove_prefix(1);
  if (form == kDistances) {
    uint64_t last = base;
    while (!bytes.empty()) {
      uint64_t distance = 0;
      if (!TakeVarint(bytes, &distance)) return false;
      if (distance == 0 && !numbers->empty()) return false;
      numbers->push_back(last += distance);
    }
    return true;
  }
  if (form != kBits) return false;
  for (size_t i = 0; i < bytes.size(); ++i)
    for (unsigned byte = static_cast<unsigned char>(bytes[i]); byte != 0; byte &= byte - 1)
      numbers->push_back(base + i * 8 + static_cast<unsigned>(__builtin_ctz(byte)));
  return true;
}

}  // namespace stele::projections
