// Rows of views to bytes and back. A row says what its fields are, once:
//
//     template <class Self, class Archive>
//     static void Fields(Self& self, Archive& archive) { archive(self.id, self.name); }
//
// Integers are varints (signed ones in zigzag), texts and lists have their length before them.
// There is no version in a row: the version of its view says what it looks like, and a view of
// another version is built anew.
//
// Thread: any.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace stele::projections {

class RowWriter {
 public:
  template <class... Fields>
  void operator()(const Fields&... fields) {
    (Write(fields), ...);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  template <class T>
  void Write(const T& value);

  std::string bytes_;
};

// What is read past the end or too large leaves `ok` false and the fields as they were.
class RowReader {
 public:
  explicit RowReader(std::string_view bytes) : bytes_(bytes) {}
  template <class... Fields>
  void operator()(Fields&... fields) {
    (Read(fields), ...);
  }
  // Everything was there, and nothing else.
  bool complete() const { return ok_ && bytes_.empty(); }

 private:
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  template <class T>
  void Read(T& value);

  std::string_view bytes_;
  bool ok_ = true;
};

template <class Row>
std::string EncodeRow(const Row& row) {
  RowWriter writer;
  Row::Fields(row, writer);
  return writer.Take();
}

// Whether the bytes were a row.
template <class Row>
bool DecodeRow(std::string_view bytes, Row* row) {
  RowReader reader(bytes);
  Row::Fields(*row, reader);
  return reader.complete();
}

template <class T>
void RowWriter::Write(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    bytes_.push_back(value ? 1 : 0);
  } else if constexpr (std::is_enum_v<T>) {
    Varint(static_cast<uint64_t>(value));
  } else if constexpr (std::unsigned_integral<T>) {
    Varint(value);
  } else if constexpr (std::signed_integral<T>) {
    const auto wide = static_cast<int64_t>(value);
    Varint(static_cast<uint64_t>(wide) << 1 ^ static_cast<uint64_t>(wide >> 63));
  } else if constexpr (std::is_same_v<T, double>) {
    Varint(std::bit_cast<uint64_t>(value));
  } else if constexpr (std::is_same_v<T, std::string>) {
    Varint(value.size());
    bytes_ += value;
  } else if constexpr (requires {
                         typename T::value_type;
                         value.size();
                       }) {
    Varint(value.size());
    for (const auto& item : value) Write(item);
  } else if constexpr (requires { T::Fields(value, *this); }) {
    T::Fields(value, *this);
  } else {
    Write(value.value);  // an identity or a quantity
  }
}

template <class T>
void RowReader::Read(T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value = Varint() != 0;
  } else if constexpr (std::is_enum_v<T> || std::unsigned_integral<T>) {
    value = static_cast<T>(Varint());
  } else if constexpr (std::signed_integral<T>) {
    const uint64_t raw = Varint();
    value = static_cast<T>(static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1));
  } else if constexpr (std::is_same_v<T, double>) {
    value = std::bit_cast<double>(Varint());
  } else if constexpr (std::is_same_v<T, std::string>) {
    const uint64_t size = Varint();
    if (size > bytes_.size()) ok_ = false;
    if (!ok_) return;
    value.assign(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
  } else if constexpr (requires {
                         typename T::value_type;
                         value.size();
                       }) {
    // An item takes a byte at least.
    const uint64_t size = Varint();
    if (size > bytes_.size()) ok_ = false;
    if (!ok_) return;
    value.resize(size);
    for (auto& item : value) Read(item);
  } else if constexpr (requires { T::Fields(value, *this); }) {
    T::Fields(value, *this);
  } else {
    Read(value.value);
  }
}

}  // namespace stele::projections
