#include "server/tracing/otlp_json.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"

namespace stele::server::tracing {

namespace {

// Commas between what is written one after the other.
class Items {
 public:
  explicit Items(std::string& out) : out_(out) {}
  void Next() {
    if (!std::exchange(first_, false)) out_ += ',';
  }

 private:
  std::string& out_;
  bool first_ = true;
};

// {"key": …, "value": {"stringValue": …}}
void WriteAttribute(std::string_view key, const Value& value, std::string& out) {
  out += R"({"key":)";
  WriteJsonString(key, out);
  if (value.is_int()) {
    out += fmt::format(R"(,"value":{{"intValue":"{}"}}}})", value.as_int());
  } else {
    out += R"(,"value":{"stringValue":)";
    WriteJsonString(value.as_string(), out);
    out += "}}";
  }
}

std::string NanosOf(TimeUs time) {
  return fmt::format("{}000", time.value);
}

void WriteSpan(const Span& span, std::string& out) {
  out += fmt::format(R"({{"traceId":"{}","spanId":"{}",)", span.trace.ToHex(), ToHex(span.id));
  if (span.parent) out += fmt::format(R"("parentSpanId":"{}",)", ToHex(span.parent));
  out += R"("name":)";
  WriteJsonString(span.name, out);
  out += fmt::format(R"(,"kind":{},"startTimeUnixNano":"{}","endTimeUnixNano":"{}","attributes":[)",
                     static_cast<int>(span.kind), NanosOf(span.start), NanosOf(span.end));
  Items attributes(out);
  for (const auto& [key, value] : span.attributes) {
    attributes.Next();
    WriteAttribute(key, value, out);
  }
  out += ']';
  if (span.link)
    out += fmt::format(R"(,"links":[{{"traceId":"{}","spanId":"{}"}}])", span.trace.ToHex(),
                       ToHex(span.link));
  out += fmt::format(R"(,"status":{{"code":{})", static_cast<int>(span.status));
  if (!span.error.empty()) {
    out += R"(,"message":)";
    WriteJsonString(span.error, out);
  }
  out += "}}";
}

}  // namespace

std::string ToOtlpJson(std::span<const Span> spans, const Resource& resource,
                       std::string_view version) {
  std::string out = R"({"resourceSpans":[{"resource":{"attributes":[)";
  Items attributes(out);
  for (const auto& [key, value] : resource) {
    attributes.Next();
    WriteAttribute(key, Value(value), out);
  }
  out += R"(]},"scopeSpans":[{"scope":{"name":"stele","version":)";
  WriteJsonString(version, out);
  out += R"(},"spans":[)";
  Items items(out);
  for (const Span& span : spans) {
    items.Next();
    WriteSpan(span, out);
  }
  out += "]}]}]}";
  return out;
}

uint64_t RejectedSpans(std::string_view answer) {
  const Result<Value> body = ParseJson(answer);
  if (!body.has_value()) return 0;
  const Value* partial = body->Find("partialSuccess");
  const Value* rejected = partial == nullptr ? nullptr : partial->Find("rejectedSpans");
  if (rejected == nullptr) return 0;
  if (rejected->is_int()) return rejected->as_int() < 0 ? 0 : rejected->as_int();
  if (!rejected->is_string()) return 0;
  uint64_t number = 0;
  const std::string& text = rejected->as_string();
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace stele::server::tracing
