// Keeps the texts of secrets out of outputs, logs and errors: each occurrence becomes `***`, also
// in the forms that a secret takes on its way (secret_forms.h).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "engine/tasks/secret_forms.h"

namespace stele::tasks {

class Redactor {
 public:
  // Empty secrets and those of blanks alone are passed over.
  explicit Redactor(const std::vector<std::string>& secrets);

  bool empty() const { return forms_.empty(); }
  std::string Text(std::string_view text) const;
  // Strings, names of members, and numbers that are a secret as a whole.
  Value Redact(Value value) const;

 private:
  friend class StreamRedactor;
  // Appends what is decided of `text` and returns how many of its bytes that was; the rest may be
  // the beginning of a secret. Decides everything when `complete`.
  size_t Scan(std::string_view text, bool complete, std::string& out) const;

  std::vector<SecretForm> forms_;  // by first byte, then longest first
  // Where the forms with a first byte begin; those of byte b end where those of b + 1 begin.
  std::array<size_t, 257> begin_{};
};

// The first `limit` bytes of what may be shown of `text`. The mask comes first: of a secret that is
// cut in two nothing would be known any more.
std::string Excerpt(const Redactor& redactor, std::string_view text, size_t limit);

// A text that comes in pieces: a secret that is split between two is found as well.
class StreamRedactor {
 public:
  // REQUIRES: `redactor` outlives this.
  explicit StreamRedactor(const Redactor& redactor) : redactor_(redactor) {}
  // What can be shown by now.
  std::string Push(std::string_view piece);
  std::string Finish();

 private:
  const Redactor& redactor_;
  std::string pending_;
};

}  // namespace stele::tasks
