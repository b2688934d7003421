#include "engine/tasks/http_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <strings.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "base/base64.h"
#include "base/json.h"
#include "engine/tasks/bounded_text.h"

namespace stele::tasks {
namespace {

constexpr std::string_view kMethods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                         "PATCH", "DELETE", "OPTIONS"};

bool EqualNames(const std::string& a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), b.size()) == 0;
}

bool IsHeaderValue(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

std::optional<std::pair<int64_t, int64_t>> StatusRange(const Value& value) {
  if (value.is_int() && value.as_int() >= 100 && value.as_int() <= 599) {
    return std::pair(value.as_int(), value.as_int());
  }
  if (!value.is_string()) return std::nullopt;
  std::string_view text = value.as_string();
  if (text.size() != 3 || text[0] < '1' || text[0] > '5') return std::nullopt;
  if (text.ends_with("xx")) {
    int64_t base = (text[0] - '0') * 100;
    return std::pair(base, base + 99);
  }
  int64_t status = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + 3, status);
  if (error != std::errc() || end != text.data() + 3) return std::nullopt;
  return std::pair(status, status);
}

void ReadStatuses(ConfigReader& reader, std::string_view key, HttpPlan& plan) {
  const Value* value = reader.Any(key);
  if (value == nullptr || reader.IsOpen(*value)) return;
  Array single;
  if (!value->is_array()) single.push_back(*value);
  for (const Value& element : value->is_array() ? value->as_array() : single) {
    if (reader.IsOpen(element)) continue;
    if (auto range = StatusRange(element)) {
      plan.success.push_back(*range);
    } else {
      reader.AddFault(
          fmt::format("Expected `{}` to hold statuses such as 201 or \"2xx\" but found "
                      "{}",
                      key, ToJson(element)));
    }
  }
}

// {basic: {username, password}} or {bearer: token}; also {type: basic, …}.
void ReadAuth(ConfigReader& reader, HttpPlan& plan) {
  const Value* auth = reader.Any("auth");
  if (auth == nullptr || reader.IsOpen(*auth)) return;
  auto text_of = [](const Value* from, std::string_view key) {
    const Value* found = from->Find(key);
    return found == nullptr ? std::optional<std::string>() : ScalarText(*found);
  };
  std::string type = text_of(auth, "type").value_or("");
  const Value* basic = type == "basic" ? auth : auth->Find("basic");
  std::optional<std::string> token = text_of(auth, type == "bearer" ? "token" : "bearer");
  if (basic != nullptr && text_of(basic, "username")) {
    std::string password = text_of(basic, "password").value_or("");
    std::string encoded = Base64(*text_of(basic, "username") + ":" + password);
    plan.credentials.insert(plan.credentials.end(), {password, encoded});
    SetHeaderOnce(plan, "Authorization", "Basic " + encoded);
  } else if (token && IsHeaderValue(*token)) {
    plan.credentials.push_back(*token);
    SetHeaderOnce(plan, "Authorization", "Bearer " + *token);
  } else {
    reader.AddFault(
        "Expected `auth` to be {basic: {username, password}} or {bearer: TOKEN} but found "
        "something "
        "else");
  }
}

void ReadHeaders(ConfigReader& reader, HttpPlan& plan) {
  plan.request.headers = reader.TextMap("headers");
  for (const auto& [name, value] : plan.request.headers) {
    if (!IsHeaderName(name)) {
      reader.AddFault(
          fmt::format("Expected the name of a header in `headers` but found \"{}\"", name));
    } else if (!IsHeaderValue(value)) {
      reader.AddFault(fmt::format("Expected `headers.{}` to be a single line", name));
    }
  }
}

bool IsSuccess(const HttpPlan& plan, int64_t status) {
  if (plan.success.empty()) return status >= 200 && status < 400;
  return std::ranges::any_of(plan.success, [status](const auto& range) {
    return range.first <= status && status <= range.second;
  });
}

// RFC 9110, 10.2.3: seconds, as a number here, or a date.
void AddRetryAfter(const HttpClient::Response& response, Object& details) {
  auto found = std::ranges::find(response.headers, "retry-after",
                                 [](const auto& header) { return std::string_view(header.first); });
  if (found == response.headers.end()) return;
  int64_t seconds = 0;
  const std::string& text = found->second;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  bool is_number = error == std::errc() && end == text.data() + text.size();
  details.Set("retry_after", is_number ? Value(seconds) : Value(text));
}

// Repeated headers are one list in the sense of RFC 9110, but for set-cookie, which is always a
// list here: commas stand in its dates.
Object HeaderObject(const HttpClient::Response& response) {
  Object headers;
  for (const auto& [name, value] : response.headers) {
    Value* present = headers.Find(name);
    if (name == "set-cookie") {
      if (present == nullptr) present = &headers.Set(name, Array());
      present->as_array().emplace_back(value);
    } else if (present == nullptr) {
      headers.Set(name, value);
    } else {
      present->as_string() += ", " + value;
    }
  }
  return headers;
}

