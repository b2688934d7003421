#include "replay/regression/correspondence.h"

#include <algorithm>

namespace stele::replay {

using definition::Definition;
using definition::Step;

namespace {

bool AskTheSame(const Step& a, const Step& b) {
  if (a.kind != b.kind || a.task_type != b.task_type) return false;
  // What is rendered is in the events.
  if (a.config.is_dynamic() && b.config.is_dynamic()) return true;
  return a.config.is_dynamic() == b.config.is_dynamic() && a.config.source() == b.config.source();
}

bool Declares(const Definition& definition, std::string_view variable) {
  return std::ranges::any_of(definition.bodies[0].variables,
                             [&](const auto& declared) { return declared.name == variable; });
}

}  // namespace

Correspondence::Correspondence(const Definition& from, const Definition& to)
    : from_(from), to_(to), has_from_(to.steps.size()) {
  for (const Step& step : from.steps) {
    const Step* const other = to.FindStep(step.id);
    steps_.push_back(other == nullptr ? StepIndex(kNoIndex) : to.IndexOf(*other));
    asks_alike_.push_back(other != nullptr && AskTheSame(step, *other));
    if (other != nullptr) has_from_[steps_.back().value] = true;
  }
  bodies_.resize(from.bodies.size(), BodyIndex(kNoIndex));
  bodies_[0] = BodyIndex(0);
  for (size_t i = 1; i < from.bodies.size(); ++i) {
    const StepIndex owner = To(from.bodies[i].owner);
    if (owner.value != kNoIndex) bodies_[i] = to.step(owner).child;
  }
}

StepIndex Correspondence::To(StepIndex step) const {
  return step.value < steps_.size() ? steps_[step.value] : StepIndex(kNoIndex);
}

BodyIndex Correspondence::To(BodyIndex body) const {
  return body.value < bodies_.size() ? bodies_[body.value] : BodyIndex(kNoIndex);
}

bool Correspondence::HasFrom(StepIndex of_to) const {
  return of_to.value < has_from_.size() && has_from_[of_to.value];
}

bool Correspondence::AsksAlike(StepIndex step) const {
  return step.value < asks_alike_.size() && asks_alike_[step.value];
}

bool Correspondence::IsOfOne(std::string_view variable) const {
  return Declares(from_, variable) != Declares(to_, variable);
}

}  // namespace stele::replay
