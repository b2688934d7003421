#include "server/observation/figures.h"

#include <kj/common.h>

#include <set>
#include <string>
#include <utility>

#include "server/observation/limits.h"

namespace stele::server {

LoopFigures Figures::LookAround() {
  LoopFigures figures;
  runtime::Shard& shard = desk_.shard();
  figures.shard = shard.figures();
  figures.live_instances = shard.live_instances();
  figures.queued_attempts = shard.queued_attempts();
  figures.max_queued_attempts = shard.options().max_queued_attempts;
  std::set<std::string_view> names;
  std::set<std::string_view> active;
  for (const model::RegisteredDefinition& definition : desk_.registry().definitions) {
    names.insert(definition.name);
    if (definition.state == model::DefinitionState::kActive) active.insert(definition.name);
  }
  figures.definitions = names.size();
  figures.active_definitions = active.size();
  for (const model::RegisteredTrigger& trigger : desk_.registry().triggers) {
    ++figures.triggers_by_state[std::string(model::TriggerStateName(trigger.state))];
    figures.trigger_firings += trigger.fired;
  }
  if (desk_.engine().workers != nullptr) figures.workers = desk_.engine().workers->figures();
  if (fill_in_) fill_in_(figures);
  return figures;
}

kj::Promise<Durability> Figures::AskDurable() {
  kj::Timer& timer = desk_.timer();
  const kj::TimePoint begin = timer.now();
  auto answering = desk_.Await();
  desk_.shard().WhenDurable(std::move(answering.answer));
  const auto taken = [&timer, begin] {
    return static_cast<double>((timer.now() - begin) / kj::MICROSECONDS) / 1e6;
  };
  auto answered = answering.promise.then([taken](const Result<Written>& written) {
    using State = Durability::State;
    return Durability{.state = written.has_value() ? State::kGood : State::kFailed,
                      .seconds = taken()};
  });
  auto patience = timer.afterDelay(kDurablePatienceMs * kj::MILLISECONDS).then([taken] {
    return Durability{.state = Durability::State::kSlow, .seconds = taken()};
  });
  return answered.exclusiveJoin(kj::mv(patience));
}

kj::Promise<Figures::Answer> Figures::ReadAnew() {
  auto loop = LookAround();
  auto stored = desk_.Read([engine = desk_.engine()]() -> Result<StoredFigures> {
    return ReadStored(*engine.projector, *engine.store, engine.shard_id);
  });
  return AskDurable().then([loop = std::move(loop), stored = kj::mv(stored)](
                               Durability durability) mutable -> kj::Promise<Answer> {
    return stored.then([loop = std::move(loop), durability](Result<StoredFigures> read) -> Answer {
      if (!read.has_value()) return std::unexpected(read.error());
      return std::make_shared<const Reading>(
          Reading{.loop = loop, .durability = durability, .stored = *std::move(read)});
    });
  });
}

Promised<std::shared_ptr<const Reading>> Figures::Read() {
  const kj::TimePoint now = desk_.timer().now();
  // One at a time: where the disk hangs, those who ask do not take all threads.
  if (!reading_.has_value() || (now >= kept_until_ && !under_way_)) {
    under_way_ = true;
    reading_.emplace(ReadAnew().attach(kj::defer([this] { under_way_ = false; })).fork());
    kept_until_ = now + kept_;
  }
  return reading_->addBranch();
}

std::string Figures::Write(const Reading& reading) const {
  Families families = FamiliesOf(reading);
  if (requests_ != nullptr) requests_->AddTo(families);
  return WriteFamilies(families);
}

}  // namespace stele::server
