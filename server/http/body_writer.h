// Where a handler writes a body whose length nobody knows beforehand: a download of many lines, the
// events of a stream.
//
// Owner: the service, until the handler's promise is done. Thread: the connection's.
#pragma once

#include <kj/async-io.h>

#include <cstdint>
#include <string>

namespace stele::server::http {

class BodyWriter {
 public:
  // Adds to `written` what was given to it.
  BodyWriter(kj::AsyncOutputStream& out, uint64_t& written) : out_(out), written_(written) {}
  BodyWriter(const BodyWriter&) = delete;
  BodyWriter& operator=(const BodyWriter&) = delete;

  // Done when the kernel has taken the bytes: who waits for it before making more is as fast as the
  // client, and holds no more than one piece. REQUIRES: the promise of the write before is done.
  // Rejected when the client has gone.
  kj::Promise<void> Write(std::string bytes);

 private:
  kj::AsyncOutputStream& out_;
  uint64_t& written_;
};

}  // namespace stele::server::http
