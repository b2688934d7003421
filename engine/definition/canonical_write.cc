#include "base/json.h"
#include "engine/definition/canonical.h"
#include "engine/definition/canonical_names.h"

namespace stele::definition {
namespace {

using namespace canonical;

// What has its default is left out; docs/canonical.md lists the defaults.
class Writer {
 public:
  void Text(std::string_view key, std::string_view text) {
    if (!text.empty()) object_.Set(key, text);
  }
  void Word(std::string_view key, std::string_view word, std::string_view standard) {
    if (word != standard) object_.Set(key, word);
  }
  void Number(std::string_view key, int64_t number, int64_t standard = 0) {
    if (number != standard) object_.Set(key, number);
  }
  void Real(std::string_view key, double number, double standard) {
    if (number != standard) object_.Set(key, number);
  }
  void Flag(std::string_view key, bool flag, bool standard = false) {
    if (flag != standard) object_.Set(key, flag);
  }
  void Index(std::string_view key, uint32_t index) { Number(key, index, kNoIndex); }
  void Any(std::string_view key, const Value& value) {
    if (!value.is_null()) object_.Set(key, value);
  }
  void List(std::string_view key, Array array) {
    if (!array.empty()) object_.Set(key, std::move(array));
  }
  void Condition(std::string_view key, const std::optional<Expression>& condition) {
    if (condition) object_.Set(key, condition->text());
  }
  void Mappings(std::string_view key, const std::vector<Mapping>& mappings) {
    Array array;
    for (const Mapping& mapping : mappings) {
      Array& pair = array.emplace_back(Array()).as_array();
      pair.emplace_back(mapping.name);
      pair.push_back(mapping.value.source());
    }
    List(key, std::move(array));
  }
  void Strings(std::string_view key, const std::vector<std::string>& strings) {
    Array array;
    for (const std::string& string : strings) array.emplace_back(string);
    List(key, std::move(array));
  }
  void At(Place place) {
    if (place.line == 0) return;
    Array& pair = object_.Set("place", Array()).as_array();
    pair.emplace_back(int64_t{place.line});
    pair.emplace_back(int64_t{place.column});
  }
  Value Take() { return std::move(object_); }

