#include "server/rpc/errors.h"

#include <kj/string.h>

#include <charconv>
#include <string_view>

namespace stele::server::rpc {

namespace {

constexpr std::string_view kPrefix = "STL";
constexpr std::string_view kBehindNumber = ": ";
constexpr size_t kDigits = 4;
// What KJ puts before a text that came over a connection, once for each.
constexpr std::string_view kRemote = "remote exception: ";

kj::Exception::Type TypeOf(ErrorCode code) {
  if (code == ErrorCode::kBackPressure || code == ErrorCode::kTimeout ||
      code == ErrorCode::kTooManyLogins)
    return kj::Exception::Type::OVERLOADED;
  if (code == ErrorCode::kClosed || code == ErrorCode::kShardStopped)
    return kj::Exception::Type::DISCONNECTED;
  if (code == ErrorCode::kUnsupported) return kj::Exception::Type::UNIMPLEMENTED;
  return kj::Exception::Type::FAILED;
}

Error UnsaidOf(kj::Exception::Type type, std::string_view text) {
  switch (type) {
    case kj::Exception::Type::DISCONNECTED:
      return {ErrorCode::kClosed,
              "Expected a connection that lasts but it has ended: " + std::string(text)};
    case kj::Exception::Type::OVERLOADED:
      return {ErrorCode::kBackPressure,
              "Expected a server with time but found a busy one: " + std::string(text)};
    case kj::Exception::Type::UNIMPLEMENTED:
      return {ErrorCode::kUnsupported,
              "Expected a server that knows this call but found one that does not: " +
                  std::string(text)};
    case kj::Exception::Type::FAILED:
      break;
  }
  return {ErrorCode::kIo, "Expected an answer but the call failed: " + std::string(text)};
}

}  // namespace

kj::Exception ToException(const Error& error) {
  const std::string text = error.ToString();
  return {TypeOf(error.code), __FILE__, __LINE__, kj::heapString(text.data(), text.size())};
}

std::optional<ErrorCode> FindErrorCode(uint32_t number) {
  switch (static_cast<ErrorCode>(number)) {
#define STELE_KNOWN_CODE(name, number) case ErrorCode::name:
    STELE_ERROR_CODES(STELE_KNOWN_CODE)
#undef STELE_KNOWN_CODE
    return number <= UINT16_MAX ? std::optional(static_cast<ErrorCode>(number)) : std::nullopt;
  }
  return std::nullopt;
}

bool IsRemote(const kj::Exception& exception) {
  return exception.getDescription().startsWith(kj::StringPtr(kRemote.data(), kRemote.size()));
}

Error ErrorOf(const kj::Exception& exception) {
  const kj::StringPtr description = exception.getDescription();
  std::string_view text(description.begin(), description.size());
  while (text.starts_with(kRemote)) text.remove_prefix(kRemote.size());
  auto said = ParseError(text);
  return said.has_value() ? *std::move(said) : UnsaidOf(exception.getType(), text);
}

std::optional<Error> ParseError(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  uint32_t number = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + std::min(text.size(), kDigits), number);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  const auto code = FindErrorCode(number);
  if (fault != std::errc() || !text.starts_with(kBehindNumber) || !code.has_value())
    return std::nullopt;
  text.remove_prefix(kBehindNumber.size());
  return Error{*code, std::string(text)};
}

}  // namespace stele::server::rpc
