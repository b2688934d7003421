// The threads of a server for what blocks, apart by what it is: none of it waits behind another
// kind. What finds its kind's queue full is refused.
//
// Thread: the loop's.
#pragma once

#include "server/loop/kj_loop.h"
#include "server/loop/work_threads.h"
#include "server/operations/limits.h"

namespace stele::server {

struct Threads {
  explicit Threads(KjLoop& loop)
      : reading(loop, {.threads = kReadingThreads}),
        slow(loop, {.threads = kSlowThreads, .max_queued = kMaxSlowQuestions}),
        passwords(loop, {.threads = kPasswordThreads, .max_queued = kMaxPasswordsWaiting}) {}

  WorkThreads reading;    // views as they are, pages of the log
  WorkThreads slow;       // what waits for a view, or reads much of the log
  WorkThreads passwords;  // hashing
};

}  // namespace stele::server
