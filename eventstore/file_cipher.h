// Encrypts the files of a database of what is derived from the log: RocksDB's encrypted file
// system over AES-256-CTR (NIST SP 800-38A) by OpenSSL. Every byte of every file but the lock goes
// through it, and a file's name and size stay readable.
//
// A file begins with 64 bytes: "STLFILE1", 16 random bytes from which its counter starts, 16 bytes
// that only the key can have made of them, zeros. Nothing is authenticated: RocksDB's checksums
// find damage, and what is found is built anew from the log.
//
// Threads: any.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "eventstore/aead.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace stele::eventstore {

class FileCipher {
 public:
  explicit FileCipher(const CipherKey& key);
  ~FileCipher();
  FileCipher(const FileCipher&) = delete;
  FileCipher& operator=(const FileCipher&) = delete;

  // For the options of a database. REQUIRES: this outlives the database.
  rocksdb::Env* env() const { return env_.get(); }
  // Whether the file was written by a cipher with this key.
  bool Wrote(const std::string& file) const;

 private:
  const CipherKey key_;
  std::unique_ptr<rocksdb::Env> env_;
};

// Whether a derived database is written as it is to be now: in clear, or by the cipher given, if
// any. One that is not there is. One whose file IDENTITY is damaged is not.
bool IsWrittenBy(const FileCipher* cipher, const std::string& directory);

// Removes a derived database that was not written as it is to be now, so that it is built anew:
// in clear although a cipher is given, or by another cipher than the one given, if any. Of a
// database with a damaged file IDENTITY that file alone goes.
// REQUIRES: nobody has it open.
Status RemoveUnlessWrittenBy(const FileCipher* cipher, const std::string& directory);

}  // namespace stele::eventstore
