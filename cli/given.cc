#include "cli/given.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "base/person_name.h"
#include "base/repeated_member.h"
#include "base/utf8.h"
#include "cli/text.h"
#include "engine/definition/duration.h"
#include "engine/runtime/limits.h"
#include "eventstore/limits.h"
#include "projections/field_values.h"

namespace stele::cli {

namespace {

constexpr size_t kReadAtOnce = 64u << 10;  // of a file

// A number as JSON writes it, whatever its size.
bool LooksLikeNumber(std::string_view text) {
  const auto digits = [&] {
    const size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count > 0;
  };
  const auto take = [&](std::string_view any) {
    const bool found = !text.empty() && any.contains(text.front());
    if (found) text.remove_prefix(1);
    return found;
  };
  take("-");
  if (!digits() || (take(".") && !digits())) return false;
  if (!take("eE")) return text.empty();
  take("+-");
  return digits() && text.empty();
}

Result<std::string> TextOf(const Arguments& arguments, std::string_view option) {
  std::string text = arguments.Get(option);
  if (!text.starts_with('@')) return text;
  return ReadGivenFile(text.substr(1), runtime::kMaxInputBytes);
}

// The user database first: USER is whatever somebody has set it to.
std::string UserOfProcess() {
  if (const passwd* user = getpwuid(geteuid()); user != nullptr && *user->pw_name != '\0')
    return user->pw_name;
  return fmt::format("user {}", geteuid());
}

std::string NameOfMachine() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

std::string FromEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<model::KeptAsker> WhoAsks(const Arguments& arguments) {
  std::string user = UserOfProcess();
  const std::string source = fmt::format("{} {}@{}", model::kCliSource, user, NameOfMachine());
  if (arguments.Has("--by")) {
    std::string person = arguments.Get("--by");
    std::string_view fault = FaultOfPersonName(person);
    if (person.size() > eventstore::kMaxActorBytes) fault = "which is longer";
    if (fault.empty()) return model::KeptAsker{std::move(person), source};
    return Fail(
        ErrorCode::kUsage,
        fmt::format("Expected the name of a person, of at most {} bytes, for --by but found "
                    "\"{}\", {}",
                    eventstore::kMaxActorBytes, Clean(person).substr(0, 80), fault));
  }
  return model::KeptAsker{std::move(user), source};
}

Status CheckRegularFile(const std::string& path) {
  std::error_code failed;
  const std::filesystem::file_type type = std::filesystem::status(path, failed).type();
  if (type == std::filesystem::file_type::regular) return {};
  std::string_view found = "something else";
  if (type == std::filesystem::file_type::not_found) found = "none";
  if (type == std::filesystem::file_type::directory) found = "a directory";
  if (type == std::filesystem::file_type::fifo) found = "a pipe";
  if (type == std::filesystem::file_type::character) found = "a device";
  if (type == std::filesystem::file_type::socket) found = "a socket";
  return Fail(
      ErrorCode::kIo,
      fmt::format("Expected a file that can be read but found {} at \"{}\"",
                  type == std::filesystem::file_type::none ? failed.message() : found, path));
}

Result<std::string> ReadGivenFile(const std::string& path, size_t most) {
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return Fail(ErrorCode::kIo,
                fmt::format("Expected a file but found a directory at \"{}\"", path));
  if (!file)
    return Fail(
        ErrorCode::kIo,
        fmt::format("Expected a file that can be read but found {} at \"{}\"",
                    std::filesystem::exists(path, ignored) ? "one that is closed to us" : "none",
                    path));
  // As much memory as there is text: the most may be far more than a file has.
  std::string text;
  while (file && text.size() <= most) {
    const size_t had = text.size();
    text.resize(std::min(most + 1, had + kReadAtOnce));
    file.read(text.data() + had, static_cast<std::streamsize>(text.size() - had));
    text.resize(had + static_cast<size_t>(file.gcount()));
  }
  if (text.size() <= most) return text;
  return Fail(ErrorCode::kLimitExceeded,
              fmt::format("Expected at most {} bytes in {} but found more", most, path));
}

Result<Payload> GivenJson(const Arguments& arguments, std::string_view option) {
  if (!arguments.Has(option)) return Payload();
  const Result<std::string> text = TextOf(arguments, option);
  if (!text.has_value()) return std::unexpected(text.error());
  const Result<Value> value = ParseJson(*text);
  if (!value.has_value())
    return Fail(value.error().code, fmt::format("{}: {}", option, value.error().message));
  if (const std::string twice = RepeatedMemberOf(*text); !twice.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected each member once in the JSON of {} but found \"{}\" twice",
                            option, twice));
  return Payload::FromValue(*value);
}

Result<Payload> GivenObject(const Arguments& arguments, std::string_view option) {
  Result<Payload> given = GivenJson(arguments, option);
  if (!given.has_value() || !given->has_value() || given->value().is_object()) return given;
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected a JSON object for {} but found {} {}", option,
                          given->value().is_array() ? "an" : "a", KindName(given->value().kind())));
}

