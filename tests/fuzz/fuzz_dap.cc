// What an editor may send to `stele dap`: messages, the same ones however the bytes come in pieces,
// or a fault.
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "cli/dap/framing.h"
#include "cli/dap/message.h"

namespace {

using stele::cli::dap::Framing;

// The messages in the bytes, and the sentence of the fault behind them.
std::vector<std::string> Read(std::string_view bytes, size_t piece) {
  Framing framing;
  std::vector<std::string> read;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    framing.Feed(bytes.substr(at, piece));
    while (true) {
      const auto message = framing.Next();
      if (!message.has_value()) {
        read.push_back(message.error().message);
        return read;
      }
      if (!message->has_value()) break;
      read.push_back(**message);
    }
  }
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> whole = Read(bytes, size + 1);
  const std::vector<std::string> pieces = Read(bytes, 1 + size / 7);
  // A fault shows as many bytes as have come: what was read before it is the same.
  CHECK(whole.size() == pieces.size(), "{} against {}", whole.size(), pieces.size());
  for (size_t i = 0; i + 1 < whole.size(); ++i) CHECK(whole[i] == pieces[i], "{}", whole[i]);
  for (const std::string& message : whole) {
    const auto request = stele::cli::dap::ParseRequest(message);
    CHECK(request.has_value() || !request.error().message.empty(), "{}", message);
  }
  return 0;
}
