#include "replay/regression/description.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/model/codec.h"
#include "replay/regression/correspondence.h"
#include "replay/regression/event_comparison.h"

namespace stele::replay {

namespace {

using model::Event;
using Outcome = Redecision::Outcome;

constexpr std::string_view kNothing = "nothing";

const Event* EventAt(const std::vector<Event>& events, size_t at) {
  return at < events.size() ? &events[at] : nullptr;
}

std::string NameOf(const Event* event) {
  return std::string(event == nullptr ? kNothing : model::EventName(*event));
}

std::string TextOf(const Event* event, const definition::Definition* definition) {
  return event == nullptr ? "" : ShowEvent(*event, definition);
}

bool Skips(const std::vector<Event>& events, const definition::Definition& definition,
           std::string_view step) {
  return std::ranges::any_of(events, [&](const Event& event) {
    const auto* skipped = std::get_if<model::StepSkipped>(&event);
    return skipped != nullptr && definition.step(skipped->step).id == step;
  });
}

// In which they differ; empty: they are of two kinds, or one is none.
std::string MemberOf(const Event* recorded, const Event* decided, const Redecision& decision) {
  if (recorded == nullptr || decided == nullptr || recorded->index() != decided->index()) return "";
  if (decision.ran == decision.decided) return std::string(DifferingMember(*recorded, *decided));
  return std::string(
      DifferingMember(*recorded, *decided, Correspondence(*decision.ran, *decision.decided)));
}

// What an executor is handed: {type, config.url, …, input}.
Object AskedBy(const model::StepActivated& event, const definition::Definition& definition) {
  const definition::Step& step = definition.step(event.step);
  Object asked{{"type", step.task_type}};
  const Value& config = event.config.has_value() ? event.config.value() : step.config.source();
  if (config.is_object())
    for (const Member& member : config.as_object()) asked.Set("config." + member.key, member.value);
  if (event.input.has_value()) asked.Set("input", event.input.value());
  return asked;
}

void KeepDiffering(Object& a, Object& b) {
  std::vector<std::string> same;
  for (const Member& member : a)
    if (const Value* other = b.Find(member.key); other != nullptr && *other == member.value)
      same.push_back(member.key);
  for (const std::string& key : same) {
    a.Erase(key);
    b.Erase(key);
  }
}

}  // namespace

void Describer::Note(const model::Instance* before) {
  runs_.clear();
  if (before == nullptr) return;
  for (const model::StepRun& run : before->runs) runs_.push_back({run.id, run.step});
}

std::string Describer::StepOf(const Event& event, const std::vector<Event>& events,
                              const definition::Definition& definition,
                              const definition::Definition& before) const {
  const auto id_of = [](const definition::Definition& of, StepIndex step) -> std::string {
    return step.value < of.steps.size() ? of.step(step).id : "";
  };
  if (const StepIndex step = StepNamedBy(event); step.value != kNoIndex)
    return id_of(definition, step);
  const RunId run = RunNamedBy(event);
  if (!run) return "";
  for (const Event& other : events)
    if (const auto* activated = std::get_if<model::StepActivated>(&other);
        activated != nullptr && activated->run == run)
      return id_of(definition, activated->step);
  const auto found = std::ranges::find(runs_, run, &Run::id);
  return found == runs_.end() ? "" : id_of(before, found->step);
}

DifferenceKey Describer::KeyOfParting(const Redecision& decision,
                                      const Redecider& redecider) const {
  const Event* const was = EventAt(redecider.recorded(), decision.recorded_at);
  const Event* const is = EventAt(redecider.decided(), decision.decided_at);
  const auto step_of = [&](const Event* event, const std::vector<Event>& events,
                           const definition::Definition& definition) {
    return event == nullptr ? "" : StepOf(*event, events, definition, *decision.decided);
  };
  const std::string recorded_step = step_of(was, redecider.recorded(), *decision.ran);
  const std::string decided_step = step_of(is, redecider.decided(), *decision.decided);
  DifferenceKey key{.step = recorded_step.empty() ? decided_step : recorded_step,
                    .recorded = NameOf(was),
                    .now = NameOf(is),
                    .member = MemberOf(was, is, decision)};
  if (!recorded_step.empty() && decision.decided->FindStep(recorded_step) == nullptr) {
    key.kind = DifferenceKind::kGone;
    key.now = "no such step";
    key.member.clear();
  } else if (was != nullptr && std::holds_alternative<model::StepActivated>(*was) &&
             Skips(redecider.decided(), *decision.decided, recorded_step)) {
    key.now = "step_skipped";
    key.member.clear();
  } else if (was == nullptr && is != nullptr && std::holds_alternative<model::StepActivated>(*is) &&
             Skips(redecider.recorded(), *decision.ran, decided_step)) {
    key.recorded = "step_skipped";
  } else if (!decided_step.empty() && decided_step != key.step) {
    key.now += " " + decided_step;
    key.member.clear();
  }
  return key;
}

Describer::Found Describer::Of(const eventstore::RecordView& record, const Redecision& decision,
                               const Redecider& redecider) const {
  const Event& cause = redecider.recorded().front();
  Found found{.key = {},
              .place = {record.header.instance, record.header.first_seq.Plus(decision.recorded_at),
                        record.position, "", ""}};
  if (decision.outcome == Outcome::kDiffers) {
    found.key = KeyOfParting(decision, redecider);
    const Event* const was = EventAt(redecider.recorded(), decision.recorded_at);
    const Event* const is = EventAt(redecider.decided(), decision.decided_at);
    found.place.recorded = TextOf(was, decision.ran);
    found.place.now = TextOf(is, decision.decided);
    return found;
  }
  found.key.recorded = model::EventName(cause);
  found.key.step = StepOf(cause, redecider.recorded(), *decision.ran, *decision.decided);
  found.place.recorded = ShowEvent(cause, decision.ran);
  if (decision.outcome == Outcome::kGone) {
    found.key.kind = DifferenceKind::kGone;
    found.key.now = "no such step";
  } else {
    found.key.kind = DifferenceKind::kRefused;
    found.key.now = fmt::format("refused STL{:04}", static_cast<int>(decision.rejection->code));
    found.place.now = decision.rejection->message;
  }
  return found;
}

Describer::Found Describer::OfAsked(const eventstore::RecordView& record,
                                    const Redecision& decision, const Redecider& redecider,
                                    size_t recorded_at, size_t decided_at) const {
  const auto& was = std::get<model::StepActivated>(redecider.recorded()[recorded_at]);
  const auto& is = std::get<model::StepActivated>(redecider.decided()[decided_at]);
  Object recorded = AskedBy(was, *decision.ran), now = AskedBy(is, *decision.decided);
  KeepDiffering(recorded, now);
  const auto& first = recorded.empty() ? now : recorded;
  return {
      .key = {.kind = DifferenceKind::kAsked,
              .step = decision.decided->step(is.step).id,
              .recorded = NameOf(&redecider.recorded()[recorded_at]),
              .now = NameOf(&redecider.decided()[decided_at]),
              .member = first.empty() ? "secrets" : first.begin()->key},
      .place = {record.header.instance, record.header.first_seq.Plus(recorded_at), record.position,
                ShowDocument(std::move(recorded)), ShowDocument(std::move(now))}};
}

}  // namespace stele::replay
