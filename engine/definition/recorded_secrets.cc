#include "engine/definition/recorded_secrets.h"

#include <fmt/format.h>

namespace stele::definition {
namespace {

class SecretCheck {
 public:
  explicit SecretCheck(Faults& faults) : faults_(faults) {}

  void Check(const Template& text, Place place, std::string_view what) {
    for (const expression::Reference& reference : text.references())
      if (reference.path[0] == "secrets")
        faults_.Add(
            ErrorCode::kInvalidDefinition, place,
            fmt::format("Expected no secret in {}, which is recorded, but found `secrets{}`", what,
                        reference.path.size() > 1 ? "." + reference.path[1] : ""));
  }
  void Check(const Step& step) {
    const std::string named = " of " + Quote(step.id);
    if (step.concurrency) Check(step.concurrency->key, step.place, "the concurrency key" + named);
    if (step.delay) Check(*step.delay, step.place, "the delay" + named);
    if (step.loop.items) Check(*step.loop.items, step.place, "the items" + named);
    if (step.kind == StepKind::kTask && step.task_type != "call") return;
    Check(step.config, step.place, "the configuration" + named);
    for (const Mapping& input : step.inputs)
      Check(input.value, step.place, fmt::format("the input {}{}", Quote(input.name), named));
  }

 private:
  Faults& faults_;
};

}  // namespace

void CheckRecordedSecrets(const Definition& definition, Faults& faults) {
  SecretCheck check(faults);
  for (const Step& step : definition.steps) check.Check(step);
  if (definition.concurrency)
    check.Check(definition.concurrency->key, {1, 1}, "the concurrency key");
}

}  // namespace stele::definition
