#include "cli/settings.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "base/json.h"
#include "engine/definition/duration.h"
#include "engine/definition/faults.h"

namespace stele::cli {

namespace {

using Take = std::function<Status(const Value&)>;
using Takers = std::map<std::string, Take, std::less<>>;

Status Wrong(std::string_view expected, const Value& found) {
  return Fail(ErrorCode::kUsage, fmt::format("Expected {} but found {}", expected, ToJson(found)));
}

template <class Number>
Take Count(Number& into, int64_t least) {
  return [&into, least](const Value& value) -> Status {
    if (!value.is_int() || value.as_int() < least ||
        static_cast<uint64_t>(value.as_int()) > std::numeric_limits<Number>::max())
      return Wrong(fmt::format("a number of at least {}", least), value);
    into = static_cast<Number>(value.as_int());
    return {};
  };
}

Take DurationOf(int64_t& into) {
  return [&into](const Value& value) -> Status {
    const auto us = value.is_string() ? definition::ParseDuration(value.as_string()) : std::nullopt;
    if (!us.has_value() || *us <= 0) return Wrong("a duration such as \"15s\"", value);
    into = *us;
    return {};
  };
}

// Each member by its taker; the fault names the way to it.
Status TakeMembers(const Value& object, const Takers& takers, const std::string& where) {
  if (!object.is_object())
    return Fail(ErrorCode::kUsage,
                fmt::format("{}: Expected an object but found {}", where, KindName(object.kind())));
  for (const Member& member : object.as_object()) {
    const auto taker = takers.find(member.key);
    if (taker == takers.end()) {
      std::vector<std::string> known;
      for (const auto& [name, take] : takers) known.push_back(name);
      const std::string near = definition::Nearest(member.key, known);
      return Fail(ErrorCode::kUsage,
                  fmt::format("{}: Expected {} but found \"{}\"", where,
                              near.empty() ? fmt::format("one of {}", fmt::join(known, ", "))
                                           : fmt::format("\"{}\" perhaps", near),
                              member.key));
    }
    const Status taken = taker->second(member.value);
    if (!taken.has_value())
      return Fail(ErrorCode::kUsage,
                  fmt::format("{}: {}: {}", where, member.key, taken.error().message));
  }
  return {};
}

Take LimitsByName(std::map<std::string, runtime::AttemptLimit, std::less<>>& into,
                  const std::string& where) {
  return [&into, where](const Value& value) -> Status {
    if (!value.is_object()) return Wrong("an object of names", value);
    for (const Member& member : value.as_object()) {
      runtime::AttemptLimit& limit = into[member.key];
      const std::string place = fmt::format("{}: {}", where, member.key);
      const Take rate = [&limit, place](const Value& given) {
        return TakeMembers(
            given, {{"count", Count(limit.rate.count, 1)}, {"per", DurationOf(limit.rate.per_us)}},
            place + ": rate");
      };
      STELE_RETURN_IF_ERROR(
          TakeMembers(member.value, {{"at_once", Count(limit.at_once, 1)}, {"rate", rate}}, place));
    }
    return {};
  };
}

}  // namespace

Result<runtime::ShardOptions> ReadSettings(const std::string& data) {
  runtime::ShardOptions options;
  const std::string path = data + "/settings.json";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return options;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail(ErrorCode::kIo, fmt::format("Expected to read {} but could not", path));
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const Result<Value> parsed = ParseJson(text);
  if (!parsed.has_value())
    return Fail(ErrorCode::kUsage, fmt::format("{}: {}", path, parsed.error().message));
  runtime::SchedulerSettings& scheduler = options.scheduler;
  const Takers takers = {
      {"max_records_in_flight", Count(options.max_records_in_flight, 1)},
      {"idle_memory_bytes", Count(options.idle_memory_bytes, 0)},
      {"snapshot_events", Count(options.snapshot_events, 1)},
      {"checkpoint_records", Count(options.checkpoint_records, 1)},
      {"max_output_bytes", Count(options.max_output_bytes, 2)},
      {"max_input_bytes", Count(options.max_input_bytes, 2)},
      {"max_payload_bytes", Count(options.max_payload_bytes, 2)},
      {"max_open_instances", Count(options.max_open_instances, 0)},
      {"max_open_attempts", Count(scheduler.max_open, 1)},
      {"max_queued_attempts", Count(options.max_queued_attempts, 1)},
      {"max_call_depth", Count(options.max_call_depth, 1)},
      {"timeout_grace", DurationOf(options.timeout_grace_us)},
      {"task_types", LimitsByName(scheduler.task_types, "task_types")},
      {"definitions", LimitsByName(scheduler.definitions, "definitions")},
  };
  STELE_RETURN_IF_ERROR(TakeMembers(*parsed, takers, path));
  return options;
}

}  // namespace stele::cli
