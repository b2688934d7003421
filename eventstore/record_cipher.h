// Seals a record's payloads in their places and opens them again: AES-256-GCM, one message a
// record. What is sealed are the spans' bytes, one after the other; what is authenticated with them
// are shard (4) and position (8), the frame's header, actor and nonce, and the rest of the body
// (docs/log-format.md). The nonce is random: a torn end that is written anew gets another.
//
// Used by one thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "eventstore/aead.h"
#include "eventstore/payload_keys.h"
#include "eventstore/record.h"

namespace stele::eventstore {

class RecordCipher {
 public:
  // REQUIRES: the keys outlive it.
  explicit RecordCipher(PayloadKeys& keys) : keys_(keys) {}

  // Appends the frame to `frames`: sealed; as it is when it holds no payload, or was sealed before;
  // with its payloads blanked when their key was destroyed. Adds to `rows` what is to be written
  // with it. kStoreCorrupt when the body is not of a known form.
  Status Seal(ShardId shard, Position position, std::string_view frame, std::string* frames,
              std::vector<KeyRow>* rows);

  // Opens the payloads of a record that is sealed, or blanks them when their key was destroyed.
  // `frame` is what the view was decoded from, and holds the bytes that the view shows.
  // kStoreCorrupt when they are not what was sealed: then the body is not to be read.
  Status Open(char* frame, RecordView* view);

 private:
  // The rest of the body is gathered in rest_.
  void Authenticate(ShardId shard, Position position, std::string_view head, std::string_view body);
  void Blank(char* body) const;

  PayloadKeys& keys_;
  Aead aead_;
  std::vector<PayloadSpan> spans_;
  std::string rest_;
  std::string nonces_;  // random bytes that were not used yet
};

}  // namespace stele::eventstore
