#include "engine/tasks/email_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>

#include "base/base64.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {
namespace {

constexpr size_t kFoldAt = 78;           // RFC 5322, 2.1.1: what a line should keep to
constexpr size_t kMaxLineBytes = 998;    // and must
constexpr size_t kBase64LineBytes = 57;  // 76 characters (RFC 2045, 6.8)
constexpr size_t kEncodedLine = 76;      // RFC 2047, 2, for lines with encoded words
constexpr size_t kWordFrame = 12;        // =?UTF-8?B?…?=
constexpr size_t kAddressColumn = 10;    // behind "Reply-To: "
// No text of a body that goes as it is has this, so that it can begin every boundary.
constexpr std::string_view kBoundaryMark = "=_stele";

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
}

// The first characters of `text` that fit into `limit` bytes. REQUIRES: limit >= 4.
std::string_view FirstCharacters(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  size_t end = limit;
  while (end > limit - 3 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// RFC 2047: each word a line, so that no line is too long. `column`: what stands before the first.
std::string EncodedWords(std::string_view text, size_t column) {
  std::string out;
  if (column > kEncodedLine / 2) {
    out = "\r\n ";
    column = 1;
  }
  while (!text.empty()) {
    std::string_view word = FirstCharacters(text, (kEncodedLine - kWordFrame - column) / 4 * 3);
    out += "=?UTF-8?B?" + Base64(word) + "?=";
    text.remove_prefix(word.size());
    if (!text.empty()) out += "\r\n ";
    column = 1;
  }
  return out;
}

size_t LongestWord(std::string_view text) {
  size_t longest = 0;
  while (!text.empty()) {
    size_t blank = std::min(text.find(' '), text.size());
    longest = std::max(longest, blank);
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return longest;
}

bool GoesAsItIs(std::string_view text) {
  return IsAscii(text) && text.find("=?") == std::string_view::npos &&
         LongestWord(text) < kMaxLineBytes - kFoldAt && !text.starts_with(' ') &&
         !text.ends_with(' ');
}

// A line break in front of a blank that a word follows; unfolding gives the same text.
std::string Folded(std::string_view text, size_t column) {
  std::string out;
  while (!text.empty()) {
    size_t blank = text.find_first_not_of(' ');
    size_t end = std::min(text.find(' ', blank), text.size());
    if (column + end > kFoldAt && blank > 0 && !out.empty()) {
      out.append(blank - 1, ' ');
      out += "\r\n ";
      column = 1 + end - blank;
    } else {
      out.append(blank, ' ');
      column += end;
    }
    out += text.substr(blank, end - blank);
    text.remove_prefix(end);
  }
  return out;
}

// RFC 5322, quoted-string.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string MailboxText(const Mailbox& mailbox) {
  if (mailbox.name.empty()) return mailbox.address;
  bool plain = std::ranges::all_of(
      mailbox.name, [](unsigned char c) { return c < 0x80 && (std::isalnum(c) != 0 || c == ' '); });
  bool encode = !IsAscii(mailbox.name) || mailbox.name.size() > kMaxLineBytes / 4 ||
                mailbox.name.find("=?") != std::string::npos;
  if (encode) {
    return fmt::format("{}\r\n <{}>", EncodedWords(mailbox.name, kAddressColumn), mailbox.address);
  }
  return fmt::format("{} <{}>", plain ? mailbox.name : Quoted(mailbox.name), mailbox.address);
}

std::string AddressHeader(std::string_view name, const std::vector<Mailbox>& mailboxes) {
  std::string out;
  for (const Mailbox& mailbox : mailboxes) {
    out += out.empty() ? fmt::format("{}: ", name) : ",\r\n ";
    out += MailboxText(mailbox);
  }
  return out.empty() ? out : out + "\r\n";
}

std::string Base64Lines(std::string_view bytes) {
  std::string out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kBase64LineBytes, bytes.size()))) {
    out += Base64(bytes.substr(0, kBase64LineBytes)) + "\r\n";
  }
  return out;
}

