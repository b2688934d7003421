// Texts that somebody keeps for the server and hands back: they can neither read nor make one.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/auth/encoding.h"
#include "server/auth/random.h"

namespace stele::server {

class Seal {
 public:
  // Under a key of its own: what one has sealed, another one does not open.
  explicit Seal(RandomBytes random);

  // Words of letters, digits, "-" and "_"; another one each time.
  std::string Close(std::string_view text) const;
  // Nothing: it was not closed by this one, or has been changed.
  std::optional<std::string> Open(std::string_view sealed) const;

 private:
  const RandomBytes random_;
  const SecretText key_;
};

}  // namespace stele::server
