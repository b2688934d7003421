// The part of SMTP that hands a mail over (RFC 5321, 3.3): MAIL, RCPT, DATA, the mail. Greeting,
// TLS and authentication have happened before. Pure: replies go in, bytes to send come out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::tasks {

struct SmtpReply {
  int code = 0;
  std::string text;  // its lines with their codes: the first ones of a long one
};

// Puts replies together from the bytes of a connection.
class SmtpReplyReader {
 public:
  void Push(std::string_view bytes) {
    if (!broken_) buffer_ += bytes;
  }
  // The next whole reply. After `broken` nothing comes any more.
  std::optional<SmtpReply> Next();
  // What came is not SMTP.
  bool broken() const { return broken_; }

 private:
  std::string buffer_;
  std::string text_;  // of the lines so far
  bool broken_ = false;
};

class SmtpDialogue {
 public:
  enum class State { kMail, kRecipient, kData, kMessage, kAccepted, kRefused };

  // REQUIRES: addresses without control characters; lines of `message` end with CRLF.
  SmtpDialogue(std::string from, std::vector<std::string> recipients, std::string message);

  // What opens it.
  std::string Begin() const;
  // What answers `code`. In kAccepted and kRefused that is QUIT, and it is over: the mail went to
  // all recipients or to none.
  std::string Answer(int code);
  State state() const { return state_; }

 private:
  std::string from_;
  std::vector<std::string> recipients_;
  std::string message_;
  size_t next_recipient_ = 0;
  State state_ = State::kMail;
};

}  // namespace stele::tasks
