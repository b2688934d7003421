#include "engine/model/trace_context.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace stele::model {

namespace {

constexpr size_t kLength = 55;  // of version 00
constexpr uint8_t kSampled = 1;
// What tells the ids of one kind from those of another.
constexpr uint64_t kTraceHigh = 0x7472616365206869;
constexpr uint64_t kTraceLow = 0x7472616365206c6f;
constexpr uint64_t kInstanceSpan = 1;
constexpr uint64_t kRunSpan = 2;
constexpr uint64_t kAttemptSpan = 3;
constexpr uint64_t kRetrySpan = 4;

// The finalizer of SplitMix64: every bit of the result depends on every bit of the argument.
constexpr uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

constexpr uint64_t Hash(uint64_t seed, std::initializer_list<uint64_t> values) {
  uint64_t hash = Mix(seed + 0x9E3779B97F4A7C15);
  for (const uint64_t value : values) hash = Mix(hash ^ Mix(value + 0x9E3779B97F4A7C15));
  return hash;
}

// Zero is no id.
constexpr uint64_t NotZero(uint64_t hash) {
  return hash == 0 ? 1 : hash;
}

SpanId SpanOf(const TraceId& trace, uint64_t kind, InstanceId instance, uint64_t number,
              uint64_t attempt) {
  return SpanId(NotZero(Hash(kind, {trace.high, trace.low, instance.value, number, attempt})));
}

bool IsLowerHex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// So many hexadecimal digits, with zeros in front. Every attempt has a text of them.
void AppendHex(uint64_t value, size_t digits, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out.resize(out.size() + digits);
  for (auto place = out.rbegin(); digits > 0; --digits, value >>= 4)
    *place++ = kDigits[value & 0xF];
}

// REQUIRES: lower-case hexadecimal digits, at most 16.
uint64_t HexValue(std::string_view digits) {
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

// As OpenTelemetry's TraceIdRatioBased: the last bits of the trace id decide, so that everybody who
// is asked for the same share decides alike.
bool IsSampled(const TraceId& trace, double ratio) {
  if (ratio >= 1) return true;
  return static_cast<double>(trace.low >> 1) < std::ldexp(std::max(ratio, 0.0), 63);
}

}  // namespace

std::string TraceId::ToHex() const {
  std::string hex;
  AppendHex(high, 16, hex);
  AppendHex(low, 16, hex);
  return hex;
}

std::string ToHex(SpanId span) {
  std::string hex;
  AppendHex(span.value, 16, hex);
  return hex;
}

std::optional<TraceContext> ParseTraceParent(std::string_view text) {
  if (text.size() < kLength) return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view span = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  for (const std::string_view digits : {version, trace, span, flags})
    if (!IsLowerHex(digits)) return std::nullopt;
  if (version == "ff") return std::nullopt;
  // A later version may have more behind another dash.
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return std::nullopt;
  const TraceContext context{
      .trace = {.high = HexValue(trace.substr(0, 16)), .low = HexValue(trace.substr(16))},
      .span = SpanId(HexValue(span)),
      .sampled = (HexValue(flags) & kSampled) != 0};
  if (context.trace == TraceId() || !context.span) return std::nullopt;
  return context;
}

std::string TraceParent(const TraceContext& context) {
  std::string text;
  text.reserve(kLength);
  text += "00-";
  AppendHex(context.trace.high, 16, text);
  AppendHex(context.trace.low, 16, text);
  text += '-';
  AppendHex(context.span.value, 16, text);
  text += '-';
  AppendHex(context.sampled ? kSampled : 0, 2, text);
  return text;
}

std::string NormalTraceParent(std::string_view text) {
  const auto context = ParseTraceParent(text);
  return context.has_value() ? TraceParent(*context) : std::string();
}

std::optional<InstanceTrace> TraceOf(InstanceId instance, TimeUs started,
                                     std::string_view trace_parent, std::optional<double> ratio) {
  InstanceTrace trace;
  if (const auto given = ParseTraceParent(trace_parent)) {
    trace = {.context = *given, .parent = given->span};
  } else if (ratio.has_value()) {
    const auto when = static_cast<uint64_t>(started.value);
    trace.context.trace = {.high = Hash(kTraceHigh, {instance.value, when}),
                           .low = NotZero(Hash(kTraceLow, {instance.value, when}))};
    trace.context.sampled = IsSampled(trace.context.trace, *ratio);
  } else {
    return std::nullopt;
  }
  trace.context.span = SpanOf(trace.context.trace, kInstanceSpan, instance, 0, 0);
  return trace;
}

TraceContext TraceOfRun(const InstanceTrace& trace, InstanceId instance, RunId run) {
  TraceContext context = trace.context;
  context.span = SpanOf(context.trace, kRunSpan, instance, run.value, 0);
  return context;
}

TraceContext TraceOfAttempt(const InstanceTrace& trace, InstanceId instance, RunId run,
                            uint32_t attempt) {
  TraceContext context = trace.context;
  context.span = SpanOf(context.trace, kAttemptSpan, instance, run.value, attempt);
  return context;
}

TraceContext TraceOfRetry(const InstanceTrace& trace, InstanceId instance, Seq retry) {
  TraceContext context = trace.context;
  context.span = SpanOf(context.trace, kRetrySpan, instance, retry.value, 0);
  return context;
}

}  // namespace stele::model
