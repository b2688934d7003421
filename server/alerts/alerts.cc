#include "server/alerts/alerts.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "engine/triggers/firing_input.h"
#include "projections/asked.h"
#include "projections/views/statistics.h"
#include "server/alerts/figures.h"
#include "server/alerts/limits.h"
#include "server/alerts/recording.h"

namespace stele::server::alerts {

Alerts::Alerts(Desk& desk, Deliveries::Note note, Retries retries)
    : desk_(desk),
      deliveries_(
          desk,
          [this](const std::string& name) -> const Rule* {
            const auto found = watched_.find(name);
            return found == watched_.end() ? nullptr : &found->second.rule;
          },
          std::move(note), retries) {}

Alerts::~Alerts() noexcept = default;

void Alerts::Begin() {
  begun_ = desk_.store().NextPosition(desk_.engine().shard_id);
  ticking_ = Tick().eagerlyEvaluate(
      [](kj::Exception&& exception) { CHECK(false, "{}", exception.getDescription().cStr()); });
}

kj::Promise<void> Alerts::Tick() {
  if (desk_.closed()) return kj::READY_NOW;
  return Look()
      .then([this] {
        return desk_.timer()
            .afterDelay(kTurnSeconds * kj::SECONDS)
            .exclusiveJoin(desk_.WhenClosed());
      })
      .then([this] { return Tick(); });
}

void Alerts::TakeUp() {
  if (taken_up_ == desk_.registry().seq) return;
  taken_up_ = desk_.registry().seq;
  std::set<std::string> known;
  for (const auto& [name, document] : DocumentsOf(desk_.registry())) {
    const auto found = watched_.find(name);
    if (found != watched_.end() && found->second.document == document) {
      known.insert(name);
      continue;
    }
    auto rule = ReadDocument(name, document, *desk_.engine().tasks);
    // One of another program's making, which this one does not know how to read.
    if (!rule.has_value()) continue;
    known.insert(name);
    watched_.insert_or_assign(name, Watched{.rule = *std::move(rule),
                                            .document = document,
                                            .held_since = {},
                                            .looked = {},
                                            .value = {},
                                            .fault = {}});
  }
  std::erase_if(watched_, [&](const auto& each) {
    if (known.contains(each.first)) return false;
    deliveries_.Forget(each.first);
    return true;
  });
}

void Alerts::EndOrphans() {
  std::vector<std::string> orphans;
  for (const auto& [name, firing] : desk_.registry().alerts)
    if (!watched_.contains(name)) orphans.push_back(name);
  for (const std::string& name : orphans)
    desk_.shard().ChangeAlert({.rule = name, .firing = false, .document = "{}"}, "",
                              [](const Result<Position>&) {});
}

kj::Promise<void> Alerts::SendOutstanding() {
  if (!begun_) return kj::READY_NOW;
  std::vector<const Rule*> rules;
  for (const auto& [name, watched] : watched_)
    if (watched.rule.notify.has_value()) rules.push_back(&watched.rule);
  if (rules.empty()) {
    begun_ = {};
    return kj::READY_NOW;
  }
  // What cannot be read now is read when it is looked at next.
  return deliveries_.ReadOutstanding(rules, begun_).then([this](Result<std::vector<Notice>> read) {
    if (!read.has_value()) return;
    begun_ = {};
    for (Notice& notice : *read) deliveries_.Add(std::move(notice));
  });
}

kj::Promise<void> Alerts::Look() {
  if (is_looking_ || desk_.closed()) return kj::READY_NOW;
  TakeUp();
  EndOrphans();
  if (watched_.empty()) return kj::READY_NOW;
  is_looking_ = true;
  return SendOutstanding().then([this] { return Ask(); }).then([this](Result<Answers> answers) {
    is_looking_ = false;
    if (!answers.has_value() || desk_.closed()) return;
    TakeUp();
    const TimeUs now = desk_.Now();
    for (auto& [name, watched] : watched_) Judge(watched, *answers, now);
  });
}

Promised<Alerts::Answers> Alerts::Ask() {
  std::set<Question> questions;
  for (const auto& [name, watched] : watched_)
    questions.emplace(watched.rule.definition, watched.rule.window_us);
  return desk_.Read([engine = desk_.engine(), questions = std::move(questions),
                     now = desk_.Now()]() -> Result<Answers> {
    const auto asked = projections::AskView(*engine.projector, *engine.store, engine.shard_id,
                                            projections::kStatisticsView, {}, now);
    if (!asked.has_value()) return std::unexpected(asked.error());
    Answers answers;
    for (const auto& [definition, window_us] : questions)
      answers.emplace(
          Question(definition, window_us),
          projections::ReadStatistics(
              *asked->reader,
              {.definition = definition, .from = TimeUs(now.value - window_us), .to = now}));
    return answers;
  });
}

void Alerts::Judge(Watched& watched, const Answers& answers, TimeUs now) {
  const Rule& rule = watched.rule;
  const auto answer = answers.find({rule.definition, rule.window_us});
  // It was set while the view was read.
  if (answer == answers.end()) return;
  watched.looked = now;
  watched.fault.clear();
  Object figures;
  bool holds = false;
  if (answer->second.has_value()) {
    figures = FiguresOf(*answer->second, now);
    const auto held = rule.condition.EvaluateBool(triggers::RootsEnvironment(figures));
    holds = held.has_value() && *held;
    if (!held.has_value()) watched.fault = held.error().message;
  } else {
    watched.fault = answer->second.error().message;
  }
  watched.value = ValuesOf(rule, figures);
  const bool firing = desk_.registry().alerts.contains(rule.name);
  if (!holds) {
    watched.held_since = {};
    if (firing) Change(watched, false, figures);
    return;
  }
  if (!watched.held_since) watched.held_since = now;
  if (!firing && now.value - watched.held_since.value >= rule.hold_us)
    Change(watched, true, figures);
}

void Alerts::Change(Watched& watched, bool firing, const Object& figures) {
  if (watched.is_changing) return;
  const model::Registry& registry = desk_.registry();
  const auto begun = registry.alerts.find(watched.rule.name);
  Notice notice{.rule = watched.rule.name,
                .firing = firing,
                .position = {},
                .seq = registry.seq.Next(),
                .time = desk_.Now(),
                .since = begun == registry.alerts.end() ? desk_.Now() : begun->second.since,
                .document = DocumentOf(watched.rule, firing, figures)};
  watched.is_changing = true;
  desk_.shard().ChangeAlert(
      {.rule = notice.rule, .firing = firing, .document = notice.document}, "",
      [this, notice, there = std::weak_ptr(is_there_)](const Result<Position>& written) {
        if (there.expired()) return;
        const auto found = watched_.find(notice.rule);
        if (found != watched_.end()) found->second.is_changing = false;
        if (!written.has_value() || found == watched_.end()) return;
        Notice recorded = notice;
        recorded.position = *written;
        // As its record has it, and as it is sent again behind a restart.
        if (const auto begun = desk_.registry().alerts.find(notice.rule);
            notice.firing && begun != desk_.registry().alerts.end())
          recorded.time = recorded.since = begun->second.since;
        if (found->second.rule.notify.has_value()) deliveries_.Add(std::move(recorded));
      });
}

}  // namespace stele::server::alerts
