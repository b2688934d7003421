#include "server/http/gzip.h"

#include <fmt/format.h>
#include <kj/compat/gzip.h>
#include <kj/exception.h>
#include <kj/io.h>

#include <array>

namespace stele::server::http {
namespace {

kj::ArrayPtr<const kj::byte> Bytes(std::string_view text) {
  return {reinterpret_cast<const kj::byte*>(text.data()), text.size()};
}

}  // namespace

std::string Gzip(std::string_view plain, int level) {
  kj::VectorOutputStream packed(plain.size() / 4 + 64);
  {
    // What is left is written when it goes.
    kj::GzipOutputStream gzip(packed, level);
    gzip.write(plain.data(), plain.size());
  }
  const auto bytes = packed.getArray();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

Result<std::string> Gunzip(std::string_view packed, size_t most) {
  std::string plain;
  bool too_large = false;
  const auto fault = kj::runCatchingExceptions([&]() {
    kj::ArrayInputStream input(Bytes(packed));
    kj::GzipInputStream gzip(input);
    std::array<char, 16384> piece;
    while (!too_large) {
      const size_t size = gzip.tryRead(piece.data(), 1, piece.size());
      if (size == 0) break;
      too_large = plain.size() + size > most;
      if (!too_large) plain.append(piece.data(), size);
    }
  });
  if (too_large)
    return Fail(
        ErrorCode::kLimitExceeded,
        fmt::format("Expected a body of at most {} bytes but found more in the gzip", most));
  if (fault != nullptr)
    return Fail(ErrorCode::kBadRequest, "Expected a body in gzip but found other or cut bytes");
  return plain;
}

}  // namespace stele::server::http
