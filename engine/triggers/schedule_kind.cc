// The keys of a schedule.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/definition/faults.h"
#include "engine/definition/reader.h"
#include "engine/triggers/moment.h"
#include "engine/triggers/trigger_kinds.h"

namespace stele::triggers {
namespace {

constexpr std::pair<std::string_view, Overlap> kOverlaps[] = {
    {"skip", Overlap::kSkip},
    {"buffer_one", Overlap::kBufferOne},
    {"buffer_all", Overlap::kBufferAll},
    {"buffer", Overlap::kBufferAll},
    {"allow", Overlap::kAllow},
    {"allow_all", Overlap::kAllow},
    {"cancel_other", Overlap::kCancelOther},
};

std::optional<Cron> ReadCronField(ConfigFields& fields, const ConfigFields::Field& field) {
  if (!field.value->is_string()) {
    fields.AddExpected(field, "a cron expression like \"0 2 * * *\"");
    return std::nullopt;
  }
  auto cron = Cron::Parse(field.value->as_string());
  if (cron) return *cron;
  fields.Add(cron.error().code, field.pointer, cron.error().message);
  return std::nullopt;
}

std::optional<Cron> CronOfInterval(ConfigFields& fields, int64_t interval_us,
                                   const std::string& pointer) {
  if (interval_us >= kMinEveryUs)
    return *Cron::Parse(fmt::format("@every {}ms", interval_us / 1000));
  fields.Add(ErrorCode::kBadDuration, pointer,
             "Expected an `interval` of at least one second but found a shorter one");
  return std::nullopt;
}

// A list of conditions may hold the cron of a schedule that has no other: what reads as one is it.
std::optional<Cron> ReadConditions(ConfigFields& fields, bool wants_cron,
                                   std::vector<expression::Expression>& conditions) {
  static const ConfigFields::Roots kRoots = {"trigger"};
  std::optional<Cron> cron;
  const auto field = fields.Take({"conditions"});
  if (!field) return cron;
  if (!field->value->is_array()) {
    fields.AddExpected(*field, "a list");
    return cron;
  }
  size_t index = 0;
  for (const Value& item : field->value->as_array()) {
    const std::string pointer = fmt::format("{}/{}", field->pointer, index++);
    const Value* text = &item;
    for (const std::string_view key : {"cron", "schedule", "expression", "condition"})
      if (const Value* inner = item.Find(key)) text = inner;
    if (!text->is_string()) {
      fields.Add(ErrorCode::kInvalidDefinition, pointer,
                 "Expected a cron or an expression but found " + DescribeValue(item));
      continue;
    }
    if (wants_cron && !cron) {
      if (auto read = Cron::Parse(text->as_string())) {
        cron = *read;
        continue;
      }
    }
    fields.Compile(text->as_string(), pointer, kRoots, conditions);
  }
  return cron;
}

std::optional<Cron> ReadWhen(ConfigFields& fields,
                             std::vector<expression::Expression>& conditions) {
  const auto field = fields.Take({"cron", "schedule", "cron_expression"});
  std::string interval_at;
  const auto interval = fields.Duration({"interval", "every"}, &interval_at);
  const bool has_interval = !interval_at.empty();  // if only a faulty one
  std::optional<Cron> cron;
  if (field) cron = ReadCronField(fields, *field);
  if (field && has_interval)
    fields.Add(ErrorCode::kInvalidDefinition, interval_at,
               "Expected either a `cron` or an `interval` but found both");
  if (!field && interval) cron = CronOfInterval(fields, *interval, interval_at);
  const auto of_conditions = ReadConditions(fields, !field && !has_interval, conditions);
  if (of_conditions) cron = of_conditions;
  if (!field && !has_interval && !cron)
    fields.Add(ErrorCode::kBadCron, fields.pointer(),
               "Expected `cron` or `interval` in a schedule but found neither");
  return cron;
}

TimeZone ReadZone(ConfigFields& fields) {
  const auto field = fields.Take({"time_zone", "timezone", "tz"});
  if (!field) return {};
  if (!field->value->is_string()) {
    fields.AddExpected(*field, "a time zone like \"Europe/Berlin\"");
    return {};
  }
  const auto zone = TimeZone::Find(field->value->as_string());
  if (zone) return *zone;
  fields.Add(zone.error().code, field->pointer, zone.error().message);
  return {};
}

std::optional<int64_t> ReadMoment(ConfigFields& fields, ConfigFields::Names names,
                                  const TimeZone& zone, std::string* pointer = nullptr) {
  const auto field = fields.Take(names);
  if (!field) return std::nullopt;
  if (pointer != nullptr) *pointer = field->pointer;
  if (field->value->is_string())
    if (const auto moment = ParseMoment(field->value->as_string(), zone)) return moment;
  fields.AddExpected(*field, "a moment like \"2026-05-01T09:30:00\" or \"2026-05-01\"");
  return std::nullopt;
}

Overlap ReadOverlap(ConfigFields& fields) {
  const auto field = fields.Take({"overlap", "overlap_policy"});
  if (!field) return Overlap::kSkip;
  if (field->value->is_string()) {
    const std::string word = definition::Fold(field->value->as_string());
    for (const auto& [name, overlap] : kOverlaps)
      if (word == name) return overlap;
  }
  fields.AddExpected(*field,
                     "\"skip\", \"buffer_one\", \"buffer_all\", \"allow\" or \"cancel_other\"");
  return Overlap::kSkip;
}

}  // namespace

std::string_view OverlapName(Overlap overlap) {
  return std::ranges::find(kOverlaps, overlap, &std::pair<std::string_view, Overlap>::second)
      ->first;
}

Schedule ScheduleTrigger::MakeSchedule(std::string identity) const {
  return Schedule(cron, {.zone = zone,
                         .start_us = start_us,
                         .end_us = end_us,
                         .jitter_us = jitter_us,
                         .identity = std::move(identity)});
}

std::optional<ScheduleTrigger> ReadSchedule(ConfigFields& fields,
                                            std::vector<expression::Expression>& conditions) {
  const auto cron = ReadWhen(fields, conditions);
  const TimeZone zone = ReadZone(fields);
  const auto start = ReadMoment(fields, {"start", "start_at", "not_before"}, zone);
  std::string end_at, jitter_at;
  const auto end = ReadMoment(fields, {"end", "end_at", "not_after"}, zone, &end_at);
  const int64_t jitter = fields.Duration({"jitter"}, &jitter_at).value_or(0);
  const auto catch_up = fields.Duration({"catch_up", "catchup", "catch_up_window"});
  const Overlap overlap = ReadOverlap(fields);
  if (start && end && *end <= *start)
    fields.Add(ErrorCode::kInvalidDefinition, end_at,
               "Expected `end` to be after `start` but found it before or at it");
  if (jitter > kMaxJitterUs)
    fields.Add(ErrorCode::kLimitExceeded, jitter_at,
               "Expected a `jitter` of at most one day but found a longer one");
  if (!cron || jitter > kMaxJitterUs) return std::nullopt;
  return ScheduleTrigger{.cron = *cron,
                         .zone = zone,
                         .start_us = start,
                         .end_us = end,
                         .jitter_us = jitter,
                         .catch_up_us = catch_up.value_or(kDefaultCatchUpUs),
                         .overlap = overlap};
}

}  // namespace stele::triggers
