#include "engine/triggers/webhook_payload.h"

#include <algorithm>

#include "base/json.h"

namespace stele::triggers {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

bool IsKeptBack(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "authorization",   "proxy-authorization", "cookie",
      "x-hub-signature", "x-hub-signature-256", "x-stele-signature-256"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// application/x-www-form-urlencoded, by the URL Standard's percent-decoding: what is no escape
// stays as it is.
std::string DecodeFormText(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size() && HexDigit(text[at + 1]) >= 0 &&
        HexDigit(text[at + 2]) >= 0) {
      decoded += static_cast<char>(HexDigit(text[at + 1]) * 16 + HexDigit(text[at + 2]));
      at += 2;
    } else {
      decoded += text[at] == '+' ? ' ' : text[at];
    }
  }
  return decoded;
}

Object DecodeForm(std::string_view text) {
  static constexpr size_t kMaxFields = 1'000;
  Object fields;
  while (!text.empty() && fields.size() < kMaxFields) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    const size_t equals = std::min(field.find('='), field.size());
    if (field.empty()) continue;
    fields.Set(DecodeFormText(field.substr(0, equals)),
               DecodeFormText(field.substr(std::min(equals + 1, field.size()))));
  }
  return fields;
}

}  // namespace

std::string_view HeaderOf(const WebhookRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (Lower(key) == name) return value;
  return {};
}

Result<Value> ReadPayload(const WebhookRequest& request) {
  if (request.body.find_first_not_of(" \t\r\n") == std::string_view::npos) return Value();
  if (!Lower(HeaderOf(request, "content-type")).starts_with("application/x-www-form-urlencoded"))
    return ParseJson(request.body);
  Object form = DecodeForm(request.body);
  if (const Value* payload = form.Find("payload")) return ParseJson(payload->as_string());
  return Value(std::move(form));
}

WebhookEnvironment::WebhookEnvironment(const WebhookRequest& request, Value payload) {
  roots_.Set("payload", std::move(payload));
  Object headers;
  for (const auto& [key, value] : request.headers)
    if (const std::string name = Lower(key); !IsKeptBack(name)) headers.Set(name, value);
  roots_.Set("headers", std::move(headers));
  Object query;
  for (const auto& [key, value] : request.query) query.Set(key, value);
  roots_.Set("query", std::move(query));
}

expression::Environment::Found WebhookEnvironment::Lookup(std::span<const std::string> path) const {
  const Value* root = roots_.Find(path[0]);
  return {root, root == nullptr ? size_t{0} : size_t{1}};
}

}  // namespace stele::triggers
