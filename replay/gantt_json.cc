#include <algorithm>
#include <array>

#include "replay/gantt.h"
#include "replay/state_members.h"

namespace stele::replay {

namespace {

Array PartsToJson(const std::vector<GanttPart>& all) {
  Array parts;
  for (const GanttPart& part : all) {
    Members out;
    out.Word("doing", DoingName(part.doing));
    out.Number("from", part.from.value);
    out("to", part.to);
    if (part.doing == Doing::kRunning) out("attempt", part.attempt);
    out("ended_as", part.ended_as);
    parts.push_back(out.Take());
  }
  return parts;
}

Object LineToJson(const GanttLine& line) {
  Members out;
  out.Number("run", line.run.value);
  out.Word("step", line.step);
  out.Word("label", line.label);
  out("purpose", line.purpose);
  out.Number("scope", line.scope.value);
  out("owner", line.owner);
  out("depth", line.depth);
  out.Word("state", line.state);
  out.Number("from", line.from.value);
  out("to", line.to);
  out("attempts", line.attempts);
  out("attempts_before", line.before);
  if (!line.error_kind.empty())
    out.Put("error", Object{{"kind", line.error_kind}, {"message", line.error_message}});
  out("parts", PartsToJson(line.parts));
  return out.Take();
}

// Members of a document that may be anybody's: what is missing or of another kind is none.
struct From {
  const Value& document;

  std::string Word(std::string_view name) const {
    const Value* value = document.Find(name);
    return value != nullptr && value->is_string() ? value->as_string() : "";
  }
  int64_t Number(std::string_view name) const {
    const Value* value = document.Find(name);
    return value != nullptr && value->is_int() ? value->as_int() : 0;
  }
  template <class Integer>
  Integer As(std::string_view name) const {
    return static_cast<Integer>(Number(name));
  }
  // Within years that people write: what is between two of them is a number, too.
  TimeUs Time(std::string_view name) const {
    constexpr int64_t kYear10000 = 253'402'300'800'000'000;
    return TimeUs(std::clamp<int64_t>(Number(name), 0, kYear10000));
  }
  const Array& List(std::string_view name) const {
    static const Array kNone;
    const Value* value = document.Find(name);
    return value != nullptr && value->is_array() ? value->as_array() : kNone;
  }
};

std::vector<GanttPart> PartsOf(const Array& all) {
  std::vector<GanttPart> parts;
  for (const Value& value : all) {
    const From from{value};
    GanttPart part{.from = from.Time("from"),
                   .to = from.Time("to"),
                   .attempt = from.As<uint32_t>("attempt"),
                   .ended_as = from.Word("ended_as")};
    for (size_t i = 0; i < kDoings; ++i)
      if (DoingName(static_cast<Doing>(i)) == from.Word("doing"))
        part.doing = static_cast<Doing>(i);
    parts.push_back(std::move(part));
  }
  return parts;
}

GanttLine LineOf(const Value& value) {
  static const Value kNone;
  const From from{value};
  const Value* error = value.Find("error");
  const From problem{error == nullptr ? kNone : *error};
  return {.run = RunId(from.As<uint32_t>("run")),
          .step = from.Word("step"),
          .label = from.Word("label"),
          .purpose = from.Word("purpose"),
          .scope = ScopeId(from.As<uint32_t>("scope")),
          .owner = RunId(from.As<uint32_t>("owner")),
          .depth = from.As<uint32_t>("depth"),
          .state = from.Word("state"),
          .from = from.Time("from"),
          .to = from.Time("to"),
          .attempts = from.As<uint32_t>("attempts"),
          .before = from.As<uint32_t>("attempts_before"),
          .error_kind = problem.Word("kind"),
          .error_message = problem.Word("message"),
          .parts = PartsOf(from.List("parts"))};
}

}  // namespace

Object GanttToJson(const Gantt& gantt) {
  Array lines;
  for (const GanttLine& line : gantt.lines) lines.push_back(LineToJson(line));
  return Object{{"instance", Whole(gantt.instance.value)},
                {"definition", gantt.definition},
                {"version", Whole(gantt.version)},
                {"status", gantt.status},
                {"ended", gantt.ended},
                {"from", gantt.from.value},
                {"to", gantt.to.value},
                {"runs", Whole(gantt.runs)},
                {"lines", std::move(lines)},
                {"paused", PartsToJson(gantt.paused)}};
}

Gantt GanttFromJson(const Value& document) {
  const From from{document};
  const Value* ended = document.Find("ended");
  Gantt gantt{.instance = InstanceId(from.As<uint64_t>("instance")),
              .definition = from.Word("definition"),
              .version = from.As<uint32_t>("version"),
              .status = from.Word("status"),
              .from = from.Time("from"),
              .to = from.Time("to"),
              .ended = ended != nullptr && *ended == Value(true),
              .runs = from.As<uint64_t>("runs"),
              .lines = {},
              .paused = PartsOf(from.List("paused"))};
  for (const Value& line : from.List("lines")) gantt.lines.push_back(LineOf(line));
  return gantt;
}

}  // namespace stele::replay