// CRLF, LF and CR each end a line; so does the end.
std::string NetworkLines(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    bool cr = text[i] == '\r';
    if (cr && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    if (cr || text[i] == '\n') {
      out += "\r\n";
    } else {
      out += text[i];
    }
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

bool HasLongLine(std::string_view text) {
  while (!text.empty()) {
    size_t end = std::min(text.find("\r\n"), text.size());
    if (end > kMaxLineBytes) return true;
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return false;
}

// Headers and body of one part. Every part ends with a line's end.
std::string TextPart(std::string_view subtype, std::string_view text) {
  std::string lines = NetworkLines(text);
  bool plain = IsAscii(lines) && lines.find('\0') == std::string::npos && !HasLongLine(lines) &&
               lines.find(kBoundaryMark) == std::string::npos;
  return fmt::format("Content-Type: text/{}; charset={}\r\nContent-Transfer-Encoding: {}\r\n\r\n{}",
                     subtype, plain ? "us-ascii" : "utf-8", plain ? "7bit" : "base64",
                     plain ? lines : Base64Lines(lines));
}

// RFC 2231, 4: attribute-char goes as it is.
std::string PercentEncoded(std::string_view text) {
  std::string out;
  for (unsigned char c : text) {
    bool plain = c < 0x80 && (std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_');
    out += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return out;
}

std::string AttachmentPart(const EmailAttachment& attachment) {
  std::string name = IsAscii(attachment.name)
                         ? "filename=" + Quoted(attachment.name)
                         : "filename*=UTF-8''" + PercentEncoded(attachment.name);
  return fmt::format(
      "Content-Type: {}\r\nContent-Disposition: attachment;\r\n {}\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n{}",
      attachment.content_type, name, Base64Lines(attachment.content));
}

std::string Multipart(std::string_view subtype, const std::vector<std::string>& parts) {
  std::string boundary = fmt::format("{}_{}", kBoundaryMark, subtype);
  std::string out =
      fmt::format("Content-Type: multipart/{};\r\n boundary=\"{}\"\r\n\r\n", subtype, boundary);
  for (const std::string& part : parts) out += fmt::format("--{}\r\n{}", boundary, part);
  return out + fmt::format("--{}--\r\n", boundary);
}

std::string Body(const EmailMessage& message) {
  std::vector<std::string> texts;
  if (message.text) texts.push_back(TextPart("plain", *message.text));
  if (message.html) texts.push_back(TextPart("html", *message.html));
  std::string body = texts.size() == 1 ? texts[0] : Multipart("alternative", texts);
  if (message.attachments.empty()) return body;
  std::vector<std::string> parts = {std::move(body)};
  for (const EmailAttachment& attachment : message.attachments) {
    parts.push_back(AttachmentPart(attachment));
  }
  return Multipart("mixed", parts);
}

}  // namespace

std::string TextHeader(std::string_view name, std::string_view text) {
  if (GoesAsItIs(text)) {
    return fmt::format("{}: {}\r\n", name, Folded(text, name.size() + 2));
  }
  std::string words = EncodedWords(text, name.size() + 2);
  return fmt::format("{}:{}{}\r\n", name, words.starts_with('\r') ? "" : " ", words);
}

std::string MailDate(TimeUs time) {
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  using std::chrono::floor;
  std::chrono::sys_time<std::chrono::microseconds> point{std::chrono::microseconds(time.value)};
  auto day = floor<std::chrono::days>(point);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(floor<std::chrono::seconds>(point - day));
  return fmt::format(
      "{}, {} {} {} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

std::string BuildMessage(const EmailMessage& message) {
  std::string out = fmt::format("Date: {}\r\n", MailDate(message.time));
  out += AddressHeader("From", {message.from});
  out += AddressHeader("Reply-To", message.reply_to);
  out += AddressHeader("To", message.to);
  out += AddressHeader("Cc", message.cc);
  // RFC 5322, 3.6.3: a destination for what goes to hidden recipients alone.
  if (message.to.empty() && message.cc.empty()) out += "To: undisclosed-recipients:;\r\n";
  out += TextHeader("Subject", message.subject);
  out += fmt::format("Message-ID: {}\r\n", message.message_id);
  for (const auto& [name, value] : message.headers) out += TextHeader(name, value);
  return out + "MIME-Version: 1.0\r\n" + Body(message);
}

}  // namespace stele::tasks
