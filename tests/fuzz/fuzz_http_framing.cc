// Any bytes on a connection: what the framing passes on is the same however the bytes are cut, is
// passed as it is by another framing, and is taken by kj's HTTP for the same requests with the same
// bodies. The first bytes say where the others are cut.
#include <kj/async-io.h>
#include <kj/compat/http.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "tests/server/http/framed.h"

namespace stele::server::http {
namespace {

class Bytes final : public kj::AsyncInputStream {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  kj::Promise<size_t> tryRead(void* to, size_t, size_t max) override {
    const size_t size = bytes_.copy(static_cast<char*>(to), max);
    bytes_.remove_prefix(size);
    return size;
  }

 private:
  std::string_view bytes_;
};

Framed Frame(std::string_view bytes) {
  FramedPieces pieces;
  pieces.Add(bytes);
  return pieces.End();
}

Framed FrameInPieces(std::string_view bytes, std::string_view sizes) {
  FramedPieces pieces;
  for (size_t i = 0; !bytes.empty(); ++i) {
    const size_t size =
        sizes.empty() ? 1 : 1 + static_cast<unsigned char>(sizes[i % sizes.size()]) % 64;
    pieces.Add(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
  return pieces.End();
}

void CheckSame(const Framed& a, const Framed& b) {
  CHECK(a.passed == b.passed, "{} and {} bytes", a.passed.size(), b.passed.size());
  CHECK(a.status() == b.status() && a.said() == b.said(), "{} and {}", a.said(), b.said());
  CHECK(a.lengths == b.lengths && a.begins == b.begins && a.whole == b.whole);
}

void CheckFault(const FramingFault& fault) {
  constexpr std::array kStatuses = {400, 413, 414, 431, 501, 505};
  CHECK(std::ranges::find(kStatuses, fault.status) != kStatuses.end(), "{}", fault.status);
  CHECK(fault.error.message.starts_with("Expected ") && IsUtf8(fault.error.message), "{}",
        fault.error.message);
}

bool KnowsMethod(std::string_view head) {
  const std::string method(head.substr(0, head.find(' ')));
  return kj::tryParseHttpMethod(method.c_str()) != nullptr;
}

// kj sees the requests that the framing has seen.
void CheckAgainstKj(const Framed& framed) {
  kj::EventLoop loop;
  kj::WaitScope scope(loop);
  Bytes bytes(framed.passed);
  const kj::HttpHeaderTable table;
  auto input = kj::newHttpInputStream(bytes, table);
  const size_t whole = framed.heads.size() - (framed.whole ? 0 : 1);
  for (size_t i = 0; i < whole; ++i) {
    if (!KnowsMethod(std::string_view(framed.passed).substr(framed.begins[i]))) return;
    auto request = input->readRequest().wait(scope);
    const size_t length = request.body->readAllBytes().wait(scope).size();
    CHECK(length == framed.lengths[i], "{} and {}", length, framed.lengths[i]);
  }
  if (framed.whole) CHECK(!input->awaitNextMessage().wait(scope));
}

void Try(std::string_view input) {
  const std::string_view sizes = input.substr(0, 3);
  const std::string_view bytes = input.substr(sizes.size());
  const Framed framed = Frame(bytes);
  CheckSame(FrameInPieces(bytes, sizes), framed);
  if (framed.fault.has_value()) CheckFault(*framed.fault);
  if (framed.heads.empty()) return;
  const Framed again = Frame(framed.passed);
  CHECK(again.passed == framed.passed && !again.fault.has_value(), "{}", again.said());
  CHECK(again.lengths == framed.lengths && again.begins == framed.begins);
  CheckAgainstKj(framed);
}

}  // namespace
}  // namespace stele::server::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  stele::server::http::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
