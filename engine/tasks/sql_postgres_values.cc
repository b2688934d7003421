#include "engine/tasks/sql_postgres_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/base64.h"
#include "base/json.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {
namespace {

// pg_type.dat
enum Type : uint32_t {
  kBool = 16,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kOid = 26,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kTimestamp = 1114,
  kTimestamptz = 1184,
  kJsonb = 3802,
};

template <class Number>
std::optional<Number> Parse(std::string_view text) {
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return 0;
}

std::string Unhex(std::string_view digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(Digit(digits[i]) << 4 | Digit(digits[i + 1]));
  }
  return bytes;
}

// "2024-02-29 12:30:00.5+00" is "2024-02-29T12:30:00.5Z". "infinity" and years BC, which ISO 8601
// writes differently, stay as they are.
std::string IsoTime(std::string_view text, bool zoned) {
  std::string iso(text);
  size_t blank = iso.find(' ');
  if (blank == std::string::npos || iso.ends_with("BC")) return iso;
  iso[blank] = 'T';
  if (!zoned) return iso;
  size_t sign = iso.find_first_of("+-", blank);
  if (sign == std::string::npos) return iso;
  if (iso.substr(sign) == "+00") {
    iso.resize(sign);
    iso += 'Z';
  } else if (iso.size() - sign == 3) {
    iso += ":00";
  }
  return iso;
}

bool IsSqlstate(std::string_view text) {
  return text.size() == 5 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

// The connection is gone, or was never there.
bool IsAboutConnection(std::string_view sqlstate) {
  return sqlstate.starts_with("08") || sqlstate.starts_with("57P") || sqlstate == "53300" ||
         sqlstate.starts_with("28") || sqlstate == "3D000";
}

bool IsRetryable(std::string_view sqlstate) {
  if (sqlstate.starts_with("28") || sqlstate == "3D000" || sqlstate == "40002") return false;
  // A statement that the server's own statement_timeout ended, and a lock that was not free.
  return IsAboutConnection(sqlstate) || sqlstate.starts_with("40") || sqlstate.starts_with("53") ||
         sqlstate.starts_with("58") || sqlstate == "55P03" || sqlstate == "57014";
}

}  // namespace

Value PostgresValue(uint32_t type, std::string_view text) {
  switch (type) {
    case kBool:
      return text == "t";
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
      if (auto number = Parse<int64_t>(text)) return *number;
      return text;
    case kFloat4:
    case kFloat8: {
      // NaN and Infinity are no numbers of JSON.
      auto number = Parse<double>(text);
      return number && std::isfinite(*number) ? Value(*number) : Value(text);
    }
    case kJson:
    case kJsonb: {
      Result<Value> json = ParseJson(text);
      return json ? *std::move(json) : Value(text);
    }
    case kPostgresBytea:
      return text.starts_with("\\x") ? Value(Base64(Unhex(text.substr(2)))) : Value(text);
    case kTimestamp:
      return IsoTime(text, false);
    case kTimestamptz:
      return IsoTime(text, true);
    default:
      return text;
  }
}

TaskFailure PostgresFailure(std::string_view sqlstate, std::string message, Object details) {
  if (!sqlstate.empty()) details.Set("sqlstate", sqlstate);
  // Without an SQLSTATE it was not the server that spoke.
  bool connection = sqlstate.empty() || IsAboutConnection(sqlstate);
  return {connection ? "connect" : "sql", std::move(message),
          sqlstate.empty() || IsRetryable(sqlstate), Payload::FromValue(details)};
}

std::string SqlstateIn(std::string_view verbose) {
  for (size_t at = verbose.find(":  "); at != std::string_view::npos;
       at = verbose.find(":  ", at + 1)) {
    std::string_view code = verbose.substr(at + 3, 5);
    if (IsSqlstate(code) && verbose.substr(at + 8).starts_with(": ")) return std::string(code);
  }
  return "";
}

std::string OneLine(std::string_view message) {
  std::string line;
  while (!message.empty()) {
    std::string_view part = message.substr(0, message.find('\n'));
    message.remove_prefix(std::min(message.size(), part.size() + 1));
    size_t begin = part.find_first_not_of(" \t");
    if (begin == std::string_view::npos || part.starts_with("LOCATION:")) continue;
    if (!line.empty()) line += "; ";
    line += part.substr(begin);
  }
  return line;
}

}  // namespace stele::tasks
