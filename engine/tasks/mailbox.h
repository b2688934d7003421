// The addresses of a mail: `Ann Example <ann@example.org>` or `ann@example.org` (RFC 5322, 3.4,
// without groups, comments and routes).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stele::tasks {

struct Mailbox {
  std::string name;     // UTF-8; may be empty
  std::string address;  // ASCII
  bool operator==(const Mailbox&) const = default;
};

// True when `text` would break the line of a header, or hold what no header may.
bool HasControlCharacter(std::string_view text);

// A fault for what is no `local@domain` of printable ASCII.
Status CheckAddress(std::string_view address);

// One or several, separated by commas. Names may be in double quotes.
Result<std::vector<Mailbox>> ParseMailboxes(std::string_view text);

}  // namespace stele::tasks
