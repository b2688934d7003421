#include "cli/dap/conversation.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace stele::cli::dap {
namespace {

// A history that grows is looked at so often.
constexpr int kLookAgainMs = 300;
constexpr size_t kReadBytes = size_t{64} << 10;

// What ends a long move.
bool EndsAMove(const Request& request) {
  return request.command == "pause" || request.command == "disconnect" ||
         request.command == "terminate" || request.command == "restart";
}

Error IoFault(std::string_view what) {
  return {ErrorCode::kIo,
          fmt::format("Expected to {} the editor but found: {}", what, std::strerror(errno))};
}

}  // namespace

Conversation::Conversation(int in, int out, OpenHistory open)
    : in_(in),
      out_(out),
      outbox_([this](std::string_view message) { Send(message); }),
      session_(outbox_, std::move(open), [this] { return WantsSomethingElse(); }) {}

Status Conversation::Run() {
  while (!session_.is_over()) {
    if (!requests_.empty()) {
      const Request request = std::move(requests_.front());
      requests_.pop_front();
      session_.Handle(request);
    } else if (at_end_) {
      break;
    } else {
      Read(session_.is_waiting() ? kLookAgainMs : -1);
      if (requests_.empty()) session_.Follow();
    }
  }
  return fault_ ? std::unexpected(*fault_) : Status();
}

void Conversation::Read(int timeout_ms) {
  pollfd input{in_, POLLIN, 0};
  const int ready = poll(&input, 1, timeout_ms);
  if (ready == 0 || (ready < 0 && errno == EINTR)) return;
  std::array<char, kReadBytes> bytes;
  const ssize_t count = ready < 0 ? -1 : read(in_, bytes.data(), bytes.size());
  if (count < 0 && errno == EINTR) return;
  if (count < 0) return End(IoFault("read from"));
  at_end_ = count == 0;
  if (at_end_ && framing_.is_inside())
    return End({ErrorCode::kBadRequest, "Expected the rest of a message but found the end"});
  framing_.Feed({bytes.data(), static_cast<size_t>(count)});
  Take();
}

void Conversation::Take() {
  for (;;) {
    Result<std::optional<std::string>> message = framing_.Next();
    if (!message.has_value()) return End(message.error());
    if (!message->has_value()) return;
    Result<Request> request = ParseRequest(**message);
    if (request.has_value()) {
      requests_.push_back(*std::move(request));
    } else {
      outbox_.Output("stderr", request.error().ToString() + "\n");
    }
  }
}

void Conversation::End(Error fault) {
  at_end_ = true;
  fault_ = std::move(fault);
}

void Conversation::Send(std::string_view message) {
  const std::string framed = Framed(message);
  std::string_view rest = framed;
  while (!rest.empty()) {
    const ssize_t count = write(out_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      // An editor that has gone is no fault: there is nobody to tell.
      if (errno != EPIPE) End(IoFault("write to"));
      at_end_ = true;
      requests_.clear();
      return;
    }
    rest.remove_prefix(static_cast<size_t>(count));
  }
}

bool Conversation::WantsSomethingElse() {
  if (!at_end_) Read(0);
  return at_end_ || std::ranges::any_of(requests_, EndsAMove);
}

}  // namespace stele::cli::dap