Result<std::vector<model::NamedPayload>> GivenVariables(
    const std::vector<std::string>& words, std::string_view what,
    const std::vector<definition::Variable>& declared) {
  std::vector<model::NamedPayload> variables;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos)
      return Fail(ErrorCode::kUsage, fmt::format("Expected {} but found \"{}\"", what, word));
    const std::string name = word.substr(0, equals), text = word.substr(equals + 1);
    if (!IsUtf8(word))
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("Expected UTF-8 in {} but found other bytes in \"{}\"", what, word));
    const auto known = std::ranges::find(declared, name, &definition::Variable::name);
    const bool is_text = known != declared.end() && known->type == "string";
    const Result<Value> parsed = is_text ? Result<Value>(Value(text)) : ParseJson(text);
    if (parsed.has_value() && !is_text)
      if (const std::string twice = RepeatedMemberOf(text); !twice.empty())
        return Fail(ErrorCode::kInvalidInput,
                    fmt::format("Expected each member once in the JSON of \"{}\" but found \"{}\" "
                                "twice",
                                name, twice));
    // 1e400; not 007, which is a text.
    if (!parsed.has_value() && LooksLikeNumber(text) && text.find_first_of("eE") != text.npos)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("Expected a number of at most about 1.8e308 for \"{}\" but found {}; "
                              "in quotes ('\"{}\"') it is a text",
                              name, text, text));
    if (std::ranges::find(variables, name, &model::NamedPayload::name) != variables.end())
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected {} once for each name but found \"{}\" twice", what, name));
    variables.push_back({name, Payload::FromValue(parsed.value_or(Value(text)))});
  }
  return variables;
}

Result<int64_t> ParseNumber(const std::string& word, std::string_view what, int64_t least,
                            int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error == std::errc() && end == word.data() + word.size() && number >= least && number <= most)
    return number;
  return Fail(ErrorCode::kUsage, fmt::format("Expected a number from {} to {} for {} but found "
                                             "\"{}\"",
                                             least, most, what, word));
}

Result<std::optional<int64_t>> GivenNumber(const Arguments& arguments, std::string_view option,
                                           int64_t least, int64_t most) {
  if (!arguments.Has(option)) return std::nullopt;
  return ParseNumber(arguments.Get(option), option, least, most);
}

Result<std::vector<std::pair<std::string, std::string>>> GivenHeaders(const Arguments& arguments) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const std::string& word : arguments.All("--header")) {
    const size_t colon = word.find(':');
    if (colon == 0 || colon == std::string::npos)
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected --header \"NAME: VALUE\" but found \"{}\"", word));
    const size_t value = word.find_first_not_of(' ', colon + 1);
    headers.emplace_back(word.substr(0, colon),
                         value == std::string::npos ? "" : word.substr(value));
  }
  return headers;
}

Result<std::optional<int64_t>> GivenDuration(const Arguments& arguments, std::string_view option,
                                             int64_t least_us) {
  if (!arguments.Has(option)) return std::nullopt;
  const std::string word = arguments.Get(option);
  const std::optional<int64_t> duration = definition::ParseDuration(word);
  if (duration.has_value() && *duration >= least_us) return duration;
  return Fail(ErrorCode::kBadDuration,
              fmt::format("Expected a duration like \"90s\" or \"2h\"{}{} for {} but found \"{}\"",
                          duration.has_value() ? ", longer than none," : "",
                          definition::DurationBound(Value(word)), option, word));
}

Result<TimeUs> GivenMoment(const Arguments& arguments, std::string_view option, TimeUs now) {
  if (!arguments.Has(option)) return TimeUs();
  const std::string word = arguments.Get(option);
  if (const std::optional<int64_t> time = projections::InstantOf(word)) {
    if (*time > now.value) return TimeUs(*time);
    return Fail(ErrorCode::kUsage,
                fmt::format("Expected a time to come for {} but found \"{}\"", option, word));
  }
  const Result<std::optional<int64_t>> duration = GivenDuration(arguments, option);
  if (duration.has_value()) return now.Plus(**duration);
  return Fail(ErrorCode::kBadDuration,
              fmt::format("Expected a duration like \"2h\"{} or a time like "
                          "\"2026-11-21T09:30:00Z\" for {} but found \"{}\"",
                          definition::DurationBound(Value(word)), option, word));
}

}  // namespace stele::cli
