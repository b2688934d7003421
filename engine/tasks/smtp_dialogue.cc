#include "engine/tasks/smtp_dialogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/check.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/limits.h"

namespace stele::tasks {
namespace {

// RFC 5321, 4.5.2: a line that begins with a point gets another, a point alone ends the mail.
std::string Stuffed(std::string_view message) {
  std::string out;
  out.reserve(message.size() + message.size() / 64 + 8);
  while (!message.empty()) {
    size_t end = message.find("\r\n");
    end = end == std::string_view::npos ? message.size() : end + 2;
    if (message.starts_with('.')) out += '.';
    out += message.substr(0, end);
    message.remove_prefix(end);
  }
  return out + ".\r\n";
}

// 0 for what is no code.
int CodeOf(std::string_view line) {
  if (line.size() < 3) return 0;
  if (!std::ranges::all_of(line.substr(0, 3), [](unsigned char c) { return std::isdigit(c); })) {
    return 0;
  }
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

}  // namespace

std::optional<SmtpReply> SmtpReplyReader::Next() {
  while (!broken_) {
    size_t end = buffer_.find('\n');
    if (end == std::string::npos) {
      broken_ = buffer_.size() > kMaxSmtpLineBytes;
      return std::nullopt;
    }
    if (end > kMaxSmtpLineBytes) {
      broken_ = true;
      return std::nullopt;
    }
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    int code = CodeOf(line);
    broken_ = code < 200 || code > 599;
    if (text_.size() < kMaxSmtpReplyBytes) {
      text_ += (text_.empty() ? "" : "\n") + line;
    }
    bool last = line.size() <= 3 || line[3] != '-';
    if (last && !broken_) return SmtpReply{code, std::exchange(text_, {})};
  }
  return std::nullopt;
}

SmtpDialogue::SmtpDialogue(std::string from, std::vector<std::string> recipients,
                           std::string message)
    : from_(std::move(from)), recipients_(std::move(recipients)), message_(std::move(message)) {
  CHECK(!recipients_.empty(), "a mail without recipients");
}

std::string SmtpDialogue::Begin() const {
  return fmt::format("MAIL FROM:<{}>\r\n", from_);
}

std::string SmtpDialogue::Answer(int code) {
  bool positive = state_ == State::kData ? code == 354 : code >= 200 && code < 300;
  if (!positive) {
    state_ = State::kRefused;
    return "QUIT\r\n";
  }
  switch (state_) {
    case State::kMail:
    case State::kRecipient:
      if (next_recipient_ == recipients_.size()) {
        state_ = State::kData;
        return "DATA\r\n";
      }
      state_ = State::kRecipient;
      return fmt::format("RCPT TO:<{}>\r\n", recipients_[next_recipient_++]);
    case State::kData:
      state_ = State::kMessage;
      return Stuffed(std::exchange(message_, {}));
    case State::kMessage:
      state_ = State::kAccepted;
      return "QUIT\r\n";
    case State::kAccepted:
    case State::kRefused:
      break;
  }
  CHECK(false, "an answer after the end");
  return {};
}

}  // namespace stele::tasks
