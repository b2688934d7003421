#include "cli/load/embedded.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "cli/load/limits.h"
#include "server/rpc/errors.h"

namespace stele::load {

namespace {

constexpr std::string_view kCodePrefix = "STL";

// Answers at once: what is left is the engine's.
class NoWork final : public embed::AsyncExecutor {
 public:
  void Start(embed::Attempt attempt, embed::Completion completion) override {
    completion.Finish({});
  }
};

}  // namespace

Error ErrorOf(const embed::Error& error) {
  std::optional<ErrorCode> code;
  if (error.code.starts_with(kCodePrefix))
    code = server::rpc::FindErrorCode(
        static_cast<uint32_t>(std::stoul(error.code.substr(kCodePrefix.size()))));
  return {code.value_or(ErrorCode::kIo), error.message};
}

// Tells of the ends of instances.
class Embedded::Ends final : public embed::Plugin {
 public:
  explicit Ends(Embedded& embedded) : embedded_(embedded) {}
  void OnEnd(const embed::InstanceNotice& ended) override { embedded_.Ended(ended); }

 private:
  Embedded& embedded_;
};

Result<std::unique_ptr<Embedded>> Embedded::Open(embed::Options options, const std::string& data) {
  std::unique_ptr<Embedded> embedded(new Embedded());
  // Every end counts.
  options.plugin_backlog = UINT32_MAX;
  auto engine = embed::Engine::Open(options, data);
  if (!engine.has_value()) return std::unexpected(ErrorOf(engine.error()));
  embedded->engine_ = *std::move(engine);
  return embedded;
}

Embedded::~Embedded() {
  engine_.reset();
}

Status Embedded::CheckIdle() {
  const auto open = engine_->Query({.open = true, .limit = 1});
  if (!open.has_value()) return std::unexpected(ErrorOf(open.error()));
  if (!open->empty())
    return Fail(ErrorCode::kWrongState,
                fmt::format("Expected a data directory in which nothing runs but found instance {} "
                            "of \"{}\" open",
                            open->rows.front().id, open->rows.front().definition));
  const auto triggers = engine_->Triggers();
  if (!triggers.has_value()) return std::unexpected(ErrorOf(triggers.error()));
  for (const embed::TriggerInfo& trigger : *triggers)
    if (trigger.state == "active")
      return Fail(ErrorCode::kWrongState,
                  fmt::format("Expected a data directory in which nothing is started by itself but "
                              "found trigger {} of \"{}\"",
                              trigger.id, trigger.definition));
  return {};
}

Status Embedded::Prepare(const Work& work) {
  work_ = work;
  if (work.with_tasks) {
    const auto typed = engine_->RegisterType(std::string(kTaskType), std::string(kTaskDocument));
    if (!typed.has_value()) return std::unexpected(ErrorOf(typed.error()));
    const auto run = engine_->RegisterExecutor(std::string(kTaskType), std::make_unique<NoWork>());
    if (!run.has_value()) return std::unexpected(ErrorOf(run.error()));
  }
  const auto defined = engine_->RegisterText(work.definition_text());
  if (!defined.has_value()) return std::unexpected(ErrorOf(defined.error()));
  if (!work.until_end) return {};
  const auto told = engine_->RegisterPlugin(std::make_unique<Ends>(*this));
  if (!told.has_value()) return std::unexpected(ErrorOf(told.error()));
  return {};
}

void Embedded::Run(Load& load, const std::function<bool()>& stop) {
  {
    const std::lock_guard lock(mutex_);
    load_ = &load;
  }
  load.Begin(NowUs());
  for (;;) {
    load.Reached(Position());
    if (load.Look(NowUs())) break;
    if (stop()) load.Stop(NowUs());
    Pump();
    const int64_t now_us = NowUs();
    if (const int64_t next_us = load.NextLookUs(now_us); next_us > now_us)
      std::this_thread::sleep_for(std::chrono::microseconds(next_us - now_us));
  }
  const std::lock_guard lock(mutex_);
  load_ = nullptr;
}

void Embedded::Pump() {
  for (;;) {
    std::optional<int64_t> from_us;
    {
      const std::lock_guard lock(mutex_);
      if (load_ != nullptr) from_us = load_->Take(NowUs());
    }
    if (!from_us.has_value()) return;
    Begin(*from_us);
  }
}

void Embedded::Begin(int64_t from_us) {
  engine_->StartAsync(
      {.definition = work_.definition()},
      [this, from_us](const embed::Result<embed::Started>& started) { Started(from_us, started); });
}

void Embedded::Started(int64_t from_us, const embed::Result<embed::Started>& started) {
  std::unique_lock lock(mutex_);
  if (load_ == nullptr) return;
  if (!started.has_value()) {
    const Error error = ErrorOf(started.error());
    if (error.code != ErrorCode::kBackPressure) return load_->Fail(error);
    return load_->Refuse(NowUs(), error.message);
  }
  if (work_.until_end) {
    const auto ended = ended_.extract(started->instance);
    if (ended.empty()) {
      started_.emplace(started->instance, from_us);
      return;
    }
  }
  lock.unlock();
  Done(from_us);
}

void Embedded::Ended(const embed::InstanceNotice& ended) {
  std::unique_lock lock(mutex_);
  if (load_ == nullptr || ended.definition != work_.definition()) return;
  if (ended.status != "completed")
    return load_->Fail(
        {ErrorCode::kTaskFailed, fmt::format("Expected instance {} to complete but found it {}: {}",
                                             ended.instance, ended.status, ended.message)});
  const auto started = started_.extract(ended.instance);
  if (started.empty()) {
    ended_.insert(ended.instance);
    return;
  }
  lock.unlock();
  Done(started.mapped());
}

void Embedded::Done(int64_t from_us) {
  {
    const std::lock_guard lock(mutex_);
    if (load_ == nullptr) return;
    load_->Done(from_us, NowUs());
  }
  Pump();
}

uint64_t Embedded::Position() const {
  uint64_t position = 0;
  if (const auto views = engine_->Views(); views.has_value())
    for (const embed::ViewState& view : *views)
      position = std::max(position, view.position + view.lag);
  return position;
}

}  // namespace stele::load
