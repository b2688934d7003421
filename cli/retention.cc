// `stele archive`, `stele retention`, `stele erase`: what leaves the log, and what is gone for
// good.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <type_traits>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/remote/maintenance.h"
#include "cli/remote/server_option.h"
#include "cli/removal.h"
#include "cli/searching.h"
#include "cli/settings.h"
#include "cli/text.h"
#include "engine/retention/requested.h"
#include "server/operations/reports.h"

namespace stele::cli {

namespace {

using retention::Requested;
using retention::RetentionReport;
using retention::RetentionService;

// "512MiB", "4GiB", "1000000"
Result<uint64_t> ParseSize(const std::string& word) {
  uint64_t number = 0;
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), number);
  const std::string_view unit(end, word.data() + word.size());
  constexpr std::pair<std::string_view, int> kUnits[] = {
      {"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  for (const auto& [name, shift] : kUnits)
    if (failed == std::errc() && unit == name && number <= UINT64_MAX >> shift)
      return number << shift;
  return Fail(
      ErrorCode::kUsage,
      fmt::format("Expected a size such as 512MiB or 4GiB as --keep but found \"{}\"", word));
}

Result<retention::ArchiveRange> RangeOf(const Arguments& arguments) {
  if (arguments.Has("--before") && arguments.Has("--keep"))
    return Fail(ErrorCode::kUsage, "Expected one of --before and --keep but found both");
  retention::ArchiveRange range;
  if (arguments.Has("--before")) {
    const Result<TimeUs> time = GivenPast(arguments, "--before");
    if (!time.has_value()) return std::unexpected(time.error());
    range.before = *time;
  }
  if (arguments.Has("--keep")) {
    const Result<uint64_t> size = ParseSize(arguments.Get("--keep"));
    if (!size.has_value()) return std::unexpected(size.error());
    range.keep_bytes = *size;
  }
  return range;
}

Result<Value> ArchiveData(const Arguments& arguments, const retention::ArchiveRange& range) {
  const auto store = OpenForWriting(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  const Result<Position> to = retention::EndOf(**store, kShard, range);
  if (!to.has_value()) return std::unexpected(to.error());
  const auto report = (*store)->Archive(kShard, *to);
  if (!report.has_value()) return std::unexpected(report.error());
  return server::ToJson(*report);
}

uint64_t CountIn(const Document& report, std::string_view member) {
  return static_cast<uint64_t>(report[member].whole());
}

std::string ByDefinition(const Value& report) {
  std::string text;
  const Value* definitions = report.Find("definitions");
  if (definitions == nullptr || !definitions->is_object()) return text;
  for (const Member& definition : definitions->as_object())
    text += fmt::format("{}{} of {}", text.empty() ? ": " : ", ",
                        Document(definition.value).whole(), Clean(definition.key));
  return text;
}

void PrintRetained(const Arguments& arguments, const Terminal& terminal, const Value& given) {
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(given)) + "\n");
    return;
  }
  const Document report(given);
  const std::string instances = Count(CountIn(report, "instances"), "instance");
  if (report["dry_run"].is_true()) {
    terminal.Print(fmt::format("{} would be purged{}\n", instances, ByDefinition(given)));
    return;
  }
  terminal.Print(fmt::format("purged {}{}; {} cut out, {} archived\n", instances,
                             ByDefinition(given), Count(CountIn(report, "records"), "record"),
                             Count(CountIn(report, "archived"), "record")));
}

std::vector<int64_t> NumbersIn(const Document& list) {
  std::vector<int64_t> numbers;
  for (const Value& number : list.items()) numbers.push_back(Document(number).whole());
  return numbers;
}

// Which payloads can still be read, and what takes them away.
std::string WhatStays(const std::vector<int64_t>& instances, uint64_t sent) {
  std::string text = "found payloads from before encryption was turned on, which stay as they are:";
  if (!instances.empty())
    text +=
        fmt::format(" those of {} {}; `stele retention --instance {}` cuts {} out of the log",
                    instances.size() == 1 ? "instance" : "instances", fmt::join(instances, ", "),
                    fmt::join(instances, " --instance "), instances.size() == 1 ? "it" : "them");
  if (sent > 0)
    text += fmt::format("{} those of {} of what was sent", instances.empty() ? "" : ";",
                        Count(sent, "record"));
  return text;
}

