// A mail as it travels: RFC 5322 with the MIME of RFC 2045 to 2047 and file names of RFC 2231.
// Pure: the same message gives the same bytes, which hold ASCII alone, with lines of at most 998.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "engine/tasks/mailbox.h"

namespace stele::tasks {

struct EmailAttachment {
  std::string name;          // UTF-8
  std::string content_type;  // "application/pdf"
  std::string content;       // bytes
};

// REQUIRES: no text of a header has a control character; there is a text or a HTML.
struct EmailMessage {
  Mailbox from;
  std::vector<Mailbox> to;
  std::vector<Mailbox> cc;
  std::vector<Mailbox> reply_to;
  std::string subject;  // UTF-8
  std::optional<std::string> text;
  std::optional<std::string> html;
  std::vector<EmailAttachment> attachments;
  std::vector<std::pair<std::string, std::string>> headers;  // more of them
  std::string message_id;                                    // with its angle brackets
  TimeUs time;
};

std::string BuildMessage(const EmailMessage& message);

// The lines of one header with text of any length: folded, and in encoded words where needed.
std::string TextHeader(std::string_view name, std::string_view text);

// "Sat, 21 Nov 2026 07:07:36 +0000"
std::string MailDate(TimeUs time);

}  // namespace stele::tasks
