// `stele export`: what happened, in the formats of others.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/export_file.h"
#include "cli/export_traces.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/questions.h"
#include "cli/remote/server_option.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "replay/export/cloud_events.h"
#include "replay/export/instance_walk.h"
#include "replay/export/json_lines.h"
#include "replay/export/line_schema.h"
#include "replay/export/log_walk.h"
#include "replay/export/trace_walk.h"
#include "replay/moment.h"

namespace stele::cli {

namespace {

using replay::ExportCounts;
using replay::InstanceDefinitions;
using replay::InstanceWalk;
using replay::RecordFormat;

enum class Format : uint8_t { kJsonLines, kCloudEvents, kXes, kOcel };

struct Asked {
  Format format = Format::kJsonLines;
  std::optional<projections::Query> query;  // nothing: all instances, and the registry
  replay::TimeRange times;
  std::string partial;  // why it is no whole log; empty: it is
  std::string source;   // of CloudEvents
  bool payloads = true;
  bool at_server = false;

  // Instances are looked up one after the other, rather than along the log.
  bool by_instance() const { return at_server || query.has_value(); }
  bool has_traces() const { return format == Format::kXes || format == Format::kOcel; }
};

Result<Format> FormatOf(const Arguments& arguments) {
  constexpr std::array<std::string_view, 4> kNames{"jsonl", "cloudevents", "xes", "ocel"};
  const std::string name = arguments.Get("--format", "jsonl");
  const auto found = std::ranges::find(kNames, name);
  if (found != kNames.end()) return static_cast<Format>(found - kNames.begin());
  return Fail(
      ErrorCode::kUsage,
      fmt::format("Expected jsonl, cloudevents, xes or ocel for --format but found \"{}\"", name));
}

// Whether it is of the characters that RFC 3986 has for a URI.
bool MayBeUri(std::string_view text) {
  constexpr std::string_view kOthers = "-._~:/?#[]@!$&'()*+,;=%";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kOthers.contains(c);
  });
}

Result<Asked> AskedOf(const Arguments& arguments) {
  Asked asked;
  const auto format = FormatOf(arguments);
  if (!format.has_value()) return std::unexpected(format.error());
  asked.format = *format;
  if (arguments.Has("--query")) {
    auto query = GivenQuery(arguments, "--query");
    if (!query.has_value()) return std::unexpected(query.error());
    asked.query = *std::move(query);
  }
  asked.payloads = !arguments.Has("--no-payloads");
  asked.at_server = IsForServer(arguments);
  if (arguments.Has("--since")) {
    const auto since = GivenPast(arguments, "--since");
    if (!since.has_value()) return std::unexpected(since.error());
    asked.times.since = *since;
  }
  if (arguments.Has("--until")) {
    const auto until = GivenPast(arguments, "--until");
    if (!until.has_value()) return std::unexpected(until.error());
    asked.times.until = TimeUs(until->value - 1);
  }
  asked.source = arguments.Get("--source", "/stele");
  if (!MayBeUri(asked.source))
    return Fail(
        ErrorCode::kUsage,
        fmt::format("Expected a URI reference for --source but found \"{}\"", asked.source));
  for (const std::string_view option : {"--query", "--since", "--until", "--no-payloads"})
    if (arguments.Has(option))
      asked.partial += (asked.partial.empty() ? "" : " ") + std::string(option);
  if (asked.partial.empty() && asked.at_server) asked.partial = "it is read from a server";
  return asked;
}

// Tells on a terminal how far it is, twice a second at most.
class Progress {
 public:
  Progress() : shows_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (shown_) Put("\r\x1b[K");
  }
  void operator()(std::string_view what, uint64_t at, uint64_t end) {
    if (!shows_) return;
    const TimeUs now = SystemClock().Now();
    if (shown_ && std::abs(now.value - last_.value) < kBetweenUs) return;
    shown_ = true;
    last_ = now;
    Put(end == 0 ? fmt::format("\r\x1b[Kexporting: {} {}", what, at)
                 : fmt::format("\r\x1b[Kexporting: {} {} of {}", what, at, end));
  }

 private:
  static constexpr int64_t kBetweenUs = 500'000;

  static void Put(std::string_view text) { (void)!write(STDERR_FILENO, text.data(), text.size()); }

  const bool shows_;
  bool shown_ = false;
  TimeUs last_;
};

replay::WriteText Into(ExportFile& file) {
  return [&file](std::string_view text) { return file.Write(text); };
}

