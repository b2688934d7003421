#include "server/alerts/message.h"

#include <fmt/format.h>

#include "base/json.h"
#include "engine/triggers/firing_input.h"
#include "projections/words.h"
#include "server/alerts/figures.h"
#include "server/alerts/limits.h"

namespace stele::server::alerts {

namespace {

std::string_view StateWord(bool firing) {
  return firing ? "firing" : "over";
}

// "high_failures is firing: failure_rate > 0.1 (failure_rate 0.25) of orders in 5m"
std::string PlainMessage(const Rule& rule, bool firing, const Object& values) {
  std::string found;
  for (const Member& member : values)
    found +=
        fmt::format("{}{} {}", found.empty() ? "" : ", ", member.key, stele::ToJson(member.value));
  return fmt::format("{} is {}: {}{}{} in {}", rule.name, StateWord(firing), rule.condition.text(),
                     found.empty() ? "" : " (" + found + ")",
                     rule.definition.empty() ? "" : " of " + rule.definition, rule.window);
}

std::string MessageOf(const Rule& rule, bool firing, const Object& figures) {
  std::string message = PlainMessage(rule, firing, ValuesOf(rule, figures));
  const Value& written = rule.message.source();
  if (written.is_string() && !written.as_string().empty()) {
    const Object roots = RootsOf(rule, firing, figures);
    const auto rendered = rule.message.Render(triggers::RootsEnvironment(roots));
    if (rendered.has_value())
      message = rendered->value.is_string() ? rendered->value.as_string()
                                            : stele::ToJson(rendered->value);
  }
  return std::string(projections::CutText(message, kMaxMessageBytes));
}

}  // namespace

Object ValuesOf(const Rule& rule, const Object& figures) {
  Object values;
  for (const expression::Reference& reference : rule.condition.references())
    if (const Value* value = figures.Find(reference.path[0]); value != nullptr)
      values.Set(reference.path[0], *value);
  return values;
}

Object RootsOf(const Rule& rule, bool firing, const Object& figures) {
  Object roots = figures;
  roots.Set("rule", rule.name);
  roots.Set("state", StateWord(firing));
  roots.Set("definition", rule.definition);
  roots.Set("window", rule.window);
  roots.Set("condition", rule.condition.text());
  return roots;
}

Object SampleRoots() {
  Object roots = SampleFigures();
  for (const char* name : {"rule", "state", "definition", "window", "condition"})
    roots.Set(name, "x");
  return roots;
}

std::string DocumentOf(const Rule& rule, bool firing, const Object& figures) {
  Object document{{"condition", rule.condition.text()}};
  if (!rule.definition.empty()) document.Set("definition", rule.definition);
  document.Set("window", rule.window);
  document.Set("value", ValuesOf(rule, figures));
  document.Set("message", MessageOf(rule, firing, figures));
  return stele::ToJson(Value(std::move(document)));
}

std::string Notice::key() const {
  return fmt::format("{}-{}", rule, position.value);
}

Object ToJson(const Notice& notice) {
  Object shown{{"alert", notice.rule},
               {"state", StateWord(notice.firing)},
               {"position", static_cast<int64_t>(notice.position.value)},
               {"time", notice.time.value},
               {"since", notice.since.value}};
  if (const auto document = ParseJson(notice.document);
      document.has_value() && document->is_object())
    for (const Member& member : document->as_object()) shown.Set(member.key, member.value);
  return shown;
}

}  // namespace stele::server::alerts
