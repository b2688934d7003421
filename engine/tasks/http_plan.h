// From the configuration of a step that speaks HTTP to a request, and from the answer to a result.
// Shared by the task types http, webhook and notification.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/value.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/curl_multi.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {

struct HttpPlan {
  using Judge = std::expected<Payload, TaskFailure> (*)(const HttpPlan& plan,
                                                        HttpClient::Response&& response,
                                                        const Redactor& redactor);
  HttpClient::Request request;  // with the task type's timeout
  int64_t timeout_us = 0;       // the configuration's; 0: it names none
  Judge judge = nullptr;        // what an answer means; null: JudgeResponse
  // Ranges of the statuses that are a success; empty: 200 to 399.
  std::vector<std::pair<int64_t, int64_t>> success;
  // Texts beside the request's secrets that must not be shown.
  std::vector<std::string> credentials;
};

// Reads what all of them have: url (when `url_key` is there), headers, query, auth, timeout,
// follow_redirects, verify_tls, ca_file, proxy, max_response_bytes, expect, success_status.
void ReadTransport(ConfigReader& reader, std::string_view url_key, HttpPlan& plan);

// RFC 9110, token.
bool IsHeaderName(std::string_view name);

// "application/json" of "Application/JSON; charset=utf-8".
std::string MediaType(std::string_view content_type);

// Upper case. A method that is none is a fault.
std::string ReadMethod(ConfigReader& reader, std::string_view fallback);

// Text goes as it is, everything else as JSON, each with its content type unless there is one.
void SetBody(HttpPlan& plan, const Value& body);
void SetHeaderOnce(HttpPlan& plan, std::string_view name, std::string_view value);

// The failure "http_status" (details: status, the beginning of the body, retry_after when the
// server says so), or nothing when the status is a success.
std::optional<TaskFailure> StatusFailure(const HttpPlan& plan, const HttpClient::Response& response,
                                         const Redactor& redactor);

// Whether a request that was answered with this may have more luck later.
bool IsRetryableStatus(int64_t status);

// {status, status_code, headers, body, body_base64?}, or the failure "http_status".
std::expected<Payload, TaskFailure> JudgeResponse(const HttpPlan& plan,
                                                  HttpClient::Response&& response,
                                                  const Redactor& redactor);

}  // namespace stele::tasks