 private:
  Object object_;
};

Value WriteRetry(const RetryPolicy& retry) {
  if (retry == RetryPolicy()) return {};
  Writer out;
  out.Number("max_attempts", retry.max_attempts);
  out.Word("backoff", Name(kBackoffs, retry.backoff), "fixed");
  out.Number("initial_delay_us", retry.initial_delay_us);
  out.Real("multiplier", retry.multiplier, 2.0);
  out.Number("max_delay_us", retry.max_delay_us);
  out.Real("jitter", retry.jitter, 0.0);
  out.Strings("retry_on", retry.retry_on);
  out.Strings("no_retry_on", retry.no_retry_on);
  return out.Take();
}

Value WriteLoop(const Loop& loop) {
  Writer out;
  out.Word("mode", Name(kLoopModes, loop.mode), "");
  out.Condition("condition", loop.condition);
  if (loop.items) out.Any("items", loop.items->source());
  out.Word("item_name", loop.item_name, "item");
  out.Number("max_iterations", loop.max_iterations);
  out.Number("max_concurrent", loop.max_concurrent, 1);
  out.Flag("break_on_error", loop.break_on_error, true);
  return out.Take();
}

Value WriteConcurrency(const std::optional<Concurrency>& concurrency) {
  if (!concurrency) return {};
  Writer out;
  if (concurrency->key.source() != Value("")) out.Any("key", concurrency->key.source());
  out.Number("limit", concurrency->limit, 0);
  return out.Take();
}

Value WriteRate(const RateLimit& rate) {
  if (rate == RateLimit()) return {};
  Writer out;
  out.Number("count", rate.count);
  out.Number("per_us", rate.per_us, RateLimit().per_us);
  return out.Take();
}

Value WriteStep(const Step& step) {
  Writer out;
  out.Word("id", step.id, "\n");  // always
  out.Word("name", step.name, step.id);
  out.Word("kind", Name(kKinds, step.kind), "task");
  out.Text("type", step.task_type);
  out.Number("body", step.body.value);
  out.Index("child", step.child.value);
  out.Word("join", Name(kJoins, step.join), "all");
  out.Number("join_count", step.join_count);
  out.Word("split", Name(kSplits, step.split), "all");
  out.Condition("condition", step.condition);
  if (step.config.source() != Value(Object())) out.Any("config", step.config.source());
  out.Mappings("inputs", step.inputs);
  out.Mappings("outputs", step.outputs);
  if (step.delay) out.Any("delay", step.delay->source());
  if (step.kind == StepKind::kLoop) out.Any("loop", WriteLoop(step.loop));
  out.Any("retry", WriteRetry(step.retry));
  out.Number("timeout_us", step.timeout_us);
  out.Index("fallback", step.fallback.value);
  out.Index("compensation", step.compensation.value);
  out.Flag("handler", step.handler);
  out.Flag("optional", step.optional);
  out.Flag("returnable", step.returnable, true);
  out.Any("concurrency", WriteConcurrency(step.concurrency));
  out.Any("rate", WriteRate(step.rate));
  out.Any("extra", step.extra);
  out.At(step.place);
  return out.Take();
}

Value WriteTransition(const Transition& edge) {
  Writer out;
  out.Number("from", edge.from.value, -1);
  out.Number("to", edge.to.value, -1);
  out.Word("on", Name(kOutcomes, edge.on), "success");
  out.Condition("condition", edge.condition);
  out.Flag("default", edge.is_default);
  out.At(edge.place);
  return out.Take();
}

Value WriteBody(const Body& body) {
  Writer out;
  out.Text("id", body.id);
  out.Word("name", body.name, body.id);
  Array entries;
  for (const StepIndex entry : body.entries) entries.push_back(int64_t{entry.value});
  out.List("entries", std::move(entries));
  Array variables;
  for (const Variable& variable : body.variables) {
    Writer one;
    one.Word("name", variable.name, "\n");
    one.Word("type", variable.type, "any");
    one.Any("initial", variable.initial);
    one.Flag("required", variable.required);
    variables.push_back(one.Take());
  }
  out.List("variables", std::move(variables));
  out.Word("strategy", Name(kStrategies, body.strategy), "fail");
  out.Index("fallback", body.fallback.value);
  out.At(body.place);
  return out.Take();
}

}  // namespace

std::string WriteCanonical(const Definition& definition) {
  Writer out;
  out.Number("format_version", canonical::kFormatVersion);
  out.Text("dialect", definition.dialect);
  out.Text("name", definition.name);
  out.Text("title", definition.title);
  out.Text("version", definition.version);
  out.Text("description", definition.description);
  out.Strings("tags", definition.tags);
  Array bodies, steps, transitions;
  for (const Body& body : definition.bodies) bodies.push_back(WriteBody(body));
  for (const Step& step : definition.steps) steps.push_back(WriteStep(step));
  for (const Transition& edge : definition.transitions)
    transitions.push_back(WriteTransition(edge));
  out.List("bodies", std::move(bodies));
  out.List("steps", std::move(steps));
  out.List("transitions", std::move(transitions));
  out.Mappings("outputs", definition.outputs);
  out.Number("deadline_us", definition.deadline_us);
  out.Number("retention_us", definition.retention_us);
  out.Number("priority", definition.priority);
  out.Any("concurrency", WriteConcurrency(definition.concurrency));
  out.Any("rate", WriteRate(definition.rate));
  out.Any("input_schema", definition.input_schema);
  out.Any("triggers", definition.triggers);
  out.Any("extra", definition.extra);
  return ToJson(out.Take());
}

}  // namespace stele::definition