// The whole log of a directory, or what is of a time.
Result<ExportCounts> ExportLog(const Arguments& arguments, const Asked& asked, ExportFile& file) {
  const auto store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  const replay::StoreSource source(**store, kShard);
  const auto registry = replay::ReadRegistry(source);
  if (!registry.has_value()) return std::unexpected(registry.error());
  InstanceDefinitions definitions(source, *registry);
  const eventstore::LogTail tail = (*store)->Tail(kShard);
  const bool whole = asked.partial.empty();
  const bool lines = asked.format == Format::kJsonLines;

  Progress progress;
  replay::LogWalk walk{
      .shard = kShard,
      .from = Position(1),
      .end = tail.next,
      .payloads = asked.payloads,
      .threads = std::max(std::thread::hardware_concurrency(), 1u),
      .make_format = nullptr,
      .progress = [&](Position at) { progress("position", at.value - 1, tail.next.value - 1); }};
  if (asked.times.since != replay::TimeRange().since) {
    const auto before = replay::PositionAt(**store, kShard, TimeUs(asked.times.since.value - 1));
    if (!before.has_value()) return std::unexpected(before.error());
    walk.from = before->Next();
  }
  if (asked.times.until != replay::TimeRange().until) {
    const auto last = replay::PositionAt(**store, kShard, asked.times.until);
    if (!last.has_value()) return std::unexpected(last.error());
    walk.end = last->Next();
  }
  walk.make_format = [&]() -> std::unique_ptr<RecordFormat> {
    if (lines) return std::make_unique<replay::JsonLines>(whole);
    return std::make_unique<replay::CloudEvents>(asked.source);
  };
  std::string text;
  if (lines) {
    replay::WriteHead(
        {.shard = kShard, .sealed = (*store)->payload_keys() != nullptr, .partial = asked.partial},
        text);
    STELE_RETURN_IF_ERROR(file.Write(text));
  }
  const auto counts = replay::WalkLog(**store, definitions, walk, Into(file));
  if (!counts.has_value() || !lines) return counts;
  text.clear();
  replay::WriteEnd(*counts, whole ? &tail.hash : nullptr, text);
  STELE_RETURN_IF_ERROR(file.Write(text));
  return counts;
}

// All instances of a directory, as each has ended.
Result<ExportCounts> ExportTraces(const Arguments& arguments, const Asked& asked,
                                  ExportFile& file) {
  const auto store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  const replay::StoreSource source(**store, kShard);
  const auto registry = replay::ReadRegistry(source);
  if (!registry.has_value()) return std::unexpected(registry.error());
  InstanceDefinitions definitions(source, *registry);
  const Position end = (*store)->NextPosition(kShard);
  Progress progress;
  const replay::TraceWalk walk{
      .shard = kShard,
      .end = end,
      .times = asked.times,
      .payloads = asked.payloads,
      .progress = [&](Position at) { progress("position", at.value, end.value - 1); }};
  ExportCounts counts;
  const TraceSource traces{
      .traces = [&](replay::TraceFormat& format) -> Status {
        const auto given = replay::WalkTraces(**store, definitions, walk, format, Into(file));
        if (!given.has_value()) return std::unexpected(given.error());
        counts = *given;
        return {};
      },
      .objects =
          [&](RecordFormat& format) {
            return replay::WalkRecords(**store, definitions, walk, format, Into(file));
          },
      // What was purged is not.
      .has = [&](InstanceId id) { return (*store)->ReadInstance(kShard, id, Seq(1)).has_value(); }};
  const Status written =
      asked.format == Format::kXes ? WriteXes(traces, file) : WriteOcel(traces, *registry, file);
  if (!written.has_value()) return std::unexpected(written.error());
  return counts;
}

// The instances that a query finds, or all of them; the registry is none.
class ChosenInstances {
 public:
  using Visit = std::function<Status(InstanceId)>;

  ChosenInstances(Questions& questions, const Asked& asked)
      : questions_(questions), asked_(asked) {}

  Status ForEach(const Visit& visit) {
    projections::SearchRequest request{.query = asked_.query.value_or(projections::Query()),
                                       .sort = "started",
                                       .cursor = {},
                                       .limit = projections::kMaxPageRows,
                                       .now = {},
                                       .course = {}};
    do {
      auto page = questions_.Find<projections::InstanceRow>(request);
      if (!page.has_value()) return std::unexpected(page.error());
      std::vector<InstanceId> instances;
      for (const projections::InstanceRow& row : page->rows) instances.push_back(row.id);
      STELE_RETURN_IF_ERROR(ForEachOf(instances, visit));
      request.cursor = std::move(page->next);
    } while (!request.cursor.empty());
    return {};
  }

  // Of those that were found before: a server's go on meanwhile, and may fit no more.
  Status ForEachOf(std::span<const InstanceId> instances, const Visit& visit) {
    for (size_t at = 0; at < instances.size(); ++at) {
      if (at % kAskedAhead == 0)
        questions_.source().Expect(
            instances.subspan(at, std::min(kAskedAhead, instances.size() - at)));
      STELE_RETURN_IF_ERROR(visit(instances[at]));
    }
    return {};
  }

 private:
  Questions& questions_;
  const Asked& asked_;
};

