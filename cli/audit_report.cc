// `stele audit report`: who did what to which instance.
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/remote/remote.h"
#include "cli/remote/server_option.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "replay/audit/deed_reader.h"
#include "replay/audit/deed_text.h"
#include "replay/history.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

using replay::Deed;
using replay::DeedFilter;

constexpr uint32_t kDeedsAtOnce = 1'000;  // of a server

// Deeds are printed as they come, so that a long log takes no more memory than a short one.
using TellDeed = std::function<void(const Deed& deed)>;

Result<DeedFilter> FilterOf(const Arguments& arguments) {
  DeedFilter filter{.instance = {},
                    .definition = arguments.Get("--definition"),
                    .actor = arguments.Get("--actor"),
                    .since = {},
                    .until = {},
                    .kinds = {},
                    .all = arguments.Has("--all")};
  if (arguments.Has("--instance")) {
    const auto id = ParseInstanceId(arguments.Get("--instance"));
    if (!id.has_value()) return std::unexpected(id.error());
    filter.instance = *id;
  }
  for (const auto& [option, moment] :
       {std::pair("--since", &filter.since), std::pair("--until", &filter.until)}) {
    if (!arguments.Has(option)) continue;
    const auto given = GivenPast(arguments, option);
    if (!given.has_value()) return std::unexpected(given.error());
    *moment = *given;
  }
  for (const std::string& word : arguments.All("--kind")) {
    const auto kind = replay::FindDeedKind(word);
    if (!kind.has_value())
      return Fail(ErrorCode::kUsage, fmt::format("Expected one of {} for --kind but found \"{}\"",
                                                 replay::DeedKindNames(), Clean(word)));
    filter.kinds.push_back(*kind);
  }
  if (arguments.Has("--denied")) filter.kinds.push_back(replay::DeedKind::kDenied);
  return filter;
}

Status ReadThere(const Arguments& arguments, const DeedFilter& filter, const TellDeed& tell) {
  const auto store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  auto registry = replay::ReadRegistry(**store, kShard);
  if (!registry.has_value()) return std::unexpected(registry.error());
  replay::DeedReader reader(**store, kShard, filter,
                            std::make_shared<const model::Registry>(*std::move(registry)),
                            (*store)->NextPosition(kShard));
  for (;;) {
    const auto deed = reader.Next();
    if (!deed.has_value()) return std::unexpected(deed.error());
    if (!deed->has_value()) return {};
    tell(**deed);
  }
}

Status ReadAtServer(const Arguments& arguments, const DeedFilter& filter, const TellDeed& tell) {
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  std::string from;
  do {
    auto request = (*server)->session().logRequest().send().getLog().reportRequest();
    auto asked = request.initFilter();
    asked.setInstance(filter.instance.value);
    asked.setDefinition(server::rpc::TextOf(filter.definition));
    asked.setActor(server::rpc::TextOf(filter.actor));
    asked.setSince(filter.since.value);
    asked.setUntil(filter.until.value);
    auto kinds = asked.initKinds(static_cast<unsigned>(filter.kinds.size()));
    for (unsigned i = 0; i < kinds.size(); ++i)
      kinds.set(i, server::rpc::TextOf(std::string(replay::DeedKindName(filter.kinds[i]))));
    asked.setAll(filter.all);
    request.setFrom(server::rpc::TextOf(from));
    request.setLimit(kDeedsAtOnce);
    const auto page = (*server)->Wait(request.send());
    if (!page.has_value()) return std::unexpected(page.error());
    for (const auto text : page->getDeeds()) {
      const auto document = ParseJson({text.begin(), text.size()}, nullptr, kWrittenJson);
      if (!document.has_value()) return std::unexpected(document.error());
      const auto deed = replay::ParseDeed(*document);
      if (!deed.has_value()) return std::unexpected(deed.error());
      tell(*deed);
    }
    from = page->getNext().cStr();
  } while (!from.empty());
  return {};
}

// Whom the text names, where there is nobody.
std::string WhoIs(const Deed& deed) {
  if (!deed.actor.empty()) return Clean(deed.actor);
  return deed.kind == replay::DeedKind::kDenied ? "somebody" : "the engine";
}