bool IsJson(const Object& headers) {
  const Value* type = headers.Find("content-type");
  if (type == nullptr) return false;
  const std::string name = MediaType(type->as_string());
  return name == "application/json" || name == "text/json" || name.ends_with("+json");
}

}  // namespace

bool IsHeaderName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string MediaType(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  const size_t first = content_type.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  std::string name(content_type.substr(first, content_type.find_last_not_of(" \t") + 1 - first));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

void SetHeaderOnce(HttpPlan& plan, std::string_view name, std::string_view value) {
  bool given = std::ranges::any_of(
      plan.request.headers, [name](const auto& header) { return EqualNames(header.first, name); });
  if (!given) plan.request.headers.emplace_back(name, value);
}

void SetBody(HttpPlan& plan, const Value& body) {
  if (body.is_string()) {
    plan.request.body = body.as_string();
    SetHeaderOnce(plan, "Content-Type", "text/plain; charset=utf-8");
  } else {
    plan.request.body = ToJson(body);
    SetHeaderOnce(plan, "Content-Type", "application/json");
  }
}

std::string ReadMethod(ConfigReader& reader, std::string_view fallback) {
  std::string method = reader.Text("method").value_or(std::string(fallback));
  if (reader.IsOpen(Value(method))) return method;
  std::ranges::transform(method, method.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (std::ranges::find(kMethods, method) == std::end(kMethods)) {
    reader.AddFault(fmt::format("Expected `method` to be one of {} but found \"{}\"",
                                fmt::join(kMethods, ", "), method));
  }
  return method;
}

void ReadTransport(ConfigReader& reader, std::string_view url_key, HttpPlan& plan) {
  HttpClient::Request& request = plan.request;
  std::vector<std::pair<std::string, std::string>> query = reader.TextMap("query");
  if (std::optional<std::string> url = reader.Text(url_key)) {
    if (!reader.IsOpen(Value(*url))) {
      Result<std::string> built = BuildUrl(*url, query);
      if (!built) reader.AddFault(fmt::format("{} in `{}`", built.error().message, url_key));
      request.url = built.value_or("");
    }
  }
  ReadHeaders(reader, plan);
  ReadAuth(reader, plan);
  plan.timeout_us = reader.DurationUs("timeout");
  request.follow_redirects = reader.Bool("follow_redirects", true);
  request.verify_tls = reader.Bool("verify_tls", true);
  request.ca_file = reader.Text("ca_file").value_or("");
  request.proxy = reader.Text("proxy").value_or("");
  if (const Value* limit = reader.Any("max_response_bytes")) {
    if (limit->is_int() && limit->as_int() > 0) {
      request.max_response_bytes =
          std::min(request.max_response_bytes, static_cast<size_t>(limit->as_int()));
    } else if (!reader.IsOpen(*limit)) {
      reader.AddFault(fmt::format(
          "Expected `max_response_bytes` to be a positive integer but found {}", ToJson(*limit)));
    }
  }
  ReadStatuses(reader, "expect", plan);
  ReadStatuses(reader, "success_status", plan);
}

bool IsRetryableStatus(int64_t status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

std::optional<TaskFailure> StatusFailure(const HttpPlan& plan, const HttpClient::Response& response,
                                         const Redactor& redactor) {
  if (IsSuccess(plan, response.status)) return std::nullopt;
  std::string excerpt = Excerpt(redactor, response.body, kBodyExcerptBytes);
  Object details{{"status", response.status}};
  if (IsUtf8(excerpt)) details.Set("body", excerpt);
  AddRetryAfter(response, details);
  return TaskFailure{"http_status",
                     redactor.Text(fmt::format(
                         "Expected {} to answer with {} but found {}", ShownUrl(plan.request.url),
                         plan.success.empty() ? "success" : "an expected status", response.status)),
                     IsRetryableStatus(response.status),
                     Payload::FromValue(redactor.Redact(std::move(details)))};
}

std::expected<Payload, TaskFailure> JudgeResponse(const HttpPlan& plan,
                                                  HttpClient::Response&& response,
                                                  const Redactor& redactor) {
  if (std::optional<TaskFailure> failure = StatusFailure(plan, response, redactor)) {
    return std::unexpected(*std::move(failure));
  }
  Object headers = HeaderObject(response);
  bool is_json = IsJson(headers);
  Object output{{"status", response.status}, {"status_code", response.status}};
  output.Set("headers", std::move(headers));
  Value body = nullptr;
  bool parsed = false;
  if (is_json) {
    if (Result<Value> json = ParseJson(response.body)) {
      body = *std::move(json);
      parsed = true;
    }
  }
  bool is_text = parsed || IsUtf8(response.body);
  std::string base64 = is_text ? "" : Base64(response.body);
  if (!parsed && is_text) body = std::move(response.body);
  output.Set("body", std::move(body));
  if (!is_text) output.Set("body_base64", std::move(base64));
  return Payload::FromValue(redactor.Redact(std::move(output)));
}

}  // namespace stele::tasks