// What was erased; the exit code tells whether something can still be read.
int PrintErased(const Arguments& arguments, const Terminal& terminal, const Value& given) {
  const Document report(given);
  const std::vector<int64_t> left = NumbersIn(report["in_clear"]);
  const uint64_t sent_left = CountIn(report, "sent_in_clear");
  if (arguments.Has("--json")) {
    terminal.Print(ToPrettyJson(given) + "\n");
  } else {
    const std::vector<int64_t> erased = NumbersIn(report["erased"]);
    const std::vector<int64_t> started = NumbersIn(report["started"]);
    const uint64_t sent = CountIn(report, "sent");
    terminal.Print(
        fmt::format("erased {}{}{}{}\n", Count(erased.size(), "instance"),
                    erased.empty() ? "" : ": ", fmt::join(erased, ", "),
                    sent == 0 ? "" : fmt::format("; {} of what was sent", Count(sent, "record"))));
    terminal.PrintNote("backups that were made before still hold their keys");
    if (!started.empty())
      terminal.PrintNote(fmt::format(
          "instance{} {} had been started by what was erased and kept what came with it; `stele "
          "erase --instance {}` erases it, when {} ended",
          started.size() == 1 ? "" : "s", fmt::join(started, ", "),
          fmt::join(started, " --instance "), started.size() == 1 ? "it has" : "they have"));
  }
  if (left.empty() && sent_left == 0) return kExitDone;
  terminal.PrintError({ErrorCode::kUnsupported,
                       "Expected payloads that are encrypted but " + WhatStays(left, sent_left)});
  return kExitFailed;
}

// --instance, --subject and --reason.
Result<Requested> RequestedOf(const Arguments& arguments) {
  Requested requested{.instances = {},
                      .subject = arguments.Get("--subject"),
                      .reason = arguments.Get("--reason"),
                      .asker = {}};
  if (arguments.Has("--subject") && requested.subject.empty())
    return Fail(ErrorCode::kUsage, "Expected a key behind --subject but found an empty text");
  for (const std::string& word : arguments.All("--instance")) {
    const auto id = ParseInstanceId(word);
    if (!id.has_value()) return std::unexpected(id.error());
    requested.instances.push_back(*id);
  }
  return requested;
}

// In the data directory; nothing: it was interrupted. The actor is who opened it.
template <class Work>
auto RemoveThere(const Arguments& arguments, const Terminal& terminal, Work work)
    -> Result<std::optional<typename std::invoke_result_t<Work, RetentionService&>::value_type>> {
  Removal removal(terminal);
  STELE_RETURN_IF_ERROR(removal.Open(arguments));
  std::optional<std::invoke_result_t<Work, RetentionService&>> answer;
  RetentionReport finished;
  const Status done = removal.Run([&](RetentionService& service) {
    finished = service.finished();
    if (finished.records != 0)
      if (const Status scrubbed = service.Scrub(finished.purged); !scrubbed.has_value()) {
        answer = std::unexpected(scrubbed.error());
        return;
      }
    answer = work(service);
  });
  if (finished.records != 0)
    terminal.PrintNote(fmt::format("{} of a purge that had been cut off {} purged now; {} cut out",
                                   Count(finished.instances, "instance"),
                                   finished.instances == 1 ? "is" : "are",
                                   Count(finished.records, "record")));
  if (!done.has_value()) return std::unexpected(done.error());
  if (!answer.has_value()) return std::nullopt;
  if (!answer->has_value()) return std::unexpected(answer->error());
  return **answer;
}

Result<Value> PolicyOf(const Arguments& arguments) {
  if (IsForServer(arguments)) return PolicyAtServer(arguments);
  const std::string data = arguments.Get("--data", kDefaultData);
  STELE_RETURN_IF_ERROR(RequireData(data));
  const auto policy = ReadRetention(data);
  if (!policy.has_value()) return std::unexpected(policy.error());
  return server::ToJson(*policy);
}

