// The figures of a running server: read when somebody asks, not before, so that nothing on a
// record's way counts for them. What is asked for again soon is read once.
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "server/observation/families.h"
#include "server/observation/limits.h"
#include "server/observation/reading.h"
#include "server/observation/requests.h"
#include "server/operations/desk.h"

namespace stele::server {

// What the edge adds to what the engine knows.
using FillIn = std::function<void(LoopFigures&)>;

class Figures {
 public:
  // `requests` and `fill_in` may be null. A reading serves whoever asks within `kept`. REQUIRES:
  // all of them outlive it.
  Figures(Desk& desk, const RequestFigures* requests, FillIn fill_in,
          kj::Duration kept = kReadingKeptMs * kj::MILLISECONDS)
      : desk_(desk), requests_(requests), fill_in_(std::move(fill_in)), kept_(kept) {}
  Figures(const Figures&) = delete;
  Figures& operator=(const Figures&) = delete;

  // kBackPressure: too many questions wait for a thread. REQUIRES: this outlives the promise.
  Promised<std::shared_ptr<const Reading>> Read();
  // The reading, and what was counted since the start, as Prometheus reads it.
  std::string Write(const Reading& reading) const;

 private:
  using Answer = Result<std::shared_ptr<const Reading>>;

  LoopFigures LookAround();
  kj::Promise<Durability> AskDurable();
  kj::Promise<Answer> ReadAnew();

  Desk& desk_;
  const RequestFigures* const requests_;
  const FillIn fill_in_;
  const kj::Duration kept_;
  bool under_way_ = false;
  kj::TimePoint kept_until_ = kj::origin<kj::TimePoint>();
  std::optional<kj::ForkedPromise<Answer>> reading_;
};

// The reading as families: exposition.cc.
Families FamiliesOf(const Reading& reading);

}  // namespace stele::server
