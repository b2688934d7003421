#include "engine/embed/plugin_host.h"

#include <exception>
#include <optional>
#include <utility>

namespace stele::embed {

PluginHost::PluginHost(std::unique_ptr<Plugin> plugin, size_t backlog, OwnThreads& own,
                       Problem problem)
    : plugin_(std::move(plugin)),
      backlog_(backlog),
      own_(own),
      problem_(std::move(problem)),
      thread_([this] { Work(); }) {}

PluginHost::~PluginHost() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void PluginHost::Tell(const Notice& notice) {
  {
    const std::lock_guard lock(mutex_);
    // What was missed is told before anything later is.
    if (missed_ > 0 || notices_.size() >= backlog_) {
      ++missed_;
      return;
    }
    notices_.push_back(notice);
  }
  wake_.notify_one();
}

void PluginHost::Call(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& exception) {
    problem_(std::string("Expected a plugin to return but it threw: ") + exception.what());
  } catch (...) {
    problem_("Expected a plugin to return but it threw");
  }
}

void PluginHost::Work() {
  const OwnThreads::Membership membership(own_);
  for (;;) {
    std::optional<Notice> notice;
    uint64_t missed = 0;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !notices_.empty() || missed_ > 0; });
      if (!notices_.empty()) {
        notice = std::move(notices_.front());
        notices_.pop_front();
      } else {
        missed = std::exchange(missed_, 0);
        if (missed == 0) return;
      }
    }
    Call([&] {
      if (!notice.has_value()) {
        plugin_->OnMissed(missed);
      } else if (const auto* started = std::get_if<Begun>(&*notice)) {
        plugin_->OnStart(started->notice);
      } else if (const auto* stepped = std::get_if<Stepped>(&*notice)) {
        plugin_->OnStep(stepped->notice);
      } else {
        plugin_->OnEnd(std::get<Ended>(*notice).notice);
      }
    });
  }
}

}  // namespace stele::embed
