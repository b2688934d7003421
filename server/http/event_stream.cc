#include "server/http/event_stream.h"

#include <fmt/format.h>
#include <kj/debug.h>

#include <algorithm>

namespace stele::server::http {
namespace {

constexpr std::string_view kComment = ":\n\n";

// The next line of it, and what ends it, are taken off. Lines end with LF, CR or both.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  if (text.starts_with("\r\n"))
    text.remove_prefix(2);
  else if (!text.empty())
    text.remove_prefix(1);
  return line;
}

bool IsOneLine(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

kj::Promise<void> BodyWriter::Write(std::string bytes) {
  if (bytes.empty()) return kj::READY_NOW;
  written_ += bytes.size();
  auto held = kj::heap<std::string>(std::move(bytes));
  const kj::ArrayPtr<const kj::byte> piece(reinterpret_cast<const kj::byte*>(held->data()),
                                           held->size());
  return out_.write(piece.begin(), piece.size()).attach(kj::mv(held));
}

Result<std::string> FrameEvent(const Event& event) {
  if (!IsOneLine(event.id) || !IsOneLine(event.name))
    return Fail(ErrorCode::kBadRequest,
                "Expected one line as the id and the name of an event but found more");
  std::string text;
  if (!event.id.empty()) text += fmt::format("id: {}\n", event.id);
  if (!event.name.empty()) text += fmt::format("event: {}\n", event.name);
  if (event.retry_ms.has_value()) text += fmt::format("retry: {}\n", *event.retry_ms);
  std::string_view data = event.data;
  const bool ends_with_break = data.ends_with('\n') || data.ends_with('\r');
  do {
    text += fmt::format("data: {}\n", TakeLine(data));
  } while (!data.empty());
  if (ends_with_break) text += "data: \n";
  return text + "\n";
}

EventStream::EventStream(BodyWriter& out, kj::Timer& timer, kj::Duration heartbeat)
    : out_(out), timer_(timer), heartbeat_(heartbeat), last_(timer.now()) {}

kj::Promise<void> EventStream::Send(const Event& event) {
  Result<std::string> text = FrameEvent(event);
  if (!text.has_value()) return KJ_EXCEPTION(FAILED, text.error().message.c_str());
  return Write(*std::move(text));
}

kj::Promise<void> EventStream::KeepAlive() {
  return Write(std::string(kComment)).then([this]() { return BeatWhenSilent(); });
}

kj::Promise<void> EventStream::BeatWhenSilent() {
  return timer_.atTime(last_ + heartbeat_).then([this]() -> kj::Promise<void> {
    if (timer_.now() - last_ < heartbeat_) return BeatWhenSilent();
    return Write(std::string(kComment)).then([this]() { return BeatWhenSilent(); });
  });
}

kj::Promise<void> EventStream::Write(std::string text) {
  last_ = timer_.now();
  auto done =
      tail_.then([this, text = std::move(text)]() mutable { return out_.Write(std::move(text)); })
          .fork();
  tail_ = done.addBranch();
  return done.addBranch();
}

}  // namespace stele::server::http
