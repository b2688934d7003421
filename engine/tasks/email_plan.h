// From the configuration of an `email` step to a mail and the server that takes it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/email_message.h"
#include "engine/tasks/limits.h"
#include "engine/tasks/smtp_client.h"

namespace stele::tasks {

struct EmailOptions {
  // Where a configuration names none: the server with its credentials, and the sender.
  std::string server;
  std::string username;
  std::string password;
  std::string from;
  int64_t timeout_us = kDefaultHttpTimeoutUs;
  size_t max_message_bytes = kMaxEmailBytes;

  // STELE_SMTP_SERVER, STELE_SMTP_USERNAME, STELE_SMTP_PASSWORD, STELE_SMTP_FROM.
  static EmailOptions FromProcess();
};

struct EmailPlan {
  SmtpClient::Request request;  // without its message and its timeout
  EmailMessage message;         // without id and time
  int64_t timeout_us = 0;       // the configuration's; 0: it names none
};

// A plan, or a sentence a fault.
std::expected<EmailPlan, std::vector<std::string>> PlanEmail(const Value& config,
                                                             ConfigReader::Mode mode,
                                                             const EmailOptions& options);

// "<42-7-1.0f3a…@example.org>": the attempt's key, a hash of what the mail is about (other engines
// count from 1 as well), and the sender's domain. The same for a repeated attempt.
std::string MessageId(const std::string& attempt_key, const EmailPlan& plan);

}  // namespace stele::tasks
