#include "server/rest/call.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/nearest.h"
#include "server/rest/limits.h"

namespace stele::server::rest {

namespace {

Status CheckParameter(const Parameter& parameter, const http::Query& query) {
  if (parameter.kind == Parameter::Kind::kHeader || parameter.kind == Parameter::Kind::kTexts)
    return {};
  const auto text = query.Text(parameter.name);
  if (!text.has_value()) return std::unexpected(text.error());
  if (!text->has_value()) return {};
  if (parameter.kind == Parameter::Kind::kNumber) {
    const auto number = query.Number(parameter.name, parameter.least, parameter.most);
    if (!number.has_value()) return Fail(ErrorCode::kInvalidInput, number.error().message);
  }
  if (parameter.kind == Parameter::Kind::kFlag) {
    const auto flag = query.Bool(parameter.name);
    if (!flag.has_value()) return Fail(ErrorCode::kInvalidInput, flag.error().message);
  }
  if (parameter.kind == Parameter::Kind::kChoice &&
      std::ranges::find(parameter.choices, **text) == parameter.choices.end())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected one of {} for the query parameter {} but found \"{}\"",
                            fmt::join(parameter.choices, ", "), parameter.name, **text));
  return {};
}

}  // namespace

Status Call::CheckQuery(const Route& route, const http::Request& request) {
  std::vector<std::string_view> names;
  for (const Parameter& parameter : route.parameters)
    if (parameter.kind != Parameter::Kind::kHeader) names.push_back(parameter.name);
  STELE_RETURN_IF_ERROR(request.query.AllowOnly(names));
  for (const Parameter& parameter : route.parameters)
    STELE_RETURN_IF_ERROR(CheckParameter(parameter, request.query));
  return {};
}

Result<uint64_t> Call::NumberParam(std::string_view name, uint64_t most) const {
  const auto number = request_.NumberParam(name);
  if (!number.has_value()) return number;
  if (*number >= 1 && *number <= most) return number;
  return Fail(ErrorCode::kBadRequest, fmt::format("Expected a number from 1 to {} for {} in the "
                                                  "path but found {}",
                                                  most, name, *number));
}

Result<InstanceId> Call::Instance() const {
  const auto number = NumberParam("id", INT64_MAX);
  if (!number.has_value()) return std::unexpected(number.error());
  return InstanceId(*number);
}

Result<uint32_t> Call::Version() const {
  if (!request_.params.contains("version")) return 0;
  const auto number = NumberParam("version", UINT32_MAX);
  if (!number.has_value()) return std::unexpected(number.error());
  return static_cast<uint32_t>(*number);
}

std::string Call::Asked(std::string_view name) const {
  return request_.query.Text(name).value().value_or("");
}

std::optional<int64_t> Call::AskedNumber(std::string_view name) const {
  return request_.query.Number(name, INT64_MIN, INT64_MAX).value();
}

bool Call::AskedFlag(std::string_view name) const {
  return request_.query.Bool(name).value().value_or(false);
}

const Value* Call::Find(std::string_view name) const {
  const Value* value = body_.Find(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string Call::Text(std::string_view name) const {
  const Value* value = Find(name);
  return value == nullptr ? std::string() : value->as_string();
}

int64_t Call::Number(std::string_view name, int64_t otherwise) const {
  const Value* value = Find(name);
  if (value == nullptr) return otherwise;
  if (value->is_int()) return value->as_int();
  // Schemas count 1.0 among the integers, and 1e19, which no int64_t is.
  constexpr double kBeyond = 9223372036854775808.0;
  if (value->as_double() >= kBeyond) return std::numeric_limits<int64_t>::max();
  if (value->as_double() < -kBeyond) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value->as_double());
}

bool Call::Flag(std::string_view name) const {
  const Value* value = Find(name);
  return value != nullptr && value->as_bool();
}

std::vector<std::string> Call::Texts(std::string_view name) const {
  std::vector<std::string> texts;
  if (const Value* value = Find(name))
    for (const Value& text : value->as_array()) texts.push_back(text.as_string());
  return texts;
}

Payload Call::Document(std::string_view name) const {
  const Value* value = Find(name);
  return value == nullptr ? Payload() : Payload::FromValue(*value);
}

std::vector<model::NamedPayload> Call::Variables(std::string_view name) const {
  std::vector<model::NamedPayload> variables;
  if (const Value* value = Find(name))
    for (const Member& member : value->as_object())
      variables.push_back({member.key, Payload::FromValue(member.value)});
  return variables;
}

Result<std::string> Call::IdempotencyKey() const {
  std::string key = Text("idempotency_key");
  const std::string* header = request_.headers.Find("Idempotency-Key");
  if (header == nullptr) return key;
  const bool is_visible =
      std::ranges::all_of(*header, [](char c) { return c >= 0x21 && c <= 0x7E; });
  if (header->empty() || header->size() > kMaxIdempotencyHeaderBytes || !is_visible)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected an Idempotency-Key of 1 to {} visible characters of ASCII "
                            "but found others",
                            kMaxIdempotencyHeaderBytes));
  if (!key.empty() && key != *header)
    return Fail(ErrorCode::kInvalidInput,
                "Expected the same key in Idempotency-Key and idempotency_key but found two");
  return *header;
}

}  // namespace stele::server::rest
