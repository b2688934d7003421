// RocksDB's lock of a database directory, seen from outside: who holds it, and a share of it for
// those that only read. It is a lock of the process (fcntl), as RocksDB takes it.
#pragma once

#include <string>

#include "base/error.h"

namespace stele::eventstore {

// "process 25200 (stele)", or "another process".
// REQUIRES: it is not this process, whose lock would end with the call.
std::string HolderOf(const std::string& lock_file);

// Others may read as well meanwhile, and nobody writes.
class ReadingLock {
 public:
  ReadingLock() = default;
  // kStoreLocked: somebody has the database open to write. Writes nothing: where the file LOCK is
  // missing there is nobody to keep out, and nothing is locked.
  // REQUIRES: this process does not have the database open to write.
  static Result<ReadingLock> Take(const std::string& database);
  ReadingLock(ReadingLock&& other) noexcept;
  ReadingLock& operator=(ReadingLock&& other) noexcept;
  ~ReadingLock();

 private:
  int file_ = -1;
};

}  // namespace stele::eventstore
