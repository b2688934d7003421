#include "cli/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>

#include "base/json.h"
#include "base/repeated_member.h"
#include "engine/definition/duration.h"
#include "engine/definition/faults.h"
#include "engine/definition/step_types.h"

namespace stele::cli {

namespace {

using Take = std::function<Status(const Value&)>;
using Takers = std::map<std::string, Take, std::less<>>;

Status Wrong(std::string_view expected, const Value& found) {
  return Fail(ErrorCode::kUsage, fmt::format("Expected {} but found {}", expected, ToJson(found)));
}

// The fault, behind the name of the member that it is in.
Status At(std::string_view member, const Status& taken) {
  if (taken.has_value()) return {};
  return Fail(taken.error().code, fmt::format("{}: {}", member, taken.error().message));
}

template <class Number>
Take Count(Number& into, int64_t least) {
  static constexpr auto kMost = static_cast<int64_t>(
      std::min<uint64_t>(std::numeric_limits<Number>::max(), std::numeric_limits<int64_t>::max()));
  return [&into, least](const Value& value) -> Status {
    if (!value.is_int() || value.as_int() < least || value.as_int() > kMost)
      return Wrong(fmt::format("a whole number from {} to {}", least, kMost), value);
    into = static_cast<Number>(value.as_int());
    return {};
  };
}

Take DurationOf(int64_t& into) {
  return [&into](const Value& value) -> Status {
    const auto us = value.is_string() ? definition::ParseDuration(value.as_string()) : std::nullopt;
    if (!us.has_value() || *us <= 0)
      return Wrong(fmt::format("a duration such as \"15s\"{}", definition::DurationBound(value)),
                   value);
    into = *us;
    return {};
  };
}

// Each member by its taker; the fault begins with the way to it.
Status TakeMembers(const Value& object, const Takers& takers) {
  if (!object.is_object())
    return Fail(ErrorCode::kUsage,
                fmt::format("Expected an object but found {}", KindName(object.kind())));
  for (const Member& member : object.as_object()) {
    const auto taker = takers.find(member.key);
    if (taker == takers.end()) {
      std::vector<std::string> known;
      for (const auto& [name, take] : takers) known.push_back(name);
      const std::string near = definition::Nearest(member.key, known);
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected {} but found \"{}\"",
                              near.empty() ? fmt::format("one of {}", fmt::join(known, ", "))
                                           : fmt::format("\"{}\" perhaps", near),
                              member.key));
    }
    STELE_RETURN_IF_ERROR(At(member.key, taker->second(member.value)));
  }
  return {};
}

Take LimitsByName(std::map<std::string, runtime::AttemptLimit, std::less<>>& into) {
  return [&into](const Value& value) -> Status {
    if (!value.is_object()) return Wrong("an object of names", value);
    for (const Member& member : value.as_object()) {
      runtime::AttemptLimit& limit = into[member.key];
      const Take rate = [&limit](const Value& given) {
        return TakeMembers(
            given, {{"count", Count(limit.rate.count, 1)}, {"per", DurationOf(limit.rate.per_us)}});
      };
      STELE_RETURN_IF_ERROR(
          At(member.key,
             TakeMembers(member.value, {{"at_once", Count(limit.at_once, 1)}, {"rate", rate}})));
    }
    return {};
  };
}

Take RetentionOf(retention::RetentionPolicy& policy) {
  return [&policy](const Value& value) {
    return TakeMembers(value, {{"closed", DurationOf(policy.closed_us)},
                               {"archive_after", DurationOf(policy.archive_after_us)},
                               {"hot_log_bytes", Count(policy.hot_log_bytes, 0)},
                               {"every", DurationOf(policy.every_us)}});
  };
}

Take NonEmpty(std::string& into) {
  return [&into](const Value& value) -> Status {
    if (!value.is_string() || value.as_string().empty()) return Wrong("a text", value);
    into = value.as_string();
    return {};
  };
}

// The members of an object that say where a key is. A file is found from the directory that the
// settings are in.
struct KeyMembers {
  secrets::KeySource source;
  int64_t patience_us = secrets::kKeyCommandPatienceMs * 1000;

  Takers takers() {
    return {{"key_file", NonEmpty(source.file)},
            {"key_env", NonEmpty(source.environment)},
            {"key_command", NonEmpty(source.command)},
            {"key_command_timeout", DurationOf(patience_us)}};
  }
  Result<secrets::KeySource> Finish(const Value& value, const std::string& data) {
    if (source.file.empty() + source.environment.empty() + source.command.empty() != 2)
      return std::unexpected(Wrong("one of key_command, key_env and key_file", value).error());
    source.command_patience_ms = std::max<int64_t>(patience_us / 1000, 1);
    if (!source.file.empty()) source.file = std::filesystem::path(data) / source.file;
    return std::move(source);
  }
};

// `more`: other members of the same object.
Take KeySourceOf(secrets::KeySource& source, const std::string& data, const Takers& more = {}) {
  return [&source, data, more](const Value& value) -> Status {
    KeyMembers members;
    Takers takers = members.takers();
    takers.insert(more.begin(), more.end());
    STELE_RETURN_IF_ERROR(TakeMembers(value, takers));
    auto found = members.Finish(value, data);
    if (!found.has_value()) return std::unexpected(found.error());
    source = *std::move(found);
    return {};
  };
}

struct Settings {
  runtime::ShardOptions shard;
  retention::RetentionPolicy retention;
  secrets::KeySource key;
  runtime::AuditSource audit;
  std::string archive_directory;
};

bool HasSegments(const std::filesystem::path& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored))
    if (entry.path().extension() == ".segment") return true;
  return false;
}

