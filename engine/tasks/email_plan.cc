#include "engine/tasks/email_plan.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <strings.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/check.h"
#include "base/json.h"

namespace stele::tasks {
namespace {

constexpr size_t kMaxFileNameBytes = 250;
// What this task writes itself, or what would change how the mail is read.
constexpr const char* kOwnHeaders[] = {"From",    "To",   "Cc",         "Bcc",         "Reply-To",
                                       "Subject", "Date", "Message-ID", "MIME-Version"};

std::string SingleLineFault(std::string_view key) {
  return fmt::format(
      "Expected `{}` to be a single line but found a line break or another control character", key);
}

// A text for a header, or an empty one and a fault.
std::string LineOf(ConfigReader& reader, std::string_view key) {
  std::string text = reader.Text(key).value_or("");
  if (!HasControlCharacter(text)) return text;
  reader.AddFault(SingleLineFault(key));
  return {};
}

// "Ann <ann@x>", {name, address}, or a list of either.
void AppendMailboxes(ConfigReader& reader, std::string_view key, const Value& value,
                     std::vector<Mailbox>& mailboxes) {
  if (reader.IsOpen(value)) return;
  const Value* address = value.Find("address");
  const Value* name = value.Find("name");
  if (value.is_string()) {
    Result<std::vector<Mailbox>> parsed = ParseMailboxes(value.as_string());
    if (!parsed) {
      reader.AddFault(fmt::format("{} in `{}`", parsed.error().message, key));
      return;
    }
    std::ranges::move(*parsed, std::back_inserter(mailboxes));
  } else if (address != nullptr && address->is_string() && (name == nullptr || name->is_string())) {
    Mailbox mailbox{name == nullptr ? "" : name->as_string(), address->as_string()};
    if (Status valid = CheckAddress(mailbox.address); !valid && !reader.IsOpen(*address)) {
      reader.AddFault(fmt::format("{} in `{}`", valid.error().message, key));
    }
    if (HasControlCharacter(mailbox.name)) {
      reader.AddFault(SingleLineFault(fmt::format("{}.name", key)));
    }
    mailboxes.push_back(std::move(mailbox));
  } else {
    reader.AddFault(
        fmt::format("Expected `{}` to hold addresses (a text, or {{name, address}}) but found {}",
                    key, ToJson(value)));
  }
}

std::vector<Mailbox> ReadMailboxes(ConfigReader& reader, std::string_view key) {
  std::vector<Mailbox> mailboxes;
  const Value* value = reader.Any(key);
  if (value == nullptr) return mailboxes;
  if (!value->is_array()) {
    AppendMailboxes(reader, key, *value, mailboxes);
    return mailboxes;
  }
  for (const Value& element : value->as_array()) AppendMailboxes(reader, key, element, mailboxes);
  return mailboxes;
}

bool NamesSomebody(ConfigReader& reader, std::string_view key) {
  const Value* value = reader.Any(key);
  return value != nullptr && !(value->is_array() && value->as_array().empty());
}

void ReadPeople(ConfigReader& reader, const EmailOptions& options, EmailPlan& plan) {
  EmailMessage& message = plan.message;
  std::vector<Mailbox> from = ReadMailboxes(reader, "from");
  if (!NamesSomebody(reader, "from") && !options.from.empty()) {
    AppendMailboxes(reader, "STELE_SMTP_FROM", Value(options.from), from);
  } else if (!NamesSomebody(reader, "from")) {
    reader.AddFault(
        "Expected `from` (or STELE_SMTP_FROM in the environment of stele) but found "
        "neither");
  }
  if (from.size() > 1) {
    reader.AddFault(fmt::format("Expected one sender in `from` but found {}", from.size()));
  }
  if (!from.empty()) message.from = from[0];
  plan.request.from = message.from.address;
  message.to = ReadMailboxes(reader, "to");
  message.cc = ReadMailboxes(reader, "cc");
  message.reply_to = ReadMailboxes(reader, "reply_to");
  std::vector<Mailbox> bcc = ReadMailboxes(reader, "bcc");
  for (const auto* mailboxes : {&message.to, &message.cc, &bcc}) {
    for (const Mailbox& mailbox : *mailboxes) {
      auto& recipients = plan.request.recipients;
      if (std::ranges::find(recipients, mailbox.address) == recipients.end()) {
        recipients.push_back(mailbox.address);
      }
    }
  }
  if (!NamesSomebody(reader, "to") && !NamesSomebody(reader, "cc") &&
      !NamesSomebody(reader, "bcc")) {
    reader.AddFault("Expected a recipient in `to`, `cc` or `bcc` but found none");
  }
}

// The bytes of base64 as RFC 4648 has it, also in lines.
std::optional<std::string> FromBase64(std::string text) {
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n' || c == ' '; });
  return text.size() % 4 == 0 ? DecodeBase64(text) : std::nullopt;
}

// RFC 2045, 5.1: type "/" subtype, and what may follow them.
bool IsContentType(std::string_view text) {
  size_t slash = text.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
         text.size() < kMaxFileNameBytes &&
         std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

void ReadAttachment(const Value& value, const std::string& where, ConfigReader& outer,
                    ConfigReader::Mode mode, std::vector<EmailAttachment>& attachments) {
  ConfigReader reader(value, mode);
  EmailAttachment attachment;
  attachment.name = LineOf(reader, "name");
  attachment.content_type = reader.Text("content_type").value_or("application/octet-stream");
  std::string encoding = reader.Text("encoding").value_or("text");
  std::optional<std::string> content = reader.Text("content");
  if (!reader.Has("name") || !content) {
    reader.AddFault("Expected `name` and `content` but found one at most");
  }
  if (attachment.name.size() > kMaxFileNameBytes) {
    reader.AddFault(fmt::format("Expected a `name` of at most {} bytes but found {}",
                                kMaxFileNameBytes, attachment.name.size()));
  }
  if (!IsContentType(attachment.content_type) && !reader.IsOpen(Value(attachment.content_type))) {
    reader.AddFault("Expected a `content_type` such as \"application/pdf\" but found another text");
  }
  attachment.content = content.value_or("");
  if (encoding == "base64" && !reader.IsOpen(Value(attachment.content))) {
    std::optional<std::string> bytes = FromBase64(std::move(attachment.content));
    if (!bytes) reader.AddFault("Expected `content` in base64 but found something else");
    attachment.content = bytes.value_or("");
  } else if (encoding != "text" && encoding != "base64" && !reader.IsOpen(Value(encoding))) {
    reader.AddFault(
        fmt::format("Expected `encoding` to be text or base64 but found \"{}\"", encoding));
  }
  for (const std::string& fault : reader.TakeFaults()) {
    outer.AddFault(fmt::format("{} in `{}`", fault, where));
  }
  attachments.push_back(std::move(attachment));
}

void ReadAttachments(ConfigReader& reader, ConfigReader::Mode mode, EmailPlan& plan) {
  const Value* value = reader.Any("attachments");
  if (value == nullptr || reader.IsOpen(*value)) return;
  if (!value->is_array()) {
    reader.AddFault(
        fmt::format("Expected `attachments` to be a list but found {}", KindName(value->kind())));
    return;
  }
  for (const Value& element : value->as_array()) {
    if (reader.IsOpen(element)) continue;
    std::string where = fmt::format("attachments[{}]", plan.message.attachments.size());
    ReadAttachment(element, where, reader, mode, plan.message.attachments);
  }
}

// RFC 5322, 2.2: printable ASCII without the colon.
bool IsFieldName(const std::string& name) {
  return !name.empty() && name.size() < 70 &&
         std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f && c != ':'; });
}

void ReadHeaders(ConfigReader& reader, EmailPlan& plan) {
  plan.message.headers = reader.TextMap("headers");
  for (const auto& [name, value] : plan.message.headers) {
    bool own = strncasecmp(name.c_str(), "Content-", 8) == 0 ||
               std::ranges::any_of(kOwnHeaders, [&name](const char* header) {
                 return strcasecmp(name.c_str(), header) == 0;
               });
    if (!IsFieldName(name)) {
      reader.AddFault("Expected the name of a header in `headers` but found another text");
    } else if (own) {
      reader.AddFault(
          fmt::format("Expected no header in `headers` that the task writes but found "
                      "\"{}\"",
                      name));
    } else if (HasControlCharacter(value)) {
      reader.AddFault(SingleLineFault(fmt::format("headers.{}", name)));
    }
  }
}

void ReadContent(ConfigReader& reader, EmailPlan& plan) {
  EmailMessage& message = plan.message;
  message.subject = LineOf(reader, "subject");
  message.text = reader.Text("text");
  std::optional<std::string> body = reader.Text("body");
  if (message.text && body) {
    reader.AddFault("Expected one of `text` and `body` but found both");
  }
  if (body) message.text = std::move(body);
  message.html = reader.Text("html");
  if (!reader.Has("text") && !reader.Has("body") && !reader.Has("html")) {
    reader.AddFault("Expected `text` or `html` but found neither");
  }
}

// The URL of the server; empty when it is not yet known or there is a fault.
std::string ServerUrl(ConfigReader& reader, const EmailOptions& options) {
  std::optional<std::string> server = reader.Text("server");
  std::optional<std::string> host = reader.Text("host");
  std::optional<std::string> port = reader.Text("port");
  if ((server && host) || (port && !host)) {
    reader.AddFault("Expected `server`, or `host` and `port`, but found a mixture");
    return {};
  }
  for (const auto& text : {server, host, port}) {
    if (text && reader.IsOpen(Value(*text))) return {};
  }
  if (host) {
    bool is_ipv6 = host->find(':') != std::string::npos && !host->starts_with('[');
    return fmt::format("{}://{}{}{}", port == "465" ? "smtps" : "smtp",
                       is_ipv6 ? "[" + *host + "]" : *host, port ? ":" : "", port.value_or(""));
  }
  if (server) return *server;
  if (options.server.empty() && !reader.Has("server")) {
    reader.AddFault(
        "Expected `server` (or STELE_SMTP_SERVER in the environment of stele) but "
        "found neither");
  }
  return options.server;
}

void ReadTls(ConfigReader& reader, EmailPlan& plan) {
  SmtpClient::Request& request = plan.request;
  bool known = !request.server.host.empty();
  bool plain_by_default = known && request.server.IsLoopback() && !request.server.implicit_tls;
  std::string tls = reader.Text("tls").value_or(plain_by_default ? "none" : "required");
  request.ca_file = reader.Text("ca_file").value_or("");
  if (reader.IsOpen(Value(tls))) return;
  if (tls != "none" && tls != "starttls" && tls != "required") {
    reader.AddFault(
        fmt::format("Expected `tls` to be none, starttls or required but found \"{}\"", tls));
  } else if (known && request.server.implicit_tls && tls != "required") {
    reader.AddFault(fmt::format(
        "Expected `tls` to be required for a server with smtps:// but found \"{}\"", tls));
  }
  request.require_starttls = tls != "none" && !request.server.implicit_tls;
}

void ReadConnection(ConfigReader& reader, const EmailOptions& options, EmailPlan& plan) {
  SmtpClient::Request& request = plan.request;
  if (std::string url = ServerUrl(reader, options); !url.empty()) {
    Result<SmtpServer> server = ParseSmtpServer(url);
    if (server) {
      request.server = *std::move(server);
    } else {
      reader.AddFault(server.error().message);
    }
  }
  ReadTls(reader, plan);
  request.username = LineOf(reader, "username");
  request.password = LineOf(reader, "password");
  if (reader.Has("username") != reader.Has("password")) {
    reader.AddFault("Expected `username` and `password` but found one of them");
  }
  // The environment's credentials are for the environment's server alone.
  if (!reader.Has("username") && !reader.Has("server") && !reader.Has("host")) {
    request.username = options.username;
    request.password = options.password;
  }
  plan.timeout_us = reader.DurationUs("timeout");
}

}  // namespace

