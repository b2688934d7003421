#include "base/error.h"

#include <fmt/format.h>

namespace stele {

std::string Error::ToString() const {
  return fmt::format("STL{:04}: {}", static_cast<int>(code), message);
}

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
#define STELE_ERROR_CASE(name, number) \
  case ErrorCode::name:                \
    return std::string_view(#name).substr(1);
    STELE_ERROR_CODES(STELE_ERROR_CASE)
#undef STELE_ERROR_CASE
  }
  return "unknown";
}

}  // namespace stele