Result<Settings> ReadAll(const std::string& data) {
  Settings settings;
  runtime::ShardOptions& options = settings.shard;
  const std::string path = data + "/settings.json";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return settings;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail(ErrorCode::kIo, fmt::format("Expected to read {} but could not", path));
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const Result<Value> parsed = ParseJson(text);
  if (!parsed.has_value())
    return Fail(ErrorCode::kUsage, fmt::format("{}: {}", path, parsed.error().message));
  if (const std::string twice = RepeatedMemberOf(text); !twice.empty())
    return Fail(ErrorCode::kUsage,
                fmt::format("{}: Expected each member once but found \"{}\" twice", path, twice));
  runtime::SchedulerSettings& scheduler = options.scheduler;
  const Takers takers = {
      {"max_records_in_flight", Count(options.max_records_in_flight, 1)},
      {"idle_memory_bytes", Count(options.idle_memory_bytes, 0)},
      {"snapshot_events", Count(options.snapshot_events, 1)},
      {"checkpoint_records", Count(options.checkpoint_records, 1)},
      {"max_output_bytes", Count(options.max_output_bytes, 2)},
      {"max_log_bytes", Count(options.max_log_bytes, 0)},
      {"max_input_bytes", Count(options.max_input_bytes, 2)},
      {"max_payload_bytes", Count(options.max_payload_bytes, 2)},
      {"max_open_instances", Count(options.max_open_instances, 0)},
      {"max_open_attempts", Count(scheduler.max_open, 1)},
      {"max_queued_attempts", Count(options.max_queued_attempts, 1)},
      {"max_call_depth", Count(options.max_call_depth, 1)},
      {"timeout_grace", DurationOf(options.timeout_grace_us)},
      {"task_types", LimitsByName(scheduler.task_types)},
      {"definitions", LimitsByName(scheduler.definitions)},
      {"retention", RetentionOf(settings.retention)},
      {"archive_directory", NonEmpty(settings.archive_directory)},
      {"encryption", KeySourceOf(settings.key, data)},
      {"audit", KeySourceOf(settings.audit.key, data,
                            {{"records", Count(settings.audit.records, 1)},
                             {"every", DurationOf(settings.audit.time_us)}})},
  };
  STELE_RETURN_IF_ERROR(At(path, TakeMembers(*parsed, takers)));
  std::string& archive = settings.archive_directory;
  if (!archive.empty()) archive = std::filesystem::path(data) / archive;
  return settings;
}

// Whether the path leads to the directory or into it.
bool LeadsInto(const std::filesystem::path& directory, const std::filesystem::path& path) {
  std::error_code ignored;
  const auto outer = std::filesystem::weakly_canonical(directory, ignored);
  const auto inner = std::filesystem::weakly_canonical(path, ignored);
  return std::ranges::mismatch(outer, inner).in1 == outer.end();
}

}  // namespace

Result<runtime::ShardOptions> ReadSettings(const std::string& data) {
  Result<Settings> settings = ReadAll(data);
  if (!settings.has_value()) return std::unexpected(settings.error());
  return std::move(settings->shard);
}

Result<secrets::KeySource> ReadKeySource(const std::string& data) {
  Result<Settings> settings = ReadAll(data);
  if (!settings.has_value()) return std::unexpected(settings.error());
  return std::move(settings->key);
}

Result<runtime::AuditSource> ReadAuditSource(const std::string& data) {
  Result<Settings> settings = ReadAll(data);
  if (!settings.has_value()) return std::unexpected(settings.error());
  return std::move(settings->audit);
}

Result<std::string> ReadArchiveDirectory(const std::string& data) {
  Result<Settings> settings = ReadAll(data);
  if (!settings.has_value()) return std::unexpected(settings.error());
  const std::filesystem::path usual = std::filesystem::path(data) / "archive";
  const std::filesystem::path named = settings->archive_directory;
  std::error_code ignored;
  if (!named.empty() && LeadsInto(data, named) && !LeadsInto(usual, named))
    return Fail(ErrorCode::kUsage,
                fmt::format("{0}/settings.json: archive_directory: Expected a directory outside of "
                            "{0}, or \"archive\", but found {1}: what else lies there is deleted, "
                            "and made anew",
                            data, named.string()));
  if (named.empty() || std::filesystem::equivalent(named, usual, ignored) || !HasSegments(usual))
    return named.string();
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected the archive in {}, as archive_directory in {}/settings.json "
                          "says, but found one in {}; move its files there while no engine runs, "
                          "or leave archive_directory out",
                          named.string(), data, usual.string()));
}

Result<retention::RetentionPolicy> ReadRetention(const std::string& data) {
  const Result<Settings> settings = ReadAll(data);
  if (!settings.has_value()) return std::unexpected(settings.error());
  return settings->retention;
}

std::vector<std::string> UnknownTaskTypes(const runtime::ShardOptions& settings,
                                          const std::set<std::string>& known) {
  std::vector<std::string> sentences;
  for (const auto& [type, limit] : settings.scheduler.task_types) {
    if (known.contains(type)) continue;
    const auto word = definition::FindStepType(type);
    const bool other =
        word.has_value() && word->task_type != type && known.contains(word->task_type);
    const std::string near =
        other ? word->task_type : definition::Nearest(type, {known.begin(), known.end()});
    sentences.push_back(
        fmt::format("settings.json: task_types: Expected a task type that is known here but found "
                    "\"{}\"{}; its limits count once there is such a type",
                    type, near.empty() ? "" : fmt::format(" (\"{}\" perhaps)", near)));
  }
  return sentences;
}

}  // namespace stele::cli
