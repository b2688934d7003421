// A plugin on a thread of its own: the loop hands it notices and never waits for it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>

#include "engine/embed/own_threads.h"
#include "stele/engine.h"

namespace stele::embed {

struct Begun {
  InstanceNotice notice;
};
struct Stepped {
  StepNotice notice;
};
struct Ended {
  InstanceNotice notice;
};
using Notice = std::variant<Begun, Stepped, Ended>;

using Problem = std::function<void(const std::string&)>;

// Thread: any.
class PluginHost {
 public:
  PluginHost(std::unique_ptr<Plugin> plugin, size_t backlog, OwnThreads& own, Problem problem);
  // Tells it what it is behind with, then ends.
  ~PluginHost();
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;

  // Drops the notice when the plugin is too far behind.
  void Tell(const Notice& notice);

 private:
  void Work();
  void Call(const std::function<void()>& call);

  std::unique_ptr<Plugin> plugin_;
  const size_t backlog_;
  OwnThreads& own_;
  const Problem problem_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Notice> notices_;
  uint64_t missed_ = 0;  // since the notices that are queued
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace stele::embed
