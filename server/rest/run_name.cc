#include "server/rest/run_name.h"

#include <fmt/format.h>

#include <charconv>

namespace stele::server::rest {

std::string ToText(const RunName& name) {
  return fmt::format("{}-{}", name.instance.value, name.run.value);
}

Result<RunName> ParseRunName(std::string_view text) {
  const char* const end = text.data() + text.size();
  RunName name;
  const auto first = std::from_chars(text.data(), end, name.instance.value);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == '-')
    if (const auto second = std::from_chars(first.ptr + 1, end, name.run.value);
        second.ec == std::errc() && second.ptr == end && name.instance && name.run)
      return name;
  return Fail(ErrorCode::kBadRequest,
              fmt::format("Expected INSTANCE-RUN in the path but found \"{}\"", text));
}

}  // namespace stele::server::rest
