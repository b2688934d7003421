#include "replay/audit/deed_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "replay/export/time_text.h"

namespace stele::replay {

namespace {

// What Excel, LibreOffice and others begin formulas with, and what they skip before one; in some
// languages the wide forms of = + - @, too.
constexpr std::string_view kBeginsFormula = "=+-@\t\r\n";
constexpr std::string_view kBeginsWide[] = {"\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D",
                                            "\xEF\xBC\xA0"};
constexpr std::string_view kNeedsQuotes = ",\"\r\n";

bool IsFormula(std::string_view text) {
  return !text.empty() && (kBeginsFormula.contains(text.front()) ||
                           std::ranges::any_of(kBeginsWide, [text](std::string_view wide) {
                             return text.starts_with(wide);
                           }));
}

void AddField(std::string& line, std::string_view text) {
  if (!line.empty()) line += ',';
  const bool is_formula = IsFormula(text);
  const bool quoted = is_formula || text.find_first_of(kNeedsQuotes) != text.npos;
  if (!quoted) {
    line += text;
    return;
  }
  line += '"';
  if (is_formula) line += '\'';
  for (const char c : text) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

}  // namespace

Object ToJson(const Deed& deed) {
  Object shown{{"time", deed.time.value},
               {"position", static_cast<int64_t>(deed.position.value)},
               {"seq", static_cast<int64_t>(deed.seq.value)}};
  const auto add = [&](std::string_view name, std::string_view text) {
    if (!text.empty()) shown.Set(std::string(name), text);
  };
  if (deed.instance) shown.Set("instance", static_cast<int64_t>(deed.instance.value));
  add("definition", deed.definition);
  add("kind", DeedKindName(deed.kind));
  add("action", deed.action);
  add("actor", deed.actor);
  add("source", deed.source);
  add("target", deed.target);
  add("reason", deed.reason);
  add("outcome", deed.outcome);
  if (deed.erased) shown.Set("erased", true);
  return shown;
}

Result<Deed> ParseDeed(const Value& document) {
  const auto text = [&](std::string_view name) {
    const Value* found = document.Find(name);
    return found != nullptr && found->is_string() ? found->as_string() : std::string();
  };
  const auto number = [&](std::string_view name) {
    const Value* found = document.Find(name);
    return found != nullptr && found->is_int() ? found->as_int() : 0;
  };
  const auto kind = FindDeedKind(text("kind"));
  if (!kind.has_value())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a deed of a known kind but found \"{}\"", text("kind")));
  return Deed{.position = Position(static_cast<uint64_t>(number("position"))),
              .seq = Seq(static_cast<uint64_t>(number("seq"))),
              .instance = InstanceId(static_cast<uint64_t>(number("instance"))),
              .time = TimeUs(number("time")),
              .actor = text("actor"),
              .source = text("source"),
              .kind = *kind,
              .action = text("action"),
              .definition = text("definition"),
              .target = text("target"),
              .reason = text("reason"),
              .outcome = text("outcome"),
              .erased = document.Find("erased") != nullptr};
}

std::string CsvHead() {
  return "time,position,seq,instance,definition,kind,action,actor,source,target,reason,outcome\r\n";
}

std::string CsvLine(const Deed& deed) {
  std::string line;
  WriteTime(deed.time, line);
  const auto number = [](uint64_t value) {
    return value == 0 ? std::string() : fmt::format("{}", value);
  };
  AddField(line, number(deed.position.value));
  AddField(line, number(deed.seq.value));
  AddField(line, number(deed.instance.value));
  for (const std::string_view text :
       {std::string_view(deed.definition), DeedKindName(deed.kind), std::string_view(deed.action),
        std::string_view(deed.actor), std::string_view(deed.source), std::string_view(deed.target),
        std::string_view(deed.reason), std::string_view(deed.outcome)})
    AddField(line, text);
  return line.append("\r\n");
}

}  // namespace stele::replay
