#include "engine/tasks/mailbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stele::tasks {
namespace {

// RFC 5321, 4.5.3.1: a path of 256 with its brackets.
constexpr size_t kMaxAddressBytes = 254;

std::string_view Trimmed(std::string_view text) {
  size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The text in front of the next comma that stands neither in quotes nor in angle brackets.
std::string_view NextElement(std::string_view text) {
  bool quoted = false;
  bool in_brackets = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == '<' || text[i] == '>')) {
      in_brackets = text[i] == '<';
    } else if (!quoted && !in_brackets && text[i] == ',') {
      return text.substr(0, i);
    }
  }
  return text;
}

// A name without its quotes.
std::string Unquoted(std::string_view text) {
  text = Trimmed(text);
  if (text.size() < 2 || !text.starts_with('"') || !text.ends_with('"')) return std::string(text);
  std::string name;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    name += text[i];
  }
  return name;
}

Result<Mailbox> ParseMailbox(std::string_view text) {
  Mailbox mailbox;
  if (text.ends_with('>')) {
    size_t open = text.rfind('<');
    if (open == std::string_view::npos) {
      return Fail(ErrorCode::kTaskConfig,
                  fmt::format("Expected `Name <address>` but found \"{}\"", text));
    }
    mailbox.name = Unquoted(text.substr(0, open));
    text = Trimmed(text.substr(open + 1, text.size() - open - 2));
  }
  STELE_RETURN_IF_ERROR(CheckAddress(text));
  mailbox.address = text;
  return mailbox;
}

}  // namespace

bool HasControlCharacter(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Status CheckAddress(std::string_view address) {
  size_t at = address.rfind('@');
  bool plain = std::ranges::all_of(address, [](char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("<>()[]\\,;:\"").find(c) == std::string_view::npos;
  });
  if (at != std::string_view::npos && at > 0 && at + 1 < address.size() && plain &&
      address.find('@') == at && address.size() <= kMaxAddressBytes) {
    return {};
  }
  std::string shown = HasControlCharacter(address) ? "one with a control character"
                                                   : fmt::format("\"{}\"", address);
  return Fail(ErrorCode::kTaskConfig,
              fmt::format("Expected an address such as ann@example.org (ASCII; write an "
                          "international domain as xn--…) but found {}",
                          shown));
}

Result<std::vector<Mailbox>> ParseMailboxes(std::string_view text) {
  if (HasControlCharacter(text)) {
    return Fail(ErrorCode::kTaskConfig,
                "Expected addresses on a single line but found a line break or another control "
                "character");
  }
  std::vector<Mailbox> mailboxes;
  while (true) {
    std::string_view element = NextElement(text);
    Result<Mailbox> mailbox = ParseMailbox(Trimmed(element));
    if (!mailbox) return std::unexpected(std::move(mailbox.error()));
    mailboxes.push_back(*std::move(mailbox));
    if (element.size() == text.size()) return mailboxes;
    text.remove_prefix(element.size() + 1);
  }
}

}  // namespace stele::tasks