int ShowPolicy(const Arguments& arguments, const Terminal& terminal) {
  for (const char* option : {"--dry-run", "--instance", "--subject", "--reason"})
    if (arguments.Has(option))
      return Refuse(
          terminal,
          {ErrorCode::kUsage, fmt::format("Expected --show alone but found {} beside it", option)});
  const auto given = PolicyOf(arguments);
  if (!given.has_value()) return Refuse(terminal, given.error());
  if (arguments.Has("--json")) {
    terminal.Print(ToPrettyJson(*given) + "\n");
    return kExitDone;
  }
  const Document policy(*given);
  const auto lasts = [&](std::string_view member, const char* never) {
    const double seconds = policy[member].number();
    return seconds == 0 ? std::string(never) : Duration(static_cast<int64_t>(seconds * 1e6));
  };
  const int64_t bytes = policy["hot_log_bytes"].whole();
  terminal.Print(Table({{"ended instances are kept", lasts("closed", "for ever")},
                        {"records are archived after", lasts("archive_after", "never")},
                        {"bytes of the hot log", bytes == 0 ? "any" : fmt::format("{}", bytes)},
                        {"a server looks every", lasts("every", "-")}}));
  return kExitDone;
}

}  // namespace

int Archive(const Arguments& arguments, const Terminal& terminal) {
  const auto range = RangeOf(arguments);
  if (!range.has_value()) return Refuse(terminal, range.error());
  const auto given =
      IsForServer(arguments) ? ArchiveAtServer(arguments, *range) : ArchiveData(arguments, *range);
  if (!given.has_value()) return Refuse(terminal, given.error());
  if (arguments.Has("--json")) {
    terminal.Print(ToPrettyJson(*given) + "\n");
    return kExitDone;
  }
  const Document report(*given);
  terminal.Print(fmt::format("archived {}; the archive ends at position {}\n",
                             Count(CountIn(report, "records"), "record"),
                             CountIn(report, "archived_to")));
  return kExitDone;
}

int Retain(const Arguments& arguments, const Terminal& terminal) {
  if (arguments.Has("--show")) return ShowPolicy(arguments, terminal);
  const auto requested = RequestedOf(arguments);
  if (!requested.has_value()) return Refuse(terminal, requested.error());
  const bool dry = arguments.Has("--dry-run");
  if (IsForServer(arguments)) {
    const auto report = RetainAtServer(arguments, *requested, dry);
    if (!report.has_value()) return Refuse(terminal, report.error());
    PrintRetained(arguments, terminal, *report);
    return kExitDone;
  }
  const auto report = RemoveThere(arguments, terminal, [&](RetentionService& service) {
    return retention::Retain(service, *requested, dry);
  });
  if (!report.has_value()) return Refuse(terminal, report.error());
  if (!report->has_value()) return kExitInterrupted;
  PrintRetained(arguments, terminal, server::ToJson(**report, dry));
  return kExitDone;
}

int Erase(const Arguments& arguments, const Terminal& terminal) {
  if (arguments.All("--instance").empty() == !arguments.Has("--subject"))
    return Refuse(terminal, {ErrorCode::kUsage, "Expected --instance or --subject, one of them"});
  const auto requested = RequestedOf(arguments);
  if (!requested.has_value()) return Refuse(terminal, requested.error());
  const auto refuse = [&](Error error) {
    if (error.code == ErrorCode::kUnsupported)
      error.message += "; `stele retention --instance ID` cuts an instance out of the log instead";
    return Refuse(terminal, error);
  };
  if (IsForServer(arguments)) {
    const auto report = EraseAtServer(arguments, *requested);
    return report.has_value() ? PrintErased(arguments, terminal, *report) : refuse(report.error());
  }
  const auto report = RemoveThere(arguments, terminal, [&](RetentionService& service) {
    return retention::Erase(service, *requested);
  });
  if (!report.has_value()) return refuse(report.error());
  if (!report->has_value()) return kExitInterrupted;
  return PrintErased(arguments, terminal, server::ToJson(**report));
}

}  // namespace stele::cli
