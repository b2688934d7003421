// Fixed-width integers in stored bytes: little-endian in formats, big-endian in keys that sort.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>

namespace stele::eventstore {

static_assert(std::endian::native == std::endian::little, "formats are written by plain copies");

template <std::integral T>
void StoreLittle(T value, char* out) {
  std::memcpy(out, &value, sizeof value);
}

template <std::integral T>
T LoadLittle(const char* in) {
  T value;
  std::memcpy(&value, in, sizeof value);
  return value;
}

template <std::unsigned_integral T>
void StoreBig(T value, char* out) {
  for (size_t i = 0; i < sizeof value; ++i)
    out[i] = static_cast<char>(value >> (8 * (sizeof value - 1 - i)));
}

template <std::unsigned_integral T>
T LoadBig(const char* in) {
  T value = 0;
  for (size_t i = 0; i < sizeof value; ++i)
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(in[i]));
  return value;
}

}  // namespace stele::eventstore