EmailOptions EmailOptions::FromProcess() {
  auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  EmailOptions options;
  options.server = variable("STELE_SMTP_SERVER");
  options.username = variable("STELE_SMTP_USERNAME");
  options.password = variable("STELE_SMTP_PASSWORD");
  options.from = variable("STELE_SMTP_FROM");
  return options;
}

std::expected<EmailPlan, std::vector<std::string>> PlanEmail(const Value& config,
                                                             ConfigReader::Mode mode,
                                                             const EmailOptions& options) {
  ConfigReader reader(config, mode);
  EmailPlan plan;
  reader.Text("executor");  // `notification` with the executor email is this task
  ReadConnection(reader, options, plan);
  ReadPeople(reader, options, plan);
  ReadContent(reader, plan);
  ReadAttachments(reader, mode, plan);
  ReadHeaders(reader, plan);
  std::vector<std::string> faults = reader.TakeFaults();
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return plan;
}

std::string MessageId(const std::string& attempt_key, const EmailPlan& plan) {
  const EmailMessage& message = plan.message;
  std::string about = message.subject;
  for (const std::string& recipient : plan.request.recipients) about += '\0' + recipient;
  about += '\0' + message.text.value_or("") + '\0' + message.html.value_or("");
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  int made = EVP_Digest(about.data(), about.size(), digest, &length, EVP_sha256(), nullptr);
  CHECK(made == 1 && length >= 8, "no SHA-256 of {} bytes", about.size());
  std::string hash;
  for (size_t i = 0; i < 8; ++i) hash += fmt::format("{:02x}", digest[i]);
  std::string_view address = message.from.address;
  return fmt::format("<{}.{}@{}>", attempt_key, hash, address.substr(address.rfind('@') + 1));
}

}  // namespace stele::tasks
