// `stele archive`, `stele retention`, `stele erase`: what leaves the log, and what is gone for
// good.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <set>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/json_report.h"
#include "cli/open_data.h"
#include "cli/operation.h"
#include "cli/removal.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "engine/retention/tiering.h"
#include "projections/views/instance_row.h"

namespace stele::cli {

namespace {

using retention::ErasureReport;
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

Result<Position> ArchiveEnd(const Arguments& arguments, const eventstore::EventStore& store) {
  if (arguments.Has("--before") && arguments.Has("--keep"))
    return Fail(ErrorCode::kUsage, "Expected one of --before and --keep but found both");
  if (arguments.Has("--before")) {
    const Result<TimeUs> time = GivenPast(arguments, "--before");
    if (!time.has_value()) return std::unexpected(time.error());
    return retention::FirstNotBefore(store, kShard, *time);
  }
  if (!arguments.Has("--keep")) return store.NextPosition(kShard);
  const Result<uint64_t> size = ParseSize(arguments.Get("--keep"));
  if (!size.has_value()) return std::unexpected(size.error());
  return retention::FirstWithin(store, kShard, *size);
}

Value Whole(uint64_t number) {
  return static_cast<int64_t>(number);
}

std::string ByDefinition(const RetentionReport& report) {
  std::string text;
  for (const auto& [name, count] : report.definitions)
    text += fmt::format("{}{} of {}", text.empty() ? ": " : ", ", count, Clean(name));
  return text;
}

void Print(const Arguments& arguments, const Terminal& terminal, const RetentionReport& report) {
  const bool dry = arguments.Has("--dry-run");
  if (arguments.Has("--json")) {
    Object definitions;
    for (const auto& [name, count] : report.definitions) definitions.Set(name, Whole(count));
    Object document{{"dry_run", dry},
                    {"instances", Whole(report.instances)},
                    {"definitions", std::move(definitions)}};
    if (!dry) {
      document.Set("records", Whole(report.records));
      document.Set("archived", Whole(report.archived));
    }
    terminal.Print(CleanJson(ToPrettyJson(std::move(document))) + "\n");
    return;
  }
  if (dry) {
    terminal.Print(fmt::format("{} would be purged{}\n", Count(report.instances, "instance"),
                               ByDefinition(report)));
    return;
  }
  terminal.Print(fmt::format("purged {}{}; {} cut out, {} archived\n",
                             Count(report.instances, "instance"), ByDefinition(report),
                             Count(report.records, "record"), Count(report.archived, "record")));
}

std::vector<uint64_t> NumbersOf(const std::vector<InstanceId>& ids) {
  std::vector<uint64_t> numbers;
  for (const InstanceId id : ids) numbers.push_back(id.value);
  return numbers;
}

Array ToJson(const std::vector<InstanceId>& ids) {
  Array list;
  for (const InstanceId id : ids) list.push_back(Whole(id.value));
  return list;
}

// Which payloads can still be read, and what takes them away.
std::string WhatStays(const retention::InClear& left) {
  std::string text = "found payloads from before encryption was turned on, which stay as they are:";
  if (!left.instances.empty())
    text += fmt::format(" those of {} {}; `stele retention --instance {}` cuts {} out of the log",
                        left.instances.size() == 1 ? "instance" : "instances",
                        fmt::join(NumbersOf(left.instances), ", "),
                        fmt::join(NumbersOf(left.instances), " --instance "),
                        left.instances.size() == 1 ? "it" : "them");
  if (!left.registry.empty())
    text += fmt::format("{} those of {} of what was sent", left.instances.empty() ? "" : ";",
                        Count(left.registry.size(), "record"));
  return text;
}

void Print(const Arguments& arguments, const Terminal& terminal, const ErasureReport& report) {
  const retention::InClear& left = report.in_clear;
  if (arguments.Has("--json")) {
    Object document{{"erased", ToJson(report.instances)}, {"sent", Whole(report.sent)}};
    if (!left.instances.empty()) document.Set("in_clear", ToJson(left.instances));
    if (!left.registry.empty()) document.Set("sent_in_clear", Whole(left.registry.size()));
    if (!report.started.empty()) document.Set("started", ToJson(report.started));
    terminal.Print(ToPrettyJson(std::move(document)) + "\n");
  } else {
    terminal.Print(fmt::format(
        "erased {}{}{}{}\n", Count(report.instances.size(), "instance"),
        report.instances.empty() ? "" : ": ", fmt::join(NumbersOf(report.instances), ", "),
        report.sent == 0 ? ""
                         : fmt::format("; {} of what was sent", Count(report.sent, "record"))));
    terminal.PrintNote("backups that were made before still hold their keys");
    if (!report.started.empty())
      terminal.PrintNote(fmt::format(
          "instance{} {} had been started by what was erased and kept what came with it; `stele "
          "erase --instance {}` erases it, when {} ended",
          report.started.size() == 1 ? "" : "s", fmt::join(NumbersOf(report.started), ", "),
          fmt::join(NumbersOf(report.started), " --instance "),
          report.started.size() == 1 ? "it has" : "they have"));
  }
  if (!left.instances.empty() || !left.registry.empty())
    terminal.PrintError(
        {ErrorCode::kUnsupported, "Expected payloads that are encrypted but " + WhatStays(left)});
}

// Those whose business key is KEY, or that have the tag `subject:KEY`.
Result<std::vector<InstanceId>> InstancesOfSubject(const projections::ViewReader& reader,
                                                   const std::string& key) {
  std::set<InstanceId> found;
  for (const auto& [field, value] :
       {std::pair<std::string_view, std::string>("key", key), {"tag", "subject:" + key}}) {
    projections::SearchRequest request;
    projections::AddCondition(request.query, field, {value});
    request.limit = projections::kMaxPageRows;
    do {
      auto page = projections::Find<projections::InstanceRow>(reader, request);
      if (!page.has_value()) return std::unexpected(page.error());
      for (const projections::InstanceRow& row : page->rows) found.insert(row.id);
      request.cursor = std::move(page->next);
    } while (!request.cursor.empty());
  }
  if (!found.empty()) return std::vector<InstanceId>(found.begin(), found.end());
  return Fail(ErrorCode::kUnknownInstance,
              fmt::format("Expected instances with the business key or the tag `subject:` \"{}\" "
                          "but found none",
                          key));
}

// --instance and --subject.
Result<std::vector<InstanceId>> NamedInstances(const Arguments& arguments, Removal& removal,
                                               RetentionService& service) {
  std::vector<InstanceId> named;
  for (const std::string& word : arguments.All("--instance")) {
    const auto id = ParseInstanceId(word);
    if (!id.has_value()) return std::unexpected(id.error());
    named.push_back(*id);
  }
  if (!arguments.Has("--subject")) return named;
  STELE_RETURN_IF_ERROR(service.CatchUp());
  const auto reader = removal.views().Read("instances");
  if (!reader.has_value()) return std::unexpected(reader.error());
  const auto subject = InstancesOfSubject(*reader, arguments.Get("--subject"));
  if (!subject.has_value()) return std::unexpected(subject.error());
  named.insert(named.end(), subject->begin(), subject->end());
  return named;
}

}  // namespace

int Archive(const Arguments& arguments, const Terminal& terminal) {
  const auto store = OpenForWriting(arguments);
  if (!store.has_value()) return Refuse(terminal, store.error());
  const Result<Position> to = ArchiveEnd(arguments, **store);
  if (!to.has_value()) return Refuse(terminal, to.error());
  const auto report = (*store)->Archive(kShard, *to);
  if (!report.has_value()) return Refuse(terminal, report.error());
  if (arguments.Has("--json")) {
    terminal.Print(ToPrettyJson(Object{{"records", Whole(report->records)},
                                       {"segments", Whole(report->segments)},
                                       {"bytes", Whole(report->file_bytes)},
                                       {"archived_to", Whole(report->end.value - 1)}}) +
                   "\n");
    return kExitDone;
  }
  terminal.Print(fmt::format("archived {}; the archive ends at position {}\n",
                             Count(report->records, "record"), report->end.value - 1));
  return kExitDone;
}

int Retain(const Arguments& arguments, const Terminal& terminal) {
  Removal removal(terminal);
  if (const Status opened = removal.Open(arguments); !opened.has_value())
    return Refuse(terminal, opened.error());
  const bool dry = arguments.Has("--dry-run");
  std::optional<Result<RetentionReport>> report;
  RetentionReport finished;
  const Status done = removal.Run([&](RetentionService& service) {
    finished = service.finished();
    const auto named = NamedInstances(arguments, removal, service);
    if (!named.has_value()) {
      report = std::unexpected(named.error());
    } else if (named->empty()) {
      report = service.Run(dry);
    } else {
      report = service.PurgeNamed(*named, arguments.Get("--reason"), dry);
    }
    for (const RetentionReport& purge : {finished, report->value_or(RetentionReport())})
      if (purge.records != 0)
        if (const Status scrubbed = service.Scrub(purge.purged); !scrubbed.has_value())
          report = std::unexpected(scrubbed.error());
  });
  if (finished.records != 0)
    terminal.PrintNote(fmt::format("{} of a purge that had been cut off {} purged now; {} cut out",
                                   Count(finished.instances, "instance"),
                                   finished.instances == 1 ? "is" : "are",
                                   Count(finished.records, "record")));
  if (!done.has_value()) return Refuse(terminal, done.error());
  if (!report.has_value()) return kExitInterrupted;
  if (!report->has_value()) return Refuse(terminal, report->error());
  Print(arguments, terminal, **report);
  return kExitDone;
}

int Erase(const Arguments& arguments, const Terminal& terminal) {
  if (arguments.All("--instance").empty() == !arguments.Has("--subject"))
    return Refuse(terminal, {ErrorCode::kUsage, "Expected --instance or --subject, one of them"});
  Removal removal(terminal);
  if (const Status opened = removal.Open(arguments); !opened.has_value())
    return Refuse(terminal, opened.error());
  std::optional<Result<ErasureReport>> erased;
  const Status done = removal.Run([&](RetentionService& service) {
    const auto named = NamedInstances(arguments, removal, service);
    // Nobody has the key: messages may.
    const bool none = !named.has_value() && named.error().code == ErrorCode::kUnknownInstance &&
                      arguments.Has("--subject");
    if (!named.has_value() && !none) {
      erased = std::unexpected(named.error());
      return;
    }
    erased = service.Erase(named.value_or(std::vector<InstanceId>()), arguments.Get("--subject"),
                           arguments.Get("--reason"));
    if (none && erased->has_value() && (*erased)->sent == 0)
      erased = std::unexpected(named.error());
  });
  if (!done.has_value()) return Refuse(terminal, done.error());
  if (!erased.has_value()) return kExitInterrupted;
  if (!erased->has_value()) {
    Error error = erased->error();
    if (error.code == ErrorCode::kUnsupported)
      error.message += "; `stele retention --instance ID` cuts an instance out of the log instead";
    return Refuse(terminal, error);
  }
  Print(arguments, terminal, **erased);
  const retention::InClear& left = (*erased)->in_clear;
  return left.instances.empty() && left.registry.empty() ? kExitDone : kExitFailed;
}

}  // namespace stele::cli