// What was done, to what, and what came of it.
std::string SentenceOf(const Deed& deed) {
  const bool denied = deed.kind == replay::DeedKind::kDenied;
  std::string sentence = denied ? "was denied " : "";
  sentence += Clean(deed.action);
  if (deed.instance) sentence += fmt::format(" instance {}", deed.instance.value);
  if (!deed.definition.empty())
    sentence += fmt::format("{}{}", deed.instance ? " of " : " ", Clean(deed.definition));
  if (!deed.target.empty()) sentence += fmt::format(" ({})", Clean(deed.target));
  const bool says_more = deed.outcome != "done" && deed.outcome != "denied";
  return says_more ? fmt::format("{}: {}", sentence, Clean(deed.outcome)) : sentence;
}

// When, who and what; below it from where, the place in the log, and why.
std::string TextOf(const Terminal& terminal, const Deed& deed) {
  std::string place =
      fmt::format("{}{}record {}, event {}", Clean(deed.source), deed.source.empty() ? "" : ", ",
                  deed.position.value, deed.seq.value);
  if (deed.erased) place += ", erased";
  std::string text = fmt::format("{}  {}  {}\n    {}\n", Time(deed.time),
                                 terminal.Paint(Colour::kBold, WhoIs(deed)), SentenceOf(deed),
                                 terminal.Paint(Colour::kDim, place));
  if (!deed.reason.empty()) text += fmt::format("    reason: {}\n", Clean(deed.reason));
  return text;
}

enum class Format : uint8_t { kText, kJson, kCsv };

Result<Format> FormatOf(const Arguments& arguments) {
  const std::string word = arguments.Get("--format", arguments.Has("--json") ? "json" : "text");
  if (word == "text") return Format::kText;
  if (word == "json") return Format::kJson;
  if (word == "csv") return Format::kCsv;
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected text, json or csv for --format but found \"{}\"", Clean(word)));
}

// Prints deeds in a form, one after the other.
class Printer {
 public:
  Printer(const Terminal& terminal, Format format) : terminal_(terminal), format_(format) {
    if (format_ == Format::kJson) terminal_.Print("{\"deeds\": [");
    if (format_ == Format::kCsv) terminal_.Print(replay::CsvHead());
  }

  void Print(const Deed& deed) {
    switch (format_) {
      case Format::kText:
        terminal_.Print(TextOf(terminal_, deed));
        break;
      case Format::kJson:
        terminal_.Print((count_ == 0 ? "\n  " : ",\n  ") +
                        CleanJson(ToJson(Value(replay::ToJson(deed)))));
        break;
      case Format::kCsv:
        terminal_.Print(CleanLines(replay::CsvLine(deed)));
        break;
    }
    ++count_;
  }
  void End() {
    if (format_ == Format::kJson) terminal_.Print(count_ == 0 ? "]}\n" : "\n]}\n");
    if (format_ == Format::kText && count_ == 0) terminal_.Print("nobody did any of that\n");
  }

 private:
  // Lines of a field stay; what a terminal would obey does not.
  static std::string CleanLines(std::string line) {
    line.resize(line.size() - 2);
    return Clean(line, /*keep_lines=*/true) + "\r\n";
  }

  const Terminal& terminal_;
  const Format format_;
  uint64_t count_ = 0;
};

}  // namespace

int ReportAudit(const Arguments& arguments, const Terminal& terminal) {
  const auto format = FormatOf(arguments);
  if (!format.has_value()) return Refuse(terminal, format.error());
  const auto filter = FilterOf(arguments);
  if (!filter.has_value()) return Refuse(terminal, filter.error());
  std::optional<Printer> printer;
  const TellDeed tell = [&](const Deed& deed) {
    if (!printer.has_value()) printer.emplace(terminal, *format);
    printer->Print(deed);
  };
  const Status read = IsForServer(arguments) ? ReadAtServer(arguments, *filter, tell)
                                             : ReadThere(arguments, *filter, tell);
  if (!read.has_value()) return Refuse(terminal, read.error());
  if (!printer.has_value()) printer.emplace(terminal, *format);
  printer->End();
  return kExitDone;
}

}  // namespace stele::cli
