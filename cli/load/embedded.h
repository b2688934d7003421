// Load on an engine in this process, through the interface that programs embed it by.
//
// Threads: Run's keeps the pace of an open loop and looks at the load; what is done is told on the
// engine's threads, which begin the next operation of a closed loop themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "cli/load/load.h"
#include "cli/load/work.h"
#include "stele/engine.h"

namespace stele::load {

// An error of the embedded interface.
Error ErrorOf(const embed::Error& error);

class Embedded {
 public:
  // Opens the data, made when there is none. Instances that are open stand still.
  static Result<std::unique_ptr<Embedded>> Open(embed::Options options, const std::string& data);
  ~Embedded();
  Embedded(const Embedded&) = delete;
  Embedded& operator=(const Embedded&) = delete;

  // What the directory has that a measurement would disturb: kWrongState when instances are open,
  // or triggers may start some.
  Status CheckIdle();
  // Registers what the work needs. Once, before Run.
  Status Prepare(const Work& work);
  // Until `load` is over, whose outcome it has. `stop` is asked now and then.
  void Run(Load& load, const std::function<bool()>& stop);

 private:
  class Ends;

  Embedded() = default;
  void Pump();
  void Begin(int64_t from_us);
  void Started(int64_t from_us, const embed::Result<embed::Started>& started);
  void Ended(const embed::InstanceNotice& ended);
  void Done(int64_t from_us);
  // The log's last record, as far as views know of it.
  uint64_t Position() const;

  Work work_;
  std::mutex mutex_;
  Load* load_ = nullptr;
  // Instances whose start was answered and whose end was not told, and the other way round.
  std::unordered_map<uint64_t, int64_t> started_;
  std::unordered_set<uint64_t> ended_;
  std::unique_ptr<embed::Engine> engine_;  // the last: it calls until it is gone
};

}  // namespace stele::load