// `lines`: gives records one after the other; `counts`: what was given.
Status WriteFormat(const Arguments& arguments, const Asked& asked, const model::Registry& registry,
                   const std::function<Status(RecordFormat&)>& lines, const TraceSource& traces,
                   const std::function<ExportCounts()>& counts, ExportFile& file) {
  switch (asked.format) {
    case Format::kJsonLines: {
      std::string text;
      replay::WriteHead({.shard = kShard, .sealed = false, .partial = asked.partial}, text);
      STELE_RETURN_IF_ERROR(file.Write(text));
      replay::JsonLines format(/*whole=*/false);
      STELE_RETURN_IF_ERROR(lines(format));
      text.clear();
      replay::WriteEnd(counts(), nullptr, text);
      return file.Write(text);
    }
    case Format::kCloudEvents: {
      replay::CloudEvents format(asked.source);
      return lines(format);
    }
    case Format::kXes:
      return WriteXes(traces, file);
    case Format::kOcel:
      return WriteOcel(traces, registry, file);
  }
  CHECK(false, "a format of number {}", static_cast<int>(asked.format));
}

// By instance: of a query, or of a server.
Result<ExportCounts> ExportInstances(const Arguments& arguments, const Terminal& terminal,
                                     const Asked& asked, ExportFile& file) {
  const auto questions = AskViews(arguments, terminal, "instances");
  if (!questions.has_value()) return std::unexpected(questions.error());
  const Source& source = (*questions)->source();
  const auto registry = replay::ReadRegistry(source);
  if (!registry.has_value()) return std::unexpected(registry.error());
  InstanceDefinitions definitions(source, *registry);
  ChosenInstances chosen(**questions, asked);
  InstanceWalk walk(source, definitions, asked.times, asked.payloads);
  InstanceWalk objects(source, definitions, {}, /*payloads=*/false);
  const replay::WriteText into = Into(file);
  Progress progress;
  uint64_t done = 0;
  std::vector<InstanceId> given;  // for OCEL, which has two parts
  const TraceSource traces{
      .traces =
          [&](replay::TraceFormat& format) {
            return chosen.ForEach([&](InstanceId instance) -> Status {
              progress("instance", ++done, 0);
              if (asked.format == Format::kOcel) given.push_back(instance);
              format.BeginTrace(instance);
              STELE_RETURN_IF_ERROR(walk.Walk(instance, format, into));
              std::string end;
              format.EndTrace(end);
              return file.Write(end);
            });
          },
      .objects =
          [&](RecordFormat& format) {
            std::ranges::sort(given);
            return chosen.ForEachOf(given, [&](InstanceId instance) {
              progress("objects of instance", instance.value, 0);
              return objects.Walk(instance, format, into);
            });
          },
      .has = [&](InstanceId id) { return std::ranges::binary_search(given, id); }};
  const auto lines = [&](RecordFormat& format) -> Status {
    if (!asked.query.has_value()) STELE_RETURN_IF_ERROR(walk.Walk(InstanceId(), format, into));
    return chosen.ForEach([&](InstanceId instance) {
      progress("instance", ++done, 0);
      return walk.Walk(instance, format, into);
    });
  };
  const Status written =
      WriteFormat(arguments, asked, *registry, lines, traces, [&] { return walk.counts(); }, file);
  if (!written.has_value()) return std::unexpected(written.error());
  return walk.counts();
}

// What was written, on standard error unless it is asked for as JSON: standard output may be it.
void Tell(const Arguments& arguments, const Terminal& terminal, const ExportCounts& counts,
          const ExportFile& file) {
  if (arguments.Has("--json")) {
    terminal.Print(ToPrettyJson(Object{{"output", arguments.Get("--output")},
                                       {"records", static_cast<int64_t>(counts.records)},
                                       {"events", static_cast<int64_t>(counts.events)},
                                       {"purged", static_cast<int64_t>(counts.purged)},
                                       {"bytes", static_cast<int64_t>(file.bytes())}}) +
                   "\n");
    return;
  }
  std::string sentence = fmt::format("exported: {} of {}, {} bytes", Count(counts.events, "event"),
                                     Count(counts.records, "record"), file.bytes());
  if (counts.purged > 0)
    sentence += fmt::format("; {} were purged before", Count(counts.purged, "record"));
  terminal.PrintNote(sentence);
}

}  // namespace

int Export(const Arguments& arguments, const Terminal& terminal) {
  if (arguments.Has("--schema")) {
    terminal.Print(ToPrettyJson(replay::LineSchema()) + "\n");
    return kExitDone;
  }
  if (arguments.Has("--json") && !arguments.Has("--output"))
    return Refuse(terminal, {ErrorCode::kUsage,
                             "Expected --output FILE with --json, for standard output is the "
                             "export itself, but found none"});
  const auto asked = AskedOf(arguments);
  if (!asked.has_value()) return Refuse(terminal, asked.error());
  const auto file = ExportFile::Open(arguments.Get("--output"));
  if (!file.has_value()) return Refuse(terminal, file.error());
  const auto counts = asked->by_instance()  ? ExportInstances(arguments, terminal, *asked, **file)
                      : asked->has_traces() ? ExportTraces(arguments, *asked, **file)
                                            : ExportLog(arguments, *asked, **file);
  if (!counts.has_value()) return Refuse(terminal, counts.error());
  if (const Status finished = (*file)->Finish(); !finished.has_value())
    return Refuse(terminal, finished.error());
  Tell(arguments, terminal, *counts, **file);
  return kExitDone;
}

}  // namespace stele::cli
