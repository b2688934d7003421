// How failures that are not our own fault travel: an Error value with a stable code and a sentence
// ("Expected … but found …"). The codes live in base/error_codes.h; docs/errors.md has a line for
// each.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "base/error_codes.h"

namespace stele {

struct [[nodiscard]] Error {
  ErrorCode code;
  std::string message;

  // "STL0102: Expected … but found …"
  std::string ToString() const;
  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

// A Status is a Result without a value.
using Status = Result<void>;

// A command that the present state does not allow. The caller's fault; nothing was recorded.
using Rejection = Error;

inline std::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return std::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace stele

// Returns the error of `expression` (a Status or Result) from the enclosing function.
#define STELE_RETURN_IF_ERROR(expression)                                 \
  do {                                                                    \
    if (auto status_ = (expression); !status_) [[unlikely]]               \
      return std::unexpected<::stele::Error>(std::move(status_).error()); \
  } while (false)
