// The texts that give a secret away: itself and what common encoders make of it.
//
//   - as it is, and without the blanks around it
//   - in JSON: as we write it, with `\/`, and with every other character as \uXXXX
//   - percent-encoded: all but the unreserved characters, or as browsers and forms do it, `+` for
//     a blank among them; digits in either case
//   - hexadecimal, in either case
//   - base64, both alphabets: as a whole, and inside a longer text that was encoded as a whole. The
//     secret then stands at one of three places in a group of three bytes. What is looked for are
//     the characters that depend on nothing but the secret; at most 4 bits of its first and of its
//     last byte stay in the characters beside them
//
// Base64 and hexadecimal forms are also found when they are broken into lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stele::tasks {

struct SecretForm {
  std::string text;
  bool folds = false;  // line ends may stand within it
  auto operator<=>(const SecretForm&) const = default;
};

// Without doubles; none for an empty secret or one of blanks alone.
std::vector<SecretForm> FormsOf(std::string_view secret);

}  // namespace stele::tasks
